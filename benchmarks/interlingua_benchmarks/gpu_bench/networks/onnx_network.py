"""A `model.onnx` on a device, called through IO binding: inputs and answers stay where the network is.

{input name: int64 [n, L]} --OrtValue on the device--> IOBinding --run_with_iobinding--> answer on the device

All graph optimizations are on, as Triton's backend has them on a GPU. A call through ONNX Runtime ends when the device
has done its work, so calls do not overlap; torch's are only begun.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import ExportError
from interlingua_benchmarks.gpu_bench.device import CUDA_PROVIDER, load_libraries, providers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from interlingua_benchmarks.gpu_bench.networks.loaded_network import Batch
    from interlingua_benchmarks.gpu_bench.settings import Device

_ONLY_ERRORS = 3


class OnnxNetwork:
    """loaded_network.LoadedNetwork through ONNX Runtime."""

    def __init__(self, path: Path, device: Device, *, tf32: bool = False) -> None:
        """Raises ONNX Runtime's own errors, and ExportError where it would compute on the CPU instead."""
        import onnxruntime as ort

        load_libraries()
        options = ort.SessionOptions()
        options.log_severity_level = _ONLY_ERRORS
        self._session: Any = ort.InferenceSession(str(path), options, providers=providers(device, tf32=tf32))
        self._value: Any = ort.OrtValue
        if device.kind == "cuda" and self._session.get_providers()[0] != CUDA_PROVIDER:
            raise ExportError("onnxruntime fell back to the CPU: its CUDA provider did not load")
        self._where = (device.kind, device.index)
        self._output: str = self._session.get_outputs()[0].name
        self._last: Any = None

    def place(self, batch: Batch) -> Any:
        binding = self._session.io_binding()
        for name, values in batch.items():
            binding.bind_ortvalue_input(name, self._value.ortvalue_from_numpy(values, *self._where))
        binding.bind_output(self._output, *self._where)
        return binding

    def start(self, placed: Any) -> None:
        self._session.run_with_iobinding(placed)
        self._last = placed

    def wait(self) -> None:
        if self._last is not None:
            self._last.synchronize_outputs()

    def answer(self, batch: Batch) -> NDArray[np.float32]:
        binding = self.place(batch)
        self.start(binding)
        answers: NDArray[np.float32] = np.asarray(binding.copy_outputs_to_cpu()[0], np.float32)
        return answers

    def close(self) -> None:
        self._last = None
        del self._session
        gc.collect()
