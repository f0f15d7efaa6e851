"""The products of a network with its weights: found, and each multiplied as numpy multiplies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from interlingua_benchmarks.in_process_limit import cpu_session
from interlingua_benchmarks.product_roof import products, products_rate
from interlingua_exporter.precision.quantization import quantize, quantize_network

GENERATOR = np.random.default_rng(5)
WIDEN, ALSO_WIDEN = (GENERATOR.normal(size=(6, 8)).astype(np.float32) for _ in range(2))
NARROW = GENERATOR.normal(size=(8, 4)).astype(np.float32)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """h = x A + x B;  s = h h^T;  y = s h C: three products with weights, and two of activations alone."""
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["left"]),
        helper.make_node("MatMul", ["x", "b"], ["right"]),
        helper.make_node("Add", ["left", "right"], ["h"]),
        helper.make_node("Transpose", ["h"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["h", "turned"], ["s"]),
        helper.make_node("MatMul", ["s", "h"], ["mixed"]),
        helper.make_node("MatMul", ["mixed", "c"], ["y"]),
    ]
    weights = {"a": WIDEN, "b": ALSO_WIDEN, "c": NARROW}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def test_products_in_fp32(network: Path) -> None:
    found = products(network)
    assert [(one.operator, one.inputs, one.outputs, one.count) for one in found] == [
        ("MatMul", 6, 8, 2),
        ("MatMul", 8, 4, 1),
    ]
    for one, weights in zip(found, (WIDEN, NARROW), strict=True):
        x = one.activations(3)
        assert (x.shape, x.dtype) == ((3, one.inputs), np.float32)
        (y,) = cpu_session(one.model, threads=1).run(None, {"x": x})
        np.testing.assert_allclose(y, x @ weights, rtol=1e-4)


def test_products_in_int8(network: Path, tmp_path: Path) -> None:
    (tmp_path / "int8").mkdir()
    found = products(quantize_network(network, tmp_path / "int8"))
    assert [(one.operator, one.inputs, one.outputs, one.count) for one in found] == [
        ("MatMulIntegerToFloat", 6, 8, 2),
        ("MatMulIntegerToFloat", 8, 4, 1),
    ]
    for one, weights in zip(found, (WIDEN, NARROW), strict=True):
        x = one.activations(3)
        assert x.dtype == np.uint8
        (y,) = cpu_session(one.model, threads=1).run(None, {"x": x})
        rounded = quantize(weights, axis=0, levels=63)
        whole = (x.astype(np.int64) - 128) @ rounded.values.astype(np.int64)
        np.testing.assert_allclose(y, whole * rounded.scales / 127, rtol=1e-5)


def test_a_rate_comes_out_of_both_precisions(network: Path, tmp_path: Path) -> None:
    """No text costs nothing, and none takes forever; how fast it is here is not for a test to say."""
    (tmp_path / "int8").mkdir()
    for one in (network, quantize_network(network, tmp_path / "int8")):
        assert 1 < products_rate(one, [[1, 2, 3], [4]], cores=2) < 1e12
