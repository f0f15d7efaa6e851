"""ONNX Runtime's TensorRT provider, from the accelerator that config.pbtxt names.

    optimization.execution_accelerators.gpu_execution_accelerator --wanted--> parameters --provider_options--> options

The parameters are those of NVIDIA's C++ backend (tis/onnxruntime_backend README.md), so one config.pbtxt serves both.
Here the engine cache's prefix gets the version as well: the C++ backend has one prefix for all versions.

Precision is what the graph says: where no precision flag is set, ONNX Runtime asks TensorRT to obey the graph's types
(microsoft/onnxruntime#18707).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua.served.model_config import TritonConfig

PROVIDER = "TensorrtExecutionProvider"

_NAME = "tensorrt"
_SHAPES = ("trt_profile_min_shapes", "trt_profile_opt_shapes", "trt_profile_max_shapes")
_FOLDERS = ("trt_engine_cache_path", "trt_timing_cache_path")
_PREFIX = "trt_engine_cache_prefix"
_SWITCHES = frozenset(
    f"trt_{name}"
    for name in (
        "engine_cache_enable",
        "timing_cache_enable",
        "force_timing_cache",
        "context_memory_sharing_enable",
        "detailed_build_log",
        "dump_subgraphs",
        "force_sequential_engine_build",
    )
)
_NUMBERS = (
    "trt_max_partition_iterations",
    "trt_min_subgraph_size",
    "trt_builder_optimization_level",
    "trt_auxiliary_streams",
)
_VALUES = frozenset((*_SHAPES, *_FOLDERS, _PREFIX, *_NUMBERS, "trt_tactic_sources"))
_WORKSPACE = "max_workspace_size_bytes"


def wanted(config: TritonConfig) -> dict[str, str] | None:
    """The accelerator's parameters; None where the configuration names no TensorRT."""
    accelerators = config.get("optimization", {}).get("execution_accelerators", {})
    for entry in accelerators.get("gpu_execution_accelerator", []):
        if entry["name"] == _NAME:
            return dict(entry.get("parameters", {}))
    return None


def provider_options(parameters: Mapping[str, str], inputs: list[str], *, version: str, device: int) -> dict[str, str]:
    """What `InferenceSession` takes for TensorrtExecutionProvider; the cache folders are made.

    Args:
        inputs: of the network; each is dynamic and needs a profile.

    Raises:
        ValueError: a parameter that is unknown, or asks for a precision, or profiles that leave an input out.
        OSError: a cache folder cannot be made.
    """
    _check(parameters, inputs)
    options = {"device_id": str(device)}
    for name, value in parameters.items():
        if name in _SWITCHES:
            options[name] = "True" if value.lower() in ("1", "true") else "False"
        elif name in _VALUES:
            options[name] = value
    if _WORKSPACE in parameters:
        options["trt_max_workspace_size"] = parameters[_WORKSPACE]
    if prefix := parameters.get(_PREFIX):
        options[_PREFIX] = f"{prefix}_v{version}"
    for name in _FOLDERS:
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)
    return options


def _check(parameters: Mapping[str, str], inputs: list[str]) -> None:
    mode = parameters.get("precision_mode", "FP32")
    if mode != "FP32":
        raise ValueError(f"precision_mode is {mode}: precision is what the graph says, export it in that precision")
    unknown = sorted(set(parameters) - _SWITCHES - _VALUES - {_WORKSPACE, "precision_mode"})
    if unknown:
        raise ValueError(f"TensorRT's parameters have {', '.join(unknown)}, which this backend does not know")
    for name in _SHAPES:
        stated = [part.rpartition(":")[0] for part in parameters.get(name, "").split(",")]
        if missing := [tensor for tensor in inputs if tensor not in stated]:
            raise ValueError(f"{name} leaves out {', '.join(missing)}: every shape would build an engine of its own")
