"""Triton backend `onnxruntime`, Python-based: runs `model.onnx` with the ONNX Runtime wheel.

It reads the same config.pbtxt as the C++ backend of NVIDIA's container and honours the part of it that a
transformer network needs: instance kind (CPU, GPU), intra_op_thread_count, inter_op_thread_count,
execution_mode, enable_mem_arena, memory.enable_memory_arena_shrinkage, optimization.graph.level,
default_model_filename, and the GPU accelerator `tensorrt` (tensorrt_provider.py). Requests of equal shape that
Triton hands over together run as one batch.

    requests --group by shape--> [n, ...] tensors --InferenceSession.run--> outputs --split--> responses

A call for bulk work runs in a thread of lower priority: with one thread a session, that is all of its work. Whatever
a query needs on its way then gets a core at once.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime as ort
import triton_python_backend_utils as pb_utils

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where interlingua.served lies beside this backend
from interlingua.served.graph_names import BULK, MODEL_FILE
from interlingua.served.limits import BULK_NICENESS
from interlingua.served.model_config import TritonConfig, beyond_ours, names_of, parameters_of
from interlingua.served.networks import tensorrt_provider
from interlingua.served.networks.request_groups import Inputs, Outputs, answer_in_groups
from interlingua.served.watch.activity import Activity
from interlingua.served.watch.stubs import end_with_parent

# optimization.graph.level as tis/onnxruntime_backend documents it; without one, everything is on.
_GRAPH_LEVELS = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}

end_with_parent()
ACTIVITY = Activity()


class TritonPythonModel:
    """One instance: one session, used by one request group at a time."""

    def initialize(self, args: dict[str, str]) -> None:
        config: TritonConfig = json.loads(args["model_config"])
        if unknown := beyond_ours(config):
            raise pb_utils.TritonModelException(
                f"this onnxruntime backend makes no tensors for {', '.join(unknown)}: serve the model in NVIDIA's "
                "container, whose backend does"
            )
        folder = Path(args["model_repository"]) / args["model_version"]
        path = folder / (config.get("default_model_filename") or MODEL_FILE)
        if not path.is_file():
            raise pb_utils.TritonModelException(f"{path} is missing: export the model first")
        parameters = parameters_of(config)
        providers = _providers(config, args)
        self._session = ort.InferenceSession(
            str(path), sess_options=_session_options(config, parameters), providers=providers
        )
        _require_provider(self._session, providers)
        self._run_options = ort.RunOptions()
        if shrink := parameters.get("memory.enable_memory_arena_shrinkage"):
            self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", shrink)
        self._inputs, self._outputs = names_of(config["input"]), names_of(config["output"])
        self._check_names(path)
        # A thread can become nicer without any rights, and never less nice again: so it is one of its own.
        self._patient = ThreadPoolExecutor(1, "bulk", initializer=lambda: os.nice(BULK_NICENESS))

    def finalize(self) -> None:
        self._patient.shutdown()

    def _check_names(self, path: Path) -> None:
        """config.pbtxt and graph must agree, as the C++ backend demands."""
        for kind, ours, theirs in (
            ("inputs", self._inputs, self._session.get_inputs()),
            ("outputs", self._outputs, self._session.get_outputs()),
        ):
            names = {entry.name for entry in theirs}
            wrong = set(ours) - names if kind == "outputs" else set(ours) ^ names
            if wrong:
                raise pb_utils.TritonModelException(
                    f"config.pbtxt has {kind} {sorted(ours)} but {path.name} has {sorted(names)}"
                )

    @ACTIVITY
    def execute(self, requests: list[Any]) -> list[Any]:
        rows = [
            [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs]
            for request in requests
        ]
        run = self._run_patiently if any(map(_is_bulk, requests)) else self._run
        return [self._response(answer) for answer in answer_in_groups(rows, run)]

    def _run_patiently(self, arrays: Inputs) -> Outputs:
        return self._patient.submit(self._run, arrays).result()

    def _run(self, arrays: Inputs) -> Outputs:
        feed = dict(zip(self._inputs, arrays, strict=True))
        results: Outputs = self._session.run(self._outputs, feed, self._run_options)
        return results

    def _response(self, answer: Outputs | Exception) -> Any:
        if isinstance(answer, Exception):
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"onnxruntime: {answer}"))
        tensors = [pb_utils.Tensor(name, values) for name, values in zip(self._outputs, answer, strict=True)]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _is_bulk(request: Any) -> bool:
    try:
        return f'"{BULK}"' in request.parameters()
    except UnicodeDecodeError:  # anybody may call a network, with any parameters
        return False


def _providers(config: TritonConfig, args: dict[str, str]) -> list[Any]:
    device = int(args["model_instance_device_id"])
    if args["model_instance_kind"] != "GPU":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise pb_utils.TritonModelException(
            "instance_group asks for KIND_GPU, but this onnxruntime has no CUDA provider: "
            "install onnxruntime-gpu in the server's environment, or export with --kind cpu"
        )
    ort.preload_dlls()  # CUDA and cuDNN from the wheels beside it, where the loader does not look
    usual = [("CUDAExecutionProvider", {"device_id": device}), "CPUExecutionProvider"]
    accelerator = tensorrt_provider.wanted(config)
    if accelerator is None:
        return usual
    if tensorrt_provider.PROVIDER not in ort.get_available_providers():
        raise pb_utils.TritonModelException(
            "config.pbtxt asks for TensorRT, but this onnxruntime has no TensorRT provider: install onnxruntime-gpu "
            "and TensorRT in the server's environment, or export with --provider cuda"
        )
    try:
        options = tensorrt_provider.provider_options(
            accelerator, names_of(config["input"]), version=args["model_version"], device=device
        )
    except (OSError, ValueError) as error:
        raise pb_utils.TritonModelException(f"TensorRT: {error}") from error
    return [(tensorrt_provider.PROVIDER, options), *usual]


def _require_provider(session: ort.InferenceSession, providers: list[Any]) -> None:
    """ONNX Runtime goes on without a provider whose libraries do not load; a slow server that looks well is worse."""
    first = providers[0] if isinstance(providers[0], str) else providers[0][0]
    if first not in session.get_providers():
        raise pb_utils.TritonModelException(
            f"{first} did not start, only {', '.join(session.get_providers())}: its libraries are missing or of "
            "another version; ONNX Runtime's message in the server's log names them"
        )
    session.disable_fallback()


def _session_options(config: TritonConfig, parameters: dict[str, str]) -> ort.SessionOptions:
    options = ort.SessionOptions()
    for name in ("intra_op_thread_count", "inter_op_thread_count"):
        if name in parameters:
            setattr(options, name.replace("thread_count", "num_threads"), _whole_number(name, parameters))
    if _whole_number("execution_mode", parameters) == 1:
        options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    if "enable_mem_arena" in parameters:
        options.enable_cpu_mem_arena = _whole_number("enable_mem_arena", parameters) != 0
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    options.graph_optimization_level = _GRAPH_LEVELS.get(level, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    # Idle threads that spin would take the cores from tokenization and from the other instances.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _whole_number(name: str, parameters: dict[str, str]) -> int:
    value = parameters.get(name, "0")
    try:
        return int(value)
    except ValueError:
        raise pb_utils.TritonModelException(f"parameter {name} is {value!r}, not a whole number") from None
