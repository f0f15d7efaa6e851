"""An ONNX graph as values and who makes and reads them: what a rewriting has to know before it begins.

onnx.ModelProto (weights may lie outside of it) --ValueGraph--> nodes in order, kinds of values, makers, readers
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto

from interlingua.base.errors import ExportError
from interlingua_exporter.graphs.onnx.value_kinds import element_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FLOAT = TensorProto.FLOAT
STANDARD = ("", "ai.onnx")

_GRAPHS = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)


class ValueGraph:
    """The nodes of one graph, in the order in which they run.

    Attributes:
        initializers: by name.
        opset: the version of the standard operators.
        kinds: ONNX's number of each value's element type.
        maker: the position of the node that gives a value.
        readers: the positions of the nodes that read it.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        """Raises ExportError: a node has a graph of its own, or gives values of a type that nobody knows."""
        graph = model.graph
        self.nodes = list(graph.node)
        self.initializers = {tensor.name: tensor for tensor in graph.initializer}
        self.opset = next(entry.version for entry in model.opset_import if entry.domain in STANDARD)
        for node in self.nodes:
            if any(attribute.type in _GRAPHS for attribute in node.attribute):
                raise ExportError(f"{node.op_type} {node.name} has a graph of its own: only fp32 is known to be right")
        self.kinds = element_kinds(graph, self.opset)
        self.maker = {value: at for at, node in enumerate(self.nodes) for value in node.output if value}
        self.readers: dict[str, list[int]] = {}
        for at, node in enumerate(self.nodes):
            for value in dict.fromkeys(node.input):
                self.readers.setdefault(value, []).append(at)

    def is_float(self, value: str) -> bool:
        """Whether a value is of floats, in 32 bits."""
        return self.kinds.get(value) == FLOAT

    def readers_of(self, at: int) -> Iterator[int]:
        """The nodes that read what a node gives."""
        return (reader for value in self.nodes[at].output for reader in self.readers.get(value, ()))

    def makers_for(self, at: int) -> Iterator[int]:
        """The nodes that give what a node reads."""
        return (self.maker[value] for value in self.nodes[at].input if value in self.maker)

    def downstream(self, first: Iterable[int]) -> set[int]:
        """The positions in `first`, and those of all nodes that depend on them."""
        reached = set(first)
        for at in range(len(self.nodes)):
            if any(maker in reached for maker in self.makers_for(at)):
                reached.add(at)
        return reached

    def upstream(self, last: Iterable[int]) -> set[int]:
        """The positions in `last`, and those of all nodes that they depend on."""
        reached = set(last)
        for at in range(len(self.nodes) - 1, -1, -1):
            if any(reader in reached for reader in self.readers_of(at)):
                reached.add(at)
        return reached

    def describe(self, value: str) -> str:
        """A value with the nearest weight that has a module's name: torch numbers the others."""
        made = self.maker.get(value)
        queue = deque(self.readers.get(value, ()) if made is None else [made])
        seen = set(queue)
        while queue:
            at = queue.popleft()
            named = (name for name in self.nodes[at].input if "." in name and name in self.initializers)
            if name := next(named, ""):
                return value if name == value else f"{value}, near {name}"
            around = [near for near in (*self.readers_of(at), *self.makers_for(at)) if near not in seen]
            queue.extend(around)
            seen.update(around)
        return value
