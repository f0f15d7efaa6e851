"""Our onnxruntime backend and TensorRT: its options from config.pbtxt, and no silent fall back."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from interlingua.served.networks import tensorrt_provider as provider

BACKEND = "interlingua_server.backends.onnxruntime.model"
INPUTS = ["input_ids", "attention_mask"]
SHAPES = {f"trt_profile_{kind}_shapes": "input_ids:1x1,attention_mask:1x1" for kind in ("min", "opt", "max")}


def load() -> ModuleType:
    """The backend as Triton's Python imports it."""
    sys.modules.pop(BACKEND, None)
    return importlib.import_module(BACKEND)


def config(parameters: dict[str, str]) -> dict[str, Any]:
    """As Triton hands it to a model, as far as it matters."""
    accelerator = {"name": "tensorrt", "parameters": parameters}
    return {
        "input": [{"name": name} for name in INPUTS],
        "output": [{"name": "embedding"}],
        "optimization": {"execution_accelerators": {"gpu_execution_accelerator": [accelerator]}},
    }


def test_options(tmp_path: Path) -> None:
    folder = tmp_path / "cache/embedder"
    parameters = {
        **SHAPES,
        "trt_engine_cache_enable": "1",
        "trt_timing_cache_enable": "false",
        "trt_engine_cache_path": str(folder),
        "trt_engine_cache_prefix": "embedder",
        "max_workspace_size_bytes": "1073741824",
    }
    assert provider.wanted(config(parameters)) == parameters
    assert provider.provider_options(parameters, INPUTS, version="3", device=1) == {
        **SHAPES,
        "device_id": "1",
        "trt_engine_cache_enable": "True",
        "trt_timing_cache_enable": "False",
        "trt_engine_cache_path": str(folder),
        "trt_engine_cache_prefix": "embedder_v3",
        "trt_max_workspace_size": "1073741824",
    }
    assert folder.is_dir()


def test_no_accelerator() -> None:
    assert provider.wanted({"optimization": {}}) is None
    assert provider.wanted({}) is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({**SHAPES, "precision_mode": "FP16"}, "precision is what the graph says"),
        ({**SHAPES, "trt_fp16_enable": "1"}, "trt_fp16_enable, which this backend does not know"),
        ({**SHAPES, "trt_profile_opt_shapes": "input_ids:1x1"}, "trt_profile_opt_shapes leaves out attention_mask"),
        ({}, "leaves out input_ids, attention_mask"),
    ],
    ids=["precision mode", "precision flag", "an input without a profile", "no profiles"],
)
def test_what_is_refused(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        provider.provider_options(parameters, INPUTS, version="1", device=0)


class TritonModelException(Exception):  # noqa: N818 - Triton's name
    pass


@pytest.mark.parametrize("available", [["CUDAExecutionProvider"], []], ids=["CUDA alone", "no GPU"])
def test_a_missing_provider_fails_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, available: list[str]
) -> None:
    utilities = ModuleType("triton_python_backend_utils")
    utilities.TritonModelException = TritonModelException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", utilities)
    backend = load()
    monkeypatch.setattr(backend.ort, "get_available_providers", lambda: [*available, "CPUExecutionProvider"])
    (tmp_path / "1").mkdir()
    (tmp_path / "1/model.onnx").write_bytes(b"never read")
    arguments = {
        "model_config": json.dumps(config(SHAPES)),
        "model_repository": str(tmp_path),
        "model_version": "1",
        "model_instance_kind": "GPU",
        "model_instance_device_id": "0",
    }
    wanted = "no TensorRT provider: install" if available else "no CUDA provider"
    with pytest.raises(TritonModelException, match=wanted):
        backend.TritonPythonModel().initialize(arguments)


def test_a_provider_that_did_not_start_fails_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is a real one of ONNX Runtime, which has run without the provider that was asked for."""
    import onnxruntime as ort
    from onnx import TensorProto, helper

    utilities = ModuleType("triton_python_backend_utils")
    utilities.TritonModelException = TritonModelException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", utilities)
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    backend = load()
    backend._require_provider(session, ["CPUExecutionProvider"])
    with pytest.raises(TritonModelException, match="TensorrtExecutionProvider did not start, only CPUExecution"):
        backend._require_provider(session, [("TensorrtExecutionProvider", {}), "CPUExecutionProvider"])
