"""Which runtimes can use a device, and what is missing where none can.

Settings.device --missing--> runtime: "" | why not --usable--> runtimes, or NoDeviceError with one line and exit code 2
"""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from interlingua.base.errors import InterlinguaError

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.settings import Device, Runtime

CUDA_PROVIDER = "CUDAExecutionProvider"
_CPU_PROVIDER = "CPUExecutionProvider"


class NoDeviceError(InterlinguaError):
    """There is nothing here to measure."""

    exit_code: ClassVar[int] = 2


def usable(device: Device, runtimes: Sequence[Runtime]) -> tuple[Runtime, ...]:
    """The runtimes that can use the device. Raises NoDeviceError: none can; it says how to get one."""
    reasons = {runtime: missing(runtime, device) for runtime in runtimes}
    found = tuple(runtime for runtime, reason in reasons.items() if not reason)
    if not found:
        raise NoDeviceError(
            f"nothing here computes on {device}: {'; '.join(reasons.values())}. On a machine with an NVIDIA GPU and "
            "its driver: `pip install --force-reinstall torch` (PyPI's builds for Linux have CUDA), and "
            "`pip uninstall --yes onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'` (the two share a folder); "
            "`--device cpu` goes the same way here, to look at it"
        )
    return found


def missing(runtime: Runtime, device: Device) -> str:
    """Why a runtime cannot use a device; "" where it can."""
    if importlib.util.find_spec(runtime) is None:
        return f"{runtime} is not installed"
    if device.kind == "cpu":
        return ""
    return _torch_lacks(device) if runtime == "torch" else _onnxruntime_lacks(device)


def _torch_lacks(device: Device) -> str:
    import torch

    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA"
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no GPU"
    count = torch.cuda.device_count()
    return "" if device.index < count else f"torch sees GPUs 0 to {count - 1}"


def _onnxruntime_lacks(device: Device) -> str:
    import onnxruntime as ort

    if CUDA_PROVIDER not in ort.get_available_providers():
        return f"onnxruntime {ort.__version__} has no CUDA provider"
    load_libraries()
    try:
        session = ort.InferenceSession(_identity(), providers=providers(device))
    except Exception as error:  # ONNX Runtime's exceptions share no public base class
        return f"onnxruntime's CUDA provider does not start: {first_line(error)}"
    if session.get_providers()[0] != CUDA_PROVIDER:  # it falls back without an exception
        return "onnxruntime's CUDA provider does not load: CUDA or cuDNN is missing, or of another major version"
    return ""


def load_libraries() -> None:
    """CUDA's and cuDNN's, from the wheels that torch or the extra of onnxruntime-gpu brought."""
    import onnxruntime as ort

    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()


def providers(device: Device, *, tf32: bool = False) -> list[str | tuple[str, dict[str, str]]]:
    """For an InferenceSession; TF32 is on by default there, and off here."""
    if device.kind == "cpu":
        return [_CPU_PROVIDER]
    return [(CUDA_PROVIDER, {"device_id": str(device.index), "use_tf32": str(int(tf32))}), _CPU_PROVIDER]


def release(device: Device) -> None:
    """Give back what torch keeps of the device's memory for later."""
    gc.collect()
    if device.kind == "cuda" and not missing("torch", device):
        import torch

        torch.cuda.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch or ONNX Runtime says that memory was too little."""
    words = ("out of memory", "failed to allocate", "bad allocation", "not enough memory")
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(word in said for word in words)


def first_line(error: BaseException) -> str:
    """What an error says, on one line."""
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def _identity() -> bytes:
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "probe", [value], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    serialized: bytes = model.SerializeToString()
    return serialized
