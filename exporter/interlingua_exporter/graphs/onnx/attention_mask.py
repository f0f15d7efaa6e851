"""The attention mask of an encoder in the form that ONNX Runtime's attention fusion looks for.

    whatever torch wrote --> [n, 1, L, L] bias        becomes        -10000 where attention_mask is 0 --> [n, 1, 1, L]

Padding is hidden from every token in both. Only for a bias that depends on `attention_mask` alone; whether an encoder's
does nothing else with it (a causal one would) is for the gate to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from interlingua.served.graph_names import ATTENTION_MASK
from interlingua_exporter.graphs.onnx.value_graph import ValueGraph

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEVER = -10000.0  # what the fused operator adds, too
_PREFIX = "interlingua_mask"


def canonical_mask(model: onnx.ModelProto) -> bool:
    """Rewrite the mask in place; whether there was one to rewrite."""
    graph = ValueGraph(model)
    biases = {value for at, node in enumerate(graph.nodes) if node.op_type == "Softmax" for value in _added(graph, at)}
    if not biases or not all(_inputs_of(graph, value) == {ATTENTION_MASK} for value in biases):
        return False
    first = min(graph.maker[value] for value in biases)
    nodes, weights, result = _mask()
    for node in model.graph.node:
        node.input[:] = [result if value in biases else value for value in node.input]
    kept = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*kept[:first], *nodes, *kept[first:]])
    model.graph.initializer.extend(weights)
    return True


def _added(graph: ValueGraph, softmax: int) -> list[str]:
    """What is added to scores before a softmax: the value that no weight leads to."""
    made = graph.maker.get(graph.nodes[softmax].input[0])
    if made is None or graph.nodes[made].op_type != "Add":
        return []
    return [value for value in graph.nodes[made].input if _inputs_of(graph, value) <= {ATTENTION_MASK}]


def _inputs_of(graph: ValueGraph, value: str) -> set[str]:
    """The graph's inputs that a value depends on."""
    if value not in graph.maker:
        return set() if value in graph.initializers else {value}
    ancestors = graph.upstream([graph.maker[value]])
    read = {name for at in ancestors for name in graph.nodes[at].input if name}
    return {name for name in read if name not in graph.maker and name not in graph.initializers}


def _mask() -> tuple[list[onnx.NodeProto], list[onnx.TensorProto], str]:
    """The nodes that the optimizer's matcher wants, the one that changes nothing (Expand) included."""
    constants: dict[str, NDArray[Any]] = {
        "axis_1": np.array([1], np.int64),
        "axis_2": np.array([2], np.int64),
        "shape": np.array([1, 1, 1, 1], np.int64),
        "one": np.array(1, np.int64),
        "never": np.array(_NEVER, np.float32),
        "zero": np.array(0, np.float32),
    }
    names = {name: f"{_PREFIX}_{name}" for name in constants}
    steps = [f"{_PREFIX}_{number}" for number in range(6)]
    nodes = [
        helper.make_node("Unsqueeze", [ATTENTION_MASK, names["axis_1"]], [steps[0]]),
        helper.make_node("Unsqueeze", [steps[0], names["axis_2"]], [steps[1]]),
        helper.make_node("Expand", [steps[1], names["shape"]], [steps[2]]),
        helper.make_node("Sub", [names["one"], steps[2]], [steps[3]]),
        helper.make_node("Cast", [steps[3]], [steps[4]], to=TensorProto.BOOL),
        helper.make_node("Where", [steps[4], names["never"], names["zero"]], [steps[5]]),
    ]
    weights = [numpy_helper.from_array(value, names[name]) for name, value in constants.items()]
    return nodes, weights, steps[5]
