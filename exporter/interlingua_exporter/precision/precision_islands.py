"""Which nodes of a network may run in half precision, and which stay in fp32.

ValueGraph --islands--> reason by node: norm, softmax, pooling and head, index and mask, no kernel; the rest is half

    embedding tables, products, attention's two products, activations, copies          half
    LayerNorm / RMSNorm with all their parts, softmax with mask and scale before it,
    sums that lead to either (so the residual stream), everything after the last norm  fp32
    masks, positions, rotary angles: what does not depend on a looked-up embedding     fp32

LayerNorm of BERT-family models overflows in fp16 (NVIDIA/TensorRT#2466, #3101); a score in half precision ties the best
candidates; positions above 2048 are not whole numbers in fp16, above 256 in bf16.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import onnx

from interlingua.base.errors import ExportError
from interlingua_exporter.graphs.onnx.value_graph import STANDARD, ValueGraph

if TYPE_CHECKING:
    from collections.abc import Iterable

Reason = Literal["norm", "softmax", "residual", "pooling and head", "index and mask", "operator"]

_NORMS = {
    "LayerNormalization",
    "RMSNormalization",
    "SimplifiedLayerNormalization",
    "SkipLayerNormalization",
    "SkipSimplifiedLayerNormalization",
}
_STATISTICS = {"ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL2", "ReduceL1", "ReduceMax", "ReduceMin"}
_OF_STATISTICS = {"Sqrt", "Reciprocal", "Pow", "Exp", "Log"}
_SOFTMAX = {"Softmax", "LogSoftmax"}
_ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Neg", "Abs", "Min", "Max", "Clip", "Where", "Identity"}
_ALWAYS_FULL = _OF_STATISTICS | {"Cast", "CumSum", "Range", "TopK"}


def islands(graph: ValueGraph, kind: str) -> dict[int, Reason]:
    """The nodes that stay in fp32, and why; those without floats are not in it.

    Args:
        kind: ONNX's word for the half precision, `float16` or `bfloat16`: an operator that has no such version stays.

    Raises:
        ExportError: there is no normalization layer, so nothing says where pooling or a head begins.
    """
    return _Islands(graph, kind).find()


def halves(graph: ValueGraph, kept: dict[int, Reason]) -> list[int]:
    """The nodes that compute floats and are not kept."""
    return [
        at
        for at, node in enumerate(graph.nodes)
        if at not in kept and any(graph.is_float(value) for value in (*node.input, *node.output))
    ]


def counts(kept: dict[int, Reason]) -> dict[str, int]:
    """How many nodes stay for each reason."""
    return dict(Counter(kept.values()))


class _Islands:
    def __init__(self, graph: ValueGraph, kind: str) -> None:
        self._graph = graph
        self._kind = kind
        self._kept: dict[int, Reason] = {}

    def find(self) -> dict[int, Reason]:
        nodes = self._graph.nodes
        learned = self._graph.downstream(at for at, node in enumerate(nodes) if self._is_lookup(node))
        self._keep((at for at in range(len(nodes)) if at not in learned), "index and mask")
        norms = [at for at in learned if nodes[at].op_type in _NORMS | {"ReduceMean"}]
        if not norms:
            raise ExportError("the network has no normalization layer: it is not known where its pooling begins")
        before = self._graph.upstream(norms)
        self._keep((at for at in learned if at not in before), "pooling and head")
        self._keep((at for at in learned if nodes[at].op_type in _NORMS), "norm")
        self._keep((at for at in learned if nodes[at].op_type in _SOFTMAX), "softmax")
        self._keep((at for at in learned if nodes[at].op_type in _STATISTICS), "norm")
        self._keep_parts_of_norms()
        self._keep((at for at in learned if nodes[at].op_type == "Pow" and self._only_norms_read(at)), "norm")
        self._keep((at for at in learned if nodes[at].op_type in _ALWAYS_FULL), "operator")
        self._keep((at for at in learned if not self._exists_in_half(nodes[at])), "operator")
        self._keep_what_leads_in()
        return self._kept

    def _keep(self, positions: Iterable[int], reason: Reason) -> None:
        for at in positions:
            node = self._graph.nodes[at]
            if any(self._graph.is_float(value) for value in (*node.input, *node.output)):
                self._kept.setdefault(at, reason)

    def _is_lookup(self, node: onnx.NodeProto) -> bool:
        """Whether a node takes rows of a table of weights."""
        table = self._graph.initializers.get(node.input[0]) if node.op_type == "Gather" else None
        return table is not None and len(table.dims) == 2 and self._graph.is_float(table.name)

    def _keep_parts_of_norms(self) -> None:
        """A norm that is spelt out: x * 1 / sqrt(mean(x^2) + eps) * weight, and whatever shape that takes.

        From a statistic on, what is made of statistics and constants is one too; what it is applied to, and the weight
        and bias after that, belong to the norm.
        """
        graph = self._graph
        statistic: set[str] = set()
        applied: set[str] = set()
        for at, node in enumerate(graph.nodes):
            given = [value for value in node.input if value and not self._is_constant(value)]
            if node.op_type in _STATISTICS and at in self._kept:
                statistic.update(node.output)
            elif node.op_type not in _ELEMENTWISE | _OF_STATISTICS:
                continue
            elif given and all(value in statistic for value in given):
                statistic.update(node.output)
                self._keep([at], "norm")
            elif any(value in statistic for value in given) or (given and all(value in applied for value in given)):
                applied.update(node.output)
                self._keep([at], "norm")

    def _only_norms_read(self, at: int) -> bool:
        return {self._kept.get(reader) for reader in self._graph.readers_of(at)} == {"norm"}

    def _is_constant(self, value: str) -> bool:
        if value in self._graph.initializers:
            return True
        maker = self._graph.maker.get(value)
        return maker is not None and self._graph.nodes[maker].op_type == "Constant"

    def _exists_in_half(self, node: onnx.NodeProto) -> bool:
        """Whether the operator's own definition has this half precision; ONNX Runtime's fused ones all do on GPUs."""
        if node.domain not in STANDARD:
            return True
        floats = [place for place, value in enumerate(node.input) if self._graph.is_float(value)]
        formal = onnx.defs.get_schema(node.op_type, self._graph.opset, "").inputs
        return all(f"tensor({self._kind})" in formal[min(place, len(formal) - 1)].types for place in floats)

    def _keep_what_leads_in(self) -> None:
        """Sums, scales and masks that only fp32 reads: there a cast before them costs what one after them does."""
        for at in range(len(self._graph.nodes) - 1, -1, -1):
            if at in self._kept or self._graph.nodes[at].op_type not in _ELEMENTWISE:
                continue
            nodes = self._graph.nodes
            readers = [self._kept.get(at) for at in self._graph.readers_of(at) if nodes[at].op_type != "Shape"]
            if readers and None not in readers:
                self._keep([at], "softmax" if set(readers) == {"softmax"} else "residual")
