"""The same graph in the same order, whatever order it was traced in.

    nodes in any order --from the output back through the inputs--> nodes, names and constants in one order

transformers' Gemma 3 walks over a set of texts, whose order changes with every Python process; the file's digest, and
with it the version that is published, would change as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

if TYPE_CHECKING:
    from collections.abc import Iterator


def settle_order(graph: onnx.GraphProto) -> None:
    """Order nodes by their first use, number values and constants, in place; nodes that nothing uses are dropped.

    A graph with graphs inside (loops, branches), where names of the outer one may be used, is left as it is.
    """
    if any(attribute.HasField("g") or attribute.graphs for node in graph.node for attribute in node.attribute):
        return
    ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in _by_use(graph)]
    names = _numbered(graph, ordered)
    for node in ordered:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    del graph.node[:]
    graph.node.extend(ordered)
    for constant in graph.initializer:
        constant.name = names.get(constant.name, constant.name)
    used = {name for node in ordered for name in node.input} | {entry.name for entry in graph.output}
    # Those with external data keep their order, for that is the order of the file; sorted() is stable.
    constants = [
        onnx.TensorProto.FromString(constant.SerializeToString())
        for constant in sorted(graph.initializer, key=_rank)
        if constant.name in used
    ]
    del graph.initializer[:]
    graph.initializer.extend(constants)


def _by_use(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node that an output needs, after those whose values it takes."""
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output if name}
    done: set[int] = set()
    waiting = [(makers[entry.name], False) for entry in reversed(graph.output) if entry.name in makers]
    while waiting:
        place, fed = waiting.pop()
        if place in done:
            continue
        if fed:
            done.add(place)
            yield graph.node[place]
            continue
        waiting.append((place, True))
        waiting.extend((makers[name], False) for name in reversed(graph.node[place].input) if name in makers)


def _numbered(graph: onnx.GraphProto, ordered: list[onnx.NodeProto]) -> dict[str, str]:
    """New names: `value_7` for what a node makes, `constant_7` for what is in the file itself."""
    kept = {entry.name for entry in (*graph.input, *graph.output)}
    constants = {constant.name for constant in graph.initializer if _inside(constant)}
    names: dict[str, str] = {}
    for node in ordered:
        for name in node.input:
            if name in constants and name not in names:
                names[name] = f"constant_{len(names)}"
        for name in node.output:
            if name and name not in kept:
                names[name] = f"value_{len(names)}"
    return names


def _rank(constant: onnx.TensorProto) -> tuple[int, str]:
    """The file's own constants in the order of their numbers, after those that lie outside."""
    return (len(constant.name), constant.name) if _inside(constant) else (0, "")


def _inside(constant: onnx.TensorProto) -> bool:
    return constant.data_location != onnx.TensorProto.EXTERNAL
