"""One graph, however it was traced: order, names and constants by hand, and the values that it computes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from interlingua_exporter.graphs.onnx.node_order import settle_order

STEPS = {
    "cos": helper.make_node("Cos", ["x"], ["a"]),
    "sin": helper.make_node("Sin", ["x"], ["b"]),
    "shift": helper.make_node("Add", ["b", "one"], ["c"]),
    "scale": helper.make_node("Mul", ["a", "two"], ["d"]),
    "sum": helper.make_node("Sub", ["d", "c"], ["y"]),
    "unused": helper.make_node("Neg", ["a"], ["nobody"]),
}


def model(order: Sequence[str], constants: Sequence[str]) -> onnx.ModelProto:
    """y = 2 cos(x) - (sin(x) + 1), traced in some order."""
    values = {"one": 1.0, "two": 2.0, "left over": 3.0}
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [STEPS[name] for name in order],
        "g",
        [info("x", 1, ["n"])],
        [info("y", 1, ["n"])],
        [numpy_helper.from_array(np.array([values[name]], np.float32), name) for name in constants],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_two_orders_become_one_and_compute_the_same() -> None:
    first = model(["cos", "sin", "shift", "scale", "sum", "unused"], ["one", "two", "left over"])
    second = model(["sin", "shift", "cos", "unused", "scale", "sum"], ["left over", "two", "one"])
    for made in (first, second):
        settle_order(made.graph)
        onnx.checker.check_model(made, full_check=True)
    assert first.SerializeToString() == second.SerializeToString()
    # From y back: Sub takes the product first, and that takes the cosine and the 2.
    assert [node.op_type for node in first.graph.node] == ["Cos", "Mul", "Sin", "Add", "Sub"]
    assert [constant.name for constant in first.graph.initializer] == ["constant_1", "constant_4"]
    x = np.array([0.0, 1.0], np.float32)
    session = ort.InferenceSession(first.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": x})[0], 2 * np.cos(x) - (np.sin(x) + 1), rtol=1e-6)


def test_a_graph_with_branches_is_left_alone() -> None:
    made = model(["cos", "sin", "shift", "scale", "sum"], ["one", "two"])
    branch = helper.make_graph(
        [helper.make_node("Neg", ["a"], ["z"])], "b", [], [helper.make_tensor_value_info("z", 1, ["n"])]
    )
    made.graph.node.append(helper.make_node("If", ["flag"], ["w"], then_branch=branch, else_branch=branch))
    before = made.SerializeToString()
    settle_order(made.graph)
    assert made.SerializeToString() == before
