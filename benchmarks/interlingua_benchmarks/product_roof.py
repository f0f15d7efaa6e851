"""The roof over every way to run a network: its products with weights alone, at this machine's speed.

    model.onnx --nodes that multiply with a constant matrix, by shape--> networks of one node, timed --> texts a second

Everything else that a network does (attention among tokens, norms, rounding activations to int8) comes on top, so no
batching and no fusion passes this roof; only other kernels or another number format do.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from interlingua_benchmarks.in_process_limit import cpu_session, seconds_together
from interlingua_exporter.graphs.onnx.external_data import read_initializer
from interlingua_loadtest.capacity.profile.network_size import constant_matrix

if TYPE_CHECKING:
    import onnx
    import onnxruntime as ort

ROWS = 256  # tokens in a call: as many as the limit's best budgets have
_TYPES: dict[str, np.dtype[Any]] = {"MatMul": np.dtype(np.float32), "MatMulIntegerToFloat": np.dtype(np.uint8)}
_PASSES = 5
_PASS_S = 0.1


@dataclass(frozen=True)
class MatrixProduct:
    """Activations [rows, inputs] times a matrix [inputs, outputs], `count` times in a network."""

    operator: str
    inputs: int
    outputs: int
    count: int
    model: bytes

    def activations(self, rows: int) -> npt.NDArray[Any]:
        """Some, of the operator's type: float32 or uint8 [rows, inputs]."""
        values = np.random.default_rng(0).integers(0, 255, (rows, self.inputs))
        return values.astype(_TYPES[self.operator])


def products(network: Path) -> list[MatrixProduct]:
    """The products of a model.onnx with its constant matrices, one entry a shape and operator."""
    import onnx

    graph = onnx.load(network, load_external_data=False).graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    shapes = {name: tuple(tensor.dims) for name, tensor in weights.items()}
    found: dict[tuple[str, int, int], onnx.NodeProto] = {}
    counts: Counter[tuple[str, int, int]] = Counter()
    for node in graph.node:
        if matrix := constant_matrix(node, shapes):
            kind = (node.op_type, *matrix)
            counts[kind] += 1
            found.setdefault(kind, node)
    return [
        MatrixProduct(*kind, counts[kind], _network_of(node, kind, weights, network.parent))
        for kind, node in found.items()
    ]


def _network_of(
    node: onnx.NodeProto, kind: tuple[str, int, int], weights: dict[str, onnx.TensorProto], folder: Path
) -> bytes:
    """A network of this node and its weights alone."""
    from onnx import helper, numpy_helper

    operator, inputs, outputs = kind
    data_type = helper.np_dtype_to_tensor_dtype(_TYPES[operator])
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", *node.input[1:]], ["y"], domain=node.domain)],
        "product",
        [helper.make_tensor_value_info("x", data_type, ["rows", inputs])],
        [helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(np.dtype(np.float32)), ["rows", outputs])],
        [numpy_helper.from_array(read_initializer(weights[name], folder), name) for name in node.input[1:]],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


def products_rate(network: Path, tokens: Sequence[Sized], cores: int) -> float:
    """Texts a second if the network were its products alone, on all cores, each working for itself.

    Args:
        tokens: of each text, one sequence a text.
    """
    token_s = sum(product.count * _seconds(product, cores) for product in products(network)) / (ROWS * cores)
    return len(tokens) / (token_s * sum(map(len, tokens)))


def _seconds(product: MatrixProduct, cores: int) -> float:
    """What a call of ROWS tokens takes while every core makes such calls: the mean of the fastest pass."""
    sessions = [cpu_session(product.model, threads=1) for _ in range(cores)]
    feed = {"x": product.activations(ROWS)}
    began = time.perf_counter()
    for session in sessions:
        session.run(None, feed)
    calls = max(round(_PASS_S * cores / (time.perf_counter() - began)), 1)

    def run(session: ort.InferenceSession) -> None:
        for _ in range(calls):
            session.run(None, feed)

    jobs = [partial(run, session) for session in sessions]
    return min(seconds_together(jobs) for _ in range(_PASSES)) / calls
