"""int8: the rounding itself, and that one text's answer does not depend on the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from interlingua.base.errors import ExportError
from interlingua.served.kinds import WeightBits
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.graphs.onnx.saturation import Product, product, require_exact, saturating
from interlingua_exporter.precision import quantization
from interlingua_exporter.precision.quantization import quantize, quantize_network
from tests.exporter.half_networks import Networks

MATRICES = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(-1e3, 1e3, width=32)
)


def test_by_hand() -> None:
    rounded = quantize(np.array([[1.27, -5.0], [-0.64, 10.0]], np.float32), axis=0)
    np.testing.assert_array_equal(rounded.values, [[127, -64], [-64, 127]])  # -63.5 rounds to the even -64
    np.testing.assert_allclose(rounded.scales, [[0.01, 10 / 127]], rtol=1e-6)


@given(matrix=MATRICES, axis=st.sampled_from([0, 1]))
def test_the_error_is_at_most_half_a_step(matrix: np.ndarray, axis: int) -> None:
    rounded = quantize(matrix, axis=axis)
    step = np.abs(matrix).max(axis=axis, keepdims=True) / 127
    error = np.abs(rounded.values.astype(np.float64) * rounded.scales - matrix)
    assert (error <= step * 0.5001 + 1e-6).all()


@given(matrix=MATRICES)
def test_seven_bits_stay_within_63(matrix: np.ndarray) -> None:
    rounded = quantize(matrix, axis=0, levels=63)
    assert np.abs(rounded.values.astype(int)).max() <= 63
    step = np.abs(matrix).max(axis=0, keepdims=True) / 63
    assert (np.abs(rounded.values.astype(np.float64) * rounded.scales - matrix) <= step * 0.5001 + 1e-6).all()


def test_sums_of_two_products_by_hand() -> None:
    matrix = np.array([[63, 127, -127], [63, 1, -2], [-63, 0, 100], [-63, 1, -1]], np.int8)
    # Column 0: 255 x (63 + 63) and its negative. Column 1: 255 x (127 + 1) = 32,640. Column 2: -255 x (127 + 2).
    assert product("w", matrix[:, :1]) == Product("w", -32_130, 32_130)
    assert product("w", matrix[:, 1:2]) == Product("w", 0, 32_640)
    assert product("w", matrix) == Product("w", -32_895, 32_640)
    assert [product("w", matrix[:, part]).saturates for part in (slice(0, 2), slice(2, 3))] == [False, True]
    assert product("w", np.full((1, 2), 127, np.int8)).highest == 255 * 127  # one row has no neighbour


@pytest.mark.parametrize(("bits", "names"), [(7, []), (8, ["constant_0_q8"])])
def test_what_was_written_is_checked(tmp_path: Path, bits: WeightBits, names: list[str]) -> None:
    weights = np.random.default_rng(1).normal(size=(300, 40)).astype(np.float32)
    path = quantize_network(product_network(tmp_path, weights), tmp_path, bits)
    assert [one.name for one in saturating(path)] == names
    if names:
        with pytest.raises(ExportError, match=r"1 int8 products can saturate .*constant_0_q8.*--weight-bits 7"):
            require_exact(path)


def written(folder: Path, nodes: list[onnx.NodeProto], *, activation: int = onnx.TensorProto.UINT8) -> Path:
    """A graph over x [4] or [1, 4, 3] with int8 weights `w` of 127 in whatever shape its nodes want, in a file."""
    shape = ["n", 4, 3] if nodes[0].op_type == "ConvInteger" else ["n", 4]
    weights = np.full((2, 4, 1) if nodes[0].op_type == "ConvInteger" else (4, 2), 127, np.int8)
    constants = {"w": weights, "v": weights[:, 0], "one": np.float32(1), "u0": np.uint8(128), "s0": np.int8(0)}
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", activation, shape)],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.INT32, None)],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    path = folder / "foreign.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)]), path)
    return path


NODE = onnx.helper.make_node
QDQ = [
    NODE("DequantizeLinear", ["x", "one", "u0"], ["a"]),
    NODE("DequantizeLinear", ["w", "one", "s0"], ["b"]),
    NODE("MatMul", ["a", "b"], ["y"]),
]
CONSTANT = [
    NODE("Constant", [], ["c"], value=onnx.numpy_helper.from_array(np.full((4, 2), 127, np.int8))),
    NODE("MatMulInteger", ["x", "c"], ["y"]),
]


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        (QDQ, ["w"]),
        (CONSTANT, ["c"]),
        ([NODE("MatMulInteger", ["x", "v"], ["y"])], ["v"]),
        ([NODE("ConvInteger", ["x", "w"], ["y"])], ["w"]),
    ],
    ids=["QDQ", "constant node", "vector", "convolution"],
)
def test_graphs_of_other_tools_are_read(tmp_path: Path, nodes: list[onnx.NodeProto], names: list[str]) -> None:
    assert [one.name for one in saturating(written(tmp_path, nodes))] == names


def test_int8_activations_are_exact(tmp_path: Path) -> None:
    """Both sides signed: other instructions, which add in 32 bits."""
    path = written(tmp_path, [NODE("MatMulInteger", ["x", "w"], ["y"])], activation=onnx.TensorProto.INT8)
    assert saturating(path) == []


def test_an_export_whose_weights_could_saturate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(quantization._PRODUCT_LEVELS, 7, 65)  # 2 x 255 x 65 = 33,150
    with pytest.raises(ExportError, match="sums of -33150 to 33150"):
        quantize_network(product_network(tmp_path, np.array([[1, -1]] * 9, np.float32)), tmp_path)


def test_the_largest_products_are_exact_integers_on_this_cpu(tmp_path: Path) -> None:
    """What would saturate first: activations at both ends beside weights of one sign; any CPU that runs this test."""
    signs = np.random.default_rng(2).choice([-1, 1], size=(256, 48))
    weights = np.concatenate([np.ones((256, 8)), -np.ones((256, 8)), signs], axis=1).astype(np.float32)
    session = OnnxSession(quantize_network(product_network(tmp_path, weights), tmp_path), threads=1)
    x = np.concatenate([np.ones((2, 256)), np.random.default_rng(3).choice([-1, 1], size=(6, 256))]).astype(np.float32)
    whole = np.rint(127 * x) @ (63 * weights)
    np.testing.assert_allclose(session.run({"x": x}), whole / 127 / 63, rtol=1e-5, atol=1e-5)  # type: ignore[dict-item]


def product_network(folder: Path, weights: np.ndarray) -> Path:
    """y = x W as an ONNX file."""
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", weights.shape[0]])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", weights.shape[1]])
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "g", [x], [y], [onnx.numpy_helper.from_array(weights, "w")])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)
    path = folder / "product.onnx"
    onnx.save(model, path)
    return path


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), spread=st.floats(1e-3, 1e3))
def test_a_product_is_what_integers_give(tmp_path_factory: pytest.TempPathFactory, seed: int, spread: float) -> None:
    """Against the same rounding in numpy: rows of very different size each have their own scale."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(24, 10)).astype(np.float32)
    x = (generator.normal(size=(5, 24)) * np.array([[1], [spread], [1], [0], [1e-4]])).astype(np.float32)
    folder = tmp_path_factory.mktemp("product")
    session = OnnxSession(quantize_network(product_network(folder, weights), folder), threads=1)
    columns = np.abs(weights).max(axis=0) / 63
    rows = np.maximum(np.abs(x).max(axis=1, keepdims=True), 1e-9)
    whole = np.rint(127 * x.astype(np.float64) / rows) @ np.rint(weights / columns)
    answer = session.run({"x": x})  # type: ignore[dict-item]
    # An element that lies within float rounding of a half may go either way: one step of one weight.
    step = rows / 127 * np.abs(weights).max()
    error = np.abs(answer - whole * columns * rows / 127)
    assert (error <= 1.01 * step).all()
    assert np.median(error / step) < 1e-4
    np.testing.assert_array_equal(answer[3], 0)
    alone = np.concatenate([session.run({"x": row[None]}) for row in x])  # type: ignore[dict-item]
    np.testing.assert_allclose(alone, answer, rtol=1e-5, atol=1e-9)


def test_a_network_shrinks_and_stays_close(networks: Networks, tmp_path: Path) -> None:
    full = networks.full("bert")
    small = quantize_network(full.file, tmp_path)
    kinds = {node.op_type for node in onnx.load(small).graph.node}
    assert {"MatMulIntegerToFloat", "Gelu"} <= kinds
    assert "Erf" not in kinds
    encoder = full.checkpoint.text_encoder()
    batch = encoder.collate(encoder.encode(["a word", "und noch etwas mehr als das"]), full.checkpoint.inputs)
    pair = [OnnxSession(path, threads=1).run(batch) for path in (full.file, small)]
    assert (pair[0] * pair[1]).sum(axis=1).min() > 0.99
