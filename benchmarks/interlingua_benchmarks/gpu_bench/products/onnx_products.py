"""Matrix products through ONNX Runtime, for a card that torch cannot use: a chain of MatMul with one matrix.

fp32 [n, n] on the device --Cast--> x --MatMul W--> x --MatMul W--> ... [n, n] on the device

One call is a chain, so that the cast and the call itself weigh little; numpy has no bf16, so the input is fp32. W is
scaled so that values keep their size.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua_benchmarks.gpu_bench.device import load_libraries, providers

if TYPE_CHECKING:
    import onnx

    from interlingua_benchmarks.gpu_bench.settings import Arithmetic, Device

_CHAIN = 8


class OnnxProducts:
    """A chain a call (matrix_rate.Products)."""

    at_once = _CHAIN

    def __init__(self, device: Device, arithmetic: Arithmetic, size: int) -> None:
        """Raises ONNX Runtime's own errors: no kernel for this arithmetic on the device, out of memory."""
        import onnxruntime as ort

        load_libraries()
        random = np.random.default_rng(size)
        weights = random.standard_normal((size, size), np.float32) / np.float32(size**0.5)
        self._session: Any = ort.InferenceSession(
            _chain(weights, arithmetic).SerializeToString(),
            providers=providers(device, tf32=arithmetic == "tf32"),
        )
        value = random.standard_normal((size, size), np.float32)
        placed = ort.OrtValue.ortvalue_from_numpy(value, device.kind, device.index)
        self._binding: Any = self._session.io_binding()
        self._binding.bind_ortvalue_input("x", placed)
        self._binding.bind_output("y", device.kind, device.index)

    def call(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def wait(self) -> None:
        self._binding.synchronize_outputs()


def _chain(weights: np.ndarray, arithmetic: Arithmetic) -> onnx.ModelProto:
    import ml_dtypes
    from onnx import TensorProto, helper

    kinds: dict[Arithmetic, tuple[int, Any]] = {
        "fp32": (TensorProto.FLOAT, np.float32),
        "tf32": (TensorProto.FLOAT, np.float32),
        "fp16": (TensorProto.FLOAT16, np.float16),
        "bf16": (TensorProto.BFLOAT16, ml_dtypes.bfloat16),
    }
    number, dtype = kinds[arithmetic]
    shape = list(weights.shape)
    names = [f"x{step}" for step in range(_CHAIN)] + ["y"]
    nodes = [helper.make_node("Cast", ["x"], [names[0]], to=number)]
    nodes += [helper.make_node("MatMul", [before, "w"], [after]) for before, after in pairwise(names)]
    stored = helper.make_tensor("w", number, shape, weights.astype(dtype).tobytes(), raw=True)
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", number, shape)],
        [stored],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
