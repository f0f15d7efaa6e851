"""Whether an int8 network means the same on every CPU, by the arithmetic of what its file holds.

    model.onnx --products_of--> Product, Product, ... --saturates--> those that an x86 CPU without VNNI gets wrong

Such a CPU multiplies uint8 by int8 with VPMADDUBSW (Intel's manual, volume 2B): two neighbouring products are added
into a signed 16-bit number that saturates. Kernels order the rows of a matrix as they like: any two of a column count.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx

from interlingua.base.errors import ExportError
from interlingua_exporter.graphs.onnx.external_data import read_initializer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_LARGEST, _SMALLEST = 2**15 - 1, -(2**15)
_ACTIVATION = 255  # uint8's largest; a zero point is taken off after the sums

# Operators of ONNX and com.microsoft that multiply uint8 by int8 weights, and the weights' input.
_WEIGHT_INPUTS = {
    "ConvInteger": 1,
    "DynamicQuantizeMatMul": 1,
    "MatMulInteger": 1,
    "MatMulIntegerToFloat": 1,
    "QAttention": 1,
    "QGemm": 3,
    "QLinearConv": 3,
    "QLinearMatMul": 3,
}
_FLOAT_PRODUCTS = ("Conv", "Gemm", "MatMul")  # ONNX Runtime fuses them with DequantizeLinear around them


@dataclass(frozen=True)
class Product:
    """A product with a constant int8 matrix.

    Attributes:
        name: the matrix's.
        lowest, highest: of what two neighbouring products can sum to, whatever the activations.
    """

    name: str
    lowest: int
    highest: int

    @property
    def saturates(self) -> bool:
        return self.lowest < _SMALLEST or self.highest > _LARGEST


def products_of(path: Path) -> Iterator[Product]:
    """Every product of uint8 with constant int8 weights that can be told from the graph; weights are read one by one.

    Of a product whose activations' type cannot be inferred, uint8 is assumed. Weights that a graph makes of others
    (Transpose of an initializer, say) are not seen.
    """
    model = onnx.load(path, load_external_data=False)
    types = _types(model)
    for graph in _graphs(model.graph):
        weights = _int8_weights(graph)
        for activation, name, axes in dict.fromkeys(_factors(graph)):
            if name in weights and types.get(activation, onnx.TensorProto.UINT8) == onnx.TensorProto.UINT8:
                yield product(name, _columns(read_initializer(weights[name], path.parent).view(np.int8), axes))


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(attribute.g)


def _types(model: onnx.ModelProto) -> dict[str, int]:
    """Element types of tensors by name, as far as they can be inferred."""
    with contextlib.suppress(onnx.shape_inference.InferenceError, ValueError):
        model = onnx.shape_inference.infer_shapes(model)
    stated = (*model.graph.input, *model.graph.value_info)
    known = {entry.name: entry.type.tensor_type.elem_type for entry in stated}
    return {name: kind for name, kind in known.items() if kind}


def _int8_weights(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    constants = {
        node.output[0]: attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    tensors = constants | {tensor.name: tensor for tensor in graph.initializer}
    return {name: tensor for name, tensor in tensors.items() if tensor.data_type == onnx.TensorProto.INT8}


def _factors(graph: onnx.GraphProto) -> Iterator[tuple[str, str, str]]:
    """(activations, weights, the weights' axes: KN, NK or NK... of a convolution)."""
    dequantized = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        axes = "conv" if "Conv" in node.op_type else "NK" if transposed else "KN"
        number = _WEIGHT_INPUTS.get(node.op_type)
        if number is not None and number < len(node.input):
            yield node.input[0], node.input[number], axes
        elif node.op_type in _FLOAT_PRODUCTS and set(node.input[:2]) <= set(dequantized):
            yield dequantized[node.input[0]], dequantized[node.input[1]], axes


def _columns(weights: NDArray[np.int8], axes: str) -> NDArray[np.int8]:
    """Weights as [K, N]; a convolution's are [N, K, ...], a vector is one column."""
    if weights.ndim < 2:
        return weights.reshape(-1, 1)
    if axes == "conv":
        return weights.reshape(len(weights), -1).T
    flat = weights.reshape(-1, weights.shape[-1])
    return flat.T if axes == "NK" else flat


def product(name: str, matrix: NDArray[np.int8]) -> Product:
    """What sums of two products with a matrix [K, N] can come to."""
    ordered = np.sort(matrix, axis=0).astype(np.int32)
    highest = np.maximum(ordered[-2:], 0).sum(axis=0).max(initial=0)
    lowest = np.minimum(ordered[:2], 0).sum(axis=0).min(initial=0)
    return Product(name, _ACTIVATION * int(lowest), _ACTIVATION * int(highest))


def saturating(path: Path) -> list[Product]:
    """The products of a file whose sums do not fit 16 bits."""
    return [one for one in products_of(path) if one.saturates]


def require_exact(path: Path) -> None:
    """Raises ExportError: a sum can saturate; the message names the first matrix and its sum."""
    if found := saturating(path):
        worst = max(found, key=lambda one: max(one.highest, -one.lowest))
        raise ExportError(
            f"{path.name}: {len(found)} int8 products can saturate at 16 bits on x86 CPUs without VNNI, {worst.name} "
            f"with sums of {worst.lowest} to {worst.highest}: weights within +-63 (--weight-bits 7) cannot"
        )
