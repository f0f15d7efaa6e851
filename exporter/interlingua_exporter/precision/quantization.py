"""int8 for CPUs: weights in one byte, activations rounded per token while the network runs.

    MatMul(x [.., K], W [K, N])  -->  scale[row] = max |x[row]|;  q = round(127 x / scale) + 128        uint8
                                      y = (q - 128) . Wq (int8 product, int32 sums) * scale[column] / 127 * scale[row]
    Gather(table [V, D], ids)    -->  float(Gather(table_q, ids)) * Gather(scale, ids)
    x / sqrt 2, Erf, + 1, / 2, * x  -->  Gelu(x), which is 8% of the whole network's time

ONNX Runtime's own dynamic quantization takes one scale for the whole activation tensor, so a text's embedding
depends on its batch neighbours and on the padding (up to 0.024 in one value, cosine 0.993, with
multilingual-e5-small). Here every token has its own scale: a text's answer is the same alone and in any batch up to
float rounding (4e-7), which the gate bounds, and closer to fp32 (cosine 0.999 instead of 0.997), at the same speed.

x86 CPUs without VNNI cut the sum of two uint8 x int8 products to 16 bits. The matrices of products therefore have 7
bits (values within +-63) unless 8 are asked for: no sum passes 2 x 255 x 63 = 32,130, and the file means the same on
every CPU. saturation.py holds that against what was written. Lookup tables are not multiplied and keep 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

from interlingua.served.graph_names import DATA_FILE, MODEL_FILE
from interlingua.served.kinds import EXACT_BITS, WeightBits
from interlingua_exporter.graphs.onnx.external_data import ExternalData, read_initializer
from interlingua_exporter.graphs.onnx.fusion import join_gelu
from interlingua_exporter.graphs.onnx.saturation import require_exact

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_CONTRIB = "com.microsoft"
_LEVELS = 127  # of activations and lookup tables
_PRODUCT_LEVELS: dict[WeightBits, int] = {7: 63, 8: 127}
_SMALLEST_TABLE = 1 << 20  # values; a smaller Gather table (positions, types) stays fp32


@dataclass(frozen=True)
class QuantizedMatrix:
    """int8 values and the float32 scale of each column or row: matrix ~ values * scales."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]


def quantize(matrix: NDArray[np.float32], *, axis: int, levels: int = _LEVELS) -> QuantizedMatrix:
    """Symmetric int8 with one scale for each slice along `axis` (0: a scale a column, 1: a scale a row).

    The values lie within +-levels; the largest error is half a step: max |slice| / levels / 2.
    """
    largest = np.maximum(matrix.max(axis=axis, keepdims=True), -matrix.min(axis=axis, keepdims=True))
    steps = largest / np.float32(levels)
    scales = np.where(steps > np.finfo(np.float32).tiny, steps, np.float32(1))  # nothing but zeros: any scale will do
    # In place: an embedding table is the largest thing in memory, and one copy of it is enough.
    scaled = matrix / scales
    np.rint(scaled, out=scaled)
    np.clip(scaled, -levels, levels, out=scaled)
    return QuantizedMatrix(scaled.astype(np.int8), scales.astype(np.float32))


def quantize_network(source: Path, folder: Path, bits: WeightBits = EXACT_BITS) -> Path:
    """An fp32 `model.onnx` as int8: the path of the new one in `folder`.

    Every product with a constant matrix and every large lookup table is quantized; layer norms, softmax,
    attention products and pooling stay fp32.

    Args:
        bits: of the matrices of products, sign included; 8 is exact on CPUs with VNNI and on Arm alone.

    Raises:
        ExportError: with 7 bits, a sum of two products in the written file would not fit 16 bits.
    """
    model = onnx.load(source, load_external_data=False)
    join_gelu(model)
    with ExternalData(folder / DATA_FILE) as data:
        _Rewriter(model.graph, source.parent, data, _PRODUCT_LEVELS[bits]).rewrite()
    if all(entry.domain != _CONTRIB for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
    path = folder / MODEL_FILE
    path.write_bytes(model.SerializeToString(deterministic=True))
    if bits == EXACT_BITS:
        require_exact(path)
    return path


class _Rewriter:
    """Replaces nodes of one graph in place and moves every weight to the new data file."""

    def __init__(self, graph: onnx.GraphProto, folder: Path, data: ExternalData, levels: int) -> None:
        self._levels = levels
        self._graph = graph
        self._folder = folder
        self._data = data
        self._weights = {initializer.name: initializer for initializer in graph.initializer}
        self._kept: dict[str, onnx.TensorProto] = {}
        self._rounded: dict[str, tuple[str, str]] = {}
        self._nodes: list[onnx.NodeProto] = []

    def rewrite(self) -> None:
        for name, value in (
            ("q8_step", np.array(1 / _LEVELS, np.float32)),
            ("q8_zero", np.array(128, np.uint8)),
            ("q8_axis", np.array([-1], np.int64)),
            ("q8_smallest", np.array(1e-9, np.float32)),
        ):
            self._kept[name] = numpy_helper.from_array(value, name)
        for node in self._graph.node:
            if node.op_type == "MatMul" and self._is_matrix(node.input[1]):
                self._rewrite_product(node)
            elif node.op_type == "Gather" and self._is_table(node):
                self._rewrite_lookup(node)
            else:
                self._keep(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        del self._graph.initializer[:]
        self._graph.initializer.extend(self._kept.values())

    def _is_matrix(self, name: str) -> bool:
        return name in self._weights and len(self._weights[name].dims) == 2

    def _is_table(self, node: onnx.NodeProto) -> bool:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
        name = node.input[0]
        return axis == 0 and self._is_matrix(name) and int(np.prod(self._weights[name].dims)) >= _SMALLEST_TABLE

    def _keep(self, node: onnx.NodeProto) -> None:
        self._nodes.append(node)
        for name in node.input:
            if name in self._weights and name not in self._kept:
                self._add(name, read_initializer(self._weights[name], self._folder))

    def _add(self, name: str, array: NDArray[np.generic]) -> str:
        if name not in self._kept:
            self._kept[name] = self._data.tensor(name, array)
        return name

    def _node(self, kind: str, inputs: list[str], output: str, domain: str = "") -> str:
        extra = {"keepdims": 1} if kind == "ReduceMax" else {"to": onnx.TensorProto.FLOAT} if kind == "Cast" else {}
        name = f"{kind}_q{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], name=name, domain=domain, **extra))
        return output

    def _round_rows(self, x: str) -> tuple[str, str]:
        """Nodes that give uint8 [.., K] and the scales [.., 1] of an activation, once for all who read it."""
        if x not in self._rounded:
            size = self._node("ReduceMax", [self._node("Abs", [x], f"{x}_abs"), "q8_axis"], f"{x}_max")
            scale = self._node("Max", [size, "q8_smallest"], f"{x}_scale")
            unit = self._node("Div", [x, scale], f"{x}_unit")
            self._rounded[x] = (self._node("QuantizeLinear", [unit, "q8_step", "q8_zero"], f"{x}_q8"), scale)
        return self._rounded[x]

    def _rewrite_product(self, node: onnx.NodeProto) -> None:
        x, name = node.input
        q8, row_scale = self._round_rows(x)
        matrix = quantize(read_initializer(self._weights[name], self._folder), axis=0, levels=self._levels)
        values = self._add(f"{name}_q8", matrix.values)
        scales = self._add(f"{name}_scale", matrix.scales.reshape(-1))
        inputs = [q8, values, "q8_step", scales, "q8_zero"]
        product = self._node("MatMulIntegerToFloat", inputs, f"{node.output[0]}_unit", _CONTRIB)
        self._node("Mul", [product, row_scale], node.output[0])

    def _rewrite_lookup(self, node: onnx.NodeProto) -> None:
        name, ids = node.input
        table = quantize(read_initializer(self._weights[name], self._folder), axis=1)
        rows = self._node("Gather", [self._add(f"{name}_q8", table.values), ids], f"{node.output[0]}_q8")
        scale = self._node("Gather", [self._add(f"{name}_scale", table.scales), ids], f"{node.output[0]}_scale")
        self._node("Mul", [self._node("Cast", [rows], f"{node.output[0]}_float"), scale], node.output[0])
