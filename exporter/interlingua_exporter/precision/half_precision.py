"""fp16 and bf16: weights and large products in half precision, the sensitive nodes in fp32, casts between them.

    model.onnx, fp32 --islands--> nodes that stay --casts, halved weights--> model.onnx + model.onnx.data, half the size

Inputs stay int64, the output fp32. The precision lies in the graph: TensorRT 11 has no flag for it. ONNX Runtime's own
converter (onnxruntime.transformers.float16) has no bf16, clamps what overflows without a word, and holds all weights in
memory; tests/exporter/test_half_precision.py compares this one with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper

from interlingua.base.errors import ExportError
from interlingua.served.graph_names import DATA_FILE, MODEL_FILE
from interlingua_exporter.graphs.onnx.external_data import ExternalData, read_initializer
from interlingua_exporter.graphs.onnx.value_graph import FLOAT, ValueGraph
from interlingua_exporter.precision.precision_islands import counts, halves, islands

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Half = Literal["fp16", "bf16"]


@dataclass(frozen=True)
class HalfFormat:
    """A half precision.

    Attributes:
        word: ONNX's.
        number: ONNX's.
        largest: finite value.
    """

    word: str
    number: int
    dtype: Any
    largest: float


FORMATS: dict[Half, HalfFormat] = {
    "fp16": HalfFormat("float16", TensorProto.FLOAT16, np.float16, 65504.0),
    "bf16": HalfFormat("bfloat16", TensorProto.BFLOAT16, ml_dtypes.bfloat16, 3.3895313892515355e38),
}


@dataclass(frozen=True)
class Halved:
    """What became of a network.

    Attributes:
        half: nodes in half precision.
        full: nodes that stayed in fp32, by reason (interlingua_exporter/precision/precision_islands.py).
    """

    path: Path
    half: int
    full: dict[str, int]


def halve_network(source: Path, folder: Path, half: Half) -> Halved:
    """An fp32 `model.onnx` in half precision, in `folder`.

    Raises:
        ExportError: a weight is out of the format's range (named), or the graph is one that cannot be told apart.
    """
    form = FORMATS[half]
    model = onnx.load(source, load_external_data=False)
    graph = ValueGraph(model)
    kept = islands(graph, form.word)
    half_nodes = set(halves(graph, kept))
    with ExternalData(folder / DATA_FILE) as data:
        _Halving(model.graph, graph, half_nodes, form, source.parent, data).rewrite()
    path = folder / MODEL_FILE
    path.write_bytes(model.SerializeToString(deterministic=True))
    return Halved(path, len(half_nodes), counts(kept))


def rounded(name: str, values: NDArray[np.float32], form: HalfFormat) -> NDArray[Any]:
    """Weights in half precision, to the nearest. Raises ExportError: one is finite, and too large."""
    with np.errstate(over="ignore"):
        small: NDArray[Any] = values.astype(form.dtype)
    if (np.isinf(small) & np.isfinite(values)).any():
        largest = float(np.abs(values[np.isfinite(values)]).max())
        raise ExportError(
            f"weight {name} reaches {largest:.4g}, {form.word} ends at {form.largest:.5g}: export in bf16 or fp32"
        )
    return small


class _Halving:
    """Rewrites one graph in place and moves every weight to the new data file."""

    def __init__(
        self,
        graph: onnx.GraphProto,
        values: ValueGraph,
        half: set[int],
        form: HalfFormat,
        folder: Path,
        data: ExternalData,
    ) -> None:
        self._graph = graph
        self._values = values
        self._half = half
        self._form = form
        self._folder = folder
        self._data = data
        self._stored: dict[str, onnx.TensorProto] = {}
        self._casts: set[str] = set()
        self._nodes: list[onnx.NodeProto] = []

    def rewrite(self) -> None:
        for at, node in enumerate(self._values.nodes):
            wants_half = at in self._half
            node.input[:] = [self._input(value, wants_half) for value in node.input]
            self._nodes.append(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        del self._graph.initializer[:]
        self._graph.initializer.extend(self._stored.values())

    def _input(self, value: str, wants_half: bool) -> str:
        """The name under which a node reads a value: as it is, or cast."""
        if value in self._values.initializers:
            return self._weight(value, wants_half and self._values.is_float(value))
        if not self._values.is_float(value) or wants_half == (self._values.maker.get(value) in self._half):
            return value
        return self._cast(value, wants_half)

    def _cast(self, value: str, to_half: bool) -> str:
        word, number = (self._form.word, self._form.number) if to_half else ("float32", FLOAT)
        name = f"{value}_{word}"
        if name not in self._casts:
            self._casts.add(name)
            self._nodes.append(helper.make_node("Cast", [value], [name], name=f"Cast_to_{name}", to=number))
        return name

    def _weight(self, value: str, in_half: bool) -> str:
        """A weight that both read is stored twice: what fp32 reads is exact."""
        name = f"{value}_{self._form.word}" if in_half else value
        if name not in self._stored:
            array = read_initializer(self._values.initializers[value], self._folder)
            if in_half:
                array = rounded(self._values.describe(value), array, self._form)
            self._stored[name] = self._data.tensor(name, array)
        return name
