"""The one file that owns ONNX Runtime: a network on this machine's CPU.

{input name: int64 [n, L]} --InferenceSession.run--> float32 [n, D]
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnxruntime as ort

from interlingua.base.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_ONLY_ERRORS = 3


@dataclass(frozen=True)
class TensorSignature:
    """A graph's input or output: its name, ONNX Runtime's word for its type, and its axes."""

    name: str
    kind: str
    shape: tuple[str | int | None, ...]


class OnnxSession:
    """A loaded `model.onnx`, with the optimizations it is served with on CPUs (triton_config.py).

    Args:
        emulate: whether a network in half precision is emulated (half_emulation.py). As it
            is, one in fp16 runs with less rounding than on a GPU, and one in bf16 does not load.
    """

    def __init__(self, path: Path, *, threads: int, emulate: bool = True) -> None:
        """Raises ExportError: ONNX Runtime does not load the file."""
        from interlingua_exporter.graphs.onnx.half_emulation import runnable

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ONLY_ERRORS
        # Threads that spin while they wait take the cores from torch, and from whatever else runs here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        try:
            with runnable(path) if emulate else nullcontext(path) as file:
                self._session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no public base class
            raise ExportError(f"{path.name} does not load in ONNX Runtime {ort.__version__}: {error}") from error

    @property
    def inputs(self) -> tuple[TensorSignature, ...]:
        return tuple(TensorSignature(i.name, i.type, tuple(i.shape)) for i in self._session.get_inputs())

    @property
    def outputs(self) -> tuple[TensorSignature, ...]:
        return tuple(TensorSignature(o.name, o.type, tuple(o.shape)) for o in self._session.get_outputs())

    def run(self, batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """The first output, [n, D]. Raises ExportError: the network fails on this batch."""
        try:
            result: NDArray[np.float32] = self._session.run(None, dict(batch))[0]
        except Exception as error:
            shapes = ", ".join(f"{name} {list(values.shape)}" for name, values in batch.items())
            raise ExportError(f"the network fails on {shapes}: {error}") from error
        return result
