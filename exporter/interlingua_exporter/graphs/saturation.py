"""Whether an int8 network means the same on every CPU, by the arithmetic of what its file holds.

    model.onnx --products_of--> Product, Product, ... --saturates--> those that an x86 CPU without VNNI gets wrong

Such a CPU multiplies uint8 by int8 with VPMADDUBSW (Intel's manual, volume 2B): two neighbouring products are added
into a signed 16-bit number that saturates. Kernels order the rows of a matrix as they like: any two of a column count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx

from interlingua.base.errors import ExportError
from interlingua_exporter.graphs.external_data import read_initializer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_LARGEST, _SMALLEST = 2**15 - 1, -(2**15)
_ACTIVATION = 255  # uint8's largest; a zero point is taken off after the sums

# Operators of ONNX and com.microsoft that multiply uint8 by an int8 matrix [K, N], and that matrix's input.
_MATRIX_INPUTS = {
    "DynamicQuantizeMatMul": 1,
    "MatMulInteger": 1,
    "MatMulIntegerToFloat": 1,
    "QAttention": 1,
    "QGemm": 3,
    "QLinearMatMul": 3,
}


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
    """Every product of uint8 with a constant int8 matrix in a file; weights are read one by one."""
    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT8}
    for name, transposed in dict.fromkeys(_matrices(graph)):
        if name in weights:
            matrix = read_initializer(weights[name], path.parent).view(np.int8)
            yield product(name, matrix.T if transposed else matrix)


def _matrices(graph: onnx.GraphProto) -> Iterator[tuple[str, bool]]:
    """(name, whether it is [N, K]) of what products multiply by."""
    for node in graph.node:
        number = _MATRIX_INPUTS.get(node.op_type, len(node.input))
        if number < len(node.input):
            transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            yield node.input[number], transposed


def product(name: str, matrix: NDArray[np.int8]) -> Product:
    """What sums of two products with a matrix [K, N] can come to."""
    ordered = np.sort(matrix.reshape(-1, matrix.shape[-1]), axis=0).astype(np.int32)
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
