"""fp16 and bf16: what stays in fp32, how far answers are from torch, and what is out of range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from interlingua.base.errors import ExportError
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.graphs.onnx.external_data import ExternalData
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.graphs.onnx.value_kinds import element_kinds
from interlingua_exporter.precision.build import build
from interlingua_exporter.precision.half_precision import FORMATS, Half, halve_network, rounded
from tests.exporter.half_networks import Network, Networks

HALVES: tuple[Half, ...] = ("fp16", "bf16")
UNIT_ROUNDOFF = {"fp16": 2.0**-11, "bf16": 2.0**-9}
IN_FULL = {"LayerNormalization", "Softmax", "ReduceMean", "ReduceSum", "ReduceL2", "Sqrt", "Reciprocal", "Pow", "Cos"}

# Products with weights, and attention's two, in the two layers of each tiny network; the head's and the pooling's are
# not among them. BERT: query, key, value, output, two of the feed-forward layer; Qwen3 has three there.
PRODUCTS = {"bert": 2 * (6 + 2), "cross encoder": 2 * (6 + 2), "qwen3": 2 * (7 + 2)}
CASES = [(name, half) for name in PRODUCTS for half in HALVES]


@pytest.fixture(params=CASES, ids=[" in ".join(case) for case in CASES])
def case(request: pytest.FixtureRequest, networks: Networks) -> tuple[str, Half, Network]:
    name, half = request.param
    return name, half, networks.half(name, half)


def inferred(model: onnx.ModelProto) -> dict[str, int]:
    """Element types as onnx infers them, of the values it can tell; raises where an operator is given a wrong one."""
    graph = onnx.shape_inference.infer_shapes(model, check_type=True).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    return kinds | {
        value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info, *graph.output)
    }


def test_the_islands_are_fp32_and_the_products_are_not(case: tuple[str, Half, Network]) -> None:
    name, half, network = case
    model = network.model
    kinds = inferred(model)
    assert len(kinds) > 0.9 * len(model.graph.node)
    number = FORMATS[half].number
    products = []
    for node in model.graph.node:
        floats = {kinds.get(value) for value in (*node.input, *node.output)} & {TensorProto.FLOAT, number}
        assert node.op_type == "Cast" or len(floats) < 2, node.op_type
        assert node.op_type not in IN_FULL or number not in floats, node.op_type
        products += [node] if node.op_type in ("MatMul", "Gemm") and floats == {number} else []
    assert len(products) == PRODUCTS[name]
    assert {kinds[value.name] for value in model.graph.input} == {TensorProto.INT64}
    assert [kinds[value.name] for value in model.graph.output] == [TensorProto.FLOAT]


def test_own_types_are_those_that_onnx_infers(case: tuple[str, Half, Network]) -> None:
    model = case[2].model
    ours = element_kinds(model.graph, 18)
    for value, kind in inferred(model).items():
        assert ours[value] == kind, value


def test_a_head_stays_exact(networks: Networks) -> None:
    """XLM-R's classifier, a dense layer and one row: bit for bit what torch has; an inner weight is stored in half."""
    network = networks.half("cross encoder", "fp16")
    stored = [numpy_helper.to_array(tensor) for tensor in onnx.load(network.file).graph.initializer]
    full = [array for array in stored if array.dtype == np.float32]
    state = {name: values.numpy() for name, values in network.checkpoint.graph.state_dict().items()}
    inner = next(name for name in state if name.endswith("layer.1.output.dense.weight"))
    heads = [name for name in state if "classifier.classifier." in name and name.endswith("weight")]
    assert len(heads) == 2
    for name in heads:
        assert any(np.array_equal(array, state[name]) or np.array_equal(array, state[name].T) for array in full), name
    assert not any(np.array_equal(array, state[inner].T) for array in full)
    assert any(np.array_equal(array, state[inner].T.astype(np.float16)) for array in stored)


def test_most_of_the_bytes_are_gone(case: tuple[str, Half, Network], networks: Networks) -> None:
    name, _, network = case
    before, after = (
        sum(path.stat().st_size for path in each.folder.glob("*.data")) for each in (networks.full(name), network)
    )
    assert after < 0.8 * before  # every tensor starts on a page of its own, which tiny ones do not fill


def amplification(network: Network) -> float:
    """How much a relative error of the final states can grow on the way to a score, over the spread of the scores.

    XLM-R: score = w tanh(W h + b) + c, and |tanh'| <= 1: |d score| <= |w| |W| |d h|; h comes out of a LayerNorm with
    weight 1 and bias 0 and has the length sqrt(32). An embedding is a mean of states, or one.
    """
    if network.checkpoint.spec.role == "embedder":
        return 1.0
    state = {name: values.numpy() for name, values in network.checkpoint.graph.state_dict().items()}
    row, dense = (
        next(state[name] for name in state if name.endswith(f"classifier.{part}.weight"))
        for part in ("out_proj", "dense")
    )
    return float(np.linalg.norm(row) * np.linalg.norm(dense, 2) * np.sqrt(32) / network.torch().std())


def test_answers_are_within_the_rounding_of_torchs(case: tuple[str, Half, Network]) -> None:
    """About 12 values on the longest way through a layer are rounded, by at most u: 24 in two layers, 2 before them.

    Were all of these errors of one sign, it would be 26 u of the final states; errors of random sign stay far below.
    Nothing below u / 16 is half precision.
    """
    _, half, network = case
    errors = network.errors(network.answers())
    assert errors.max() < 26 * UNIT_ROUNDOFF[half] * amplification(network)
    assert errors.max() > UNIT_ROUNDOFF[half] / 16


def test_the_file_itself_runs_where_onnx_runtime_has_kernels(networks: Networks) -> None:
    network = networks.half("bert", "fp16")
    assert network.errors(network.answers(emulate=False)).max() < 26 * UNIT_ROUNDOFF["fp16"]
    with pytest.raises(ExportError, match="does not load in ONNX Runtime"):
        networks.half("bert", "bf16").answers(emulate=False)


@pytest.mark.parametrize("name", PRODUCTS)
def test_it_is_not_worse_than_onnx_runtimes_own_converter(networks: Networks, tmp_path: Path, name: str) -> None:
    """That one keeps next to nothing in fp32, so it is the further from torch; half as much again is left to chance."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    full = networks.full(name)
    theirs = convert_float_to_float16(onnx.load(full.file), keep_io_types=True)
    onnx.save(theirs, tmp_path / "model.onnx")
    other = Network(full.checkpoint, tmp_path)
    ours = networks.half(name, "fp16")
    assert np.median(ours.errors(ours.answers())) < 1.5 * np.median(other.errors(other.answers()))


def test_it_passes_the_gate(case: tuple[str, Half, Network]) -> None:
    _, half, network = case
    report = gate_network(network.checkpoint, half, network.folder, 1)
    assert len(report.agreements) == report.languages >= 12
    assert all(language.passed for language in report.agreements)
    assert report.arithmetic.startswith(f"{half} emulated in fp32")


def test_the_same_network_gives_the_same_bytes(networks: Networks, tmp_path: Path) -> None:
    halve_network(networks.full("bert").file, tmp_path, "bf16")
    for path in networks.half("bert", "bf16").folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def small_network(folder: Path, table: np.ndarray, weights: np.ndarray) -> Path:
    """LayerNorm(table[ids] @ weights), as an ONNX file."""
    width = weights.shape[1]
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["product"]),
        helper.make_node("LayerNormalization", ["product", "scale"], ["y"]),
    ]
    arrays = {"table": table, "weights": weights, "scale": np.ones(width, np.float32)}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", width])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, folder / "small.onnx")
    return folder / "small.onnx"


@pytest.mark.parametrize("half", HALVES)
def test_a_network_by_hand(tmp_path: Path, half: Half) -> None:
    """Table, weights and product rounded once each by numpy; the norm in double precision."""
    dtype: Any = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16}[half]
    generator = np.random.default_rng(1)
    table, weights = (generator.normal(size=size).astype(np.float32) for size in ((5, 16), (16, 8)))
    done = halve_network(small_network(tmp_path, table, weights), tmp_path, half)
    assert (done.half, done.full) == (2, {"norm": 1})
    exact = table.astype(dtype).astype(np.float64) @ weights.astype(dtype).astype(np.float64)
    product = exact.astype(np.float32).astype(dtype).astype(np.float64)
    centred = product - product.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    answer = OnnxSession(done.path, threads=1).run({"ids": np.arange(5)})
    # A sum that lies on the edge between two halves may go to either.
    off = np.abs(answer - expected)
    assert np.quantile(off, 0.9) < 1e-5
    assert off.max() < 8 * UNIT_ROUNDOFF[half]


def test_without_a_norm_nothing_says_where_pooling_begins(tmp_path: Path) -> None:
    path = small_network(tmp_path, np.ones((2, 4)), np.ones((4, 4)))
    model = onnx.load(path)
    model.graph.node[2].CopyFrom(helper.make_node("Relu", ["product"], ["y"]))
    onnx.save(model, path)
    with pytest.raises(ExportError, match="no normalization layer"):
        halve_network(path, tmp_path, "fp16")


def test_a_scalar_stays_a_scalar(tmp_path: Path) -> None:
    """An index of no dimension: as a row of one it would add a dimension to what is gathered."""
    with ExternalData(tmp_path / "data") as data:
        assert list(data.tensor("index", np.array(3)).dims) == []


def test_rounding_by_hand() -> None:
    """fp16 has 11 bits: 1 + 2^-11 lies in the middle and goes to the even 1; bf16 has 8 bits."""
    values = np.array([1 + 2.0**-11, 1 + 3 * 2.0**-11, 65504, -65519], np.float32)
    np.testing.assert_array_equal(rounded("w", values, FORMATS["fp16"]), [1, 1 + 2.0**-9, 65504, -65504])
    wide = np.array([1 + 2.0**-8, 1 + 3 * 2.0**-8, 1e38], np.float32)
    np.testing.assert_array_equal(rounded("w", wide[:2], FORMATS["bf16"]).astype(np.float32), [1, 1 + 2.0**-6])
    assert np.isfinite(rounded("w", wide, FORMATS["bf16"]).astype(np.float32)).all()


def test_a_weight_out_of_range_is_named() -> None:
    with pytest.raises(ExportError, match=r"weight layer\.0\.key reaches 6\.552e\+04, float16 ends at 65504"):
        rounded("layer.0.key", np.array([1.0, 65520.0], np.float32), FORMATS["fp16"])


def test_an_activation_out_of_range_is_named(networks: Networks, tmp_path: Path) -> None:
    """The feed-forward layer's weights are made up to 30000 and fit into fp16; sums of 32 of them do not."""
    checkpoint = networks.checkpoint("cross encoder")
    weight = dict(checkpoint.graph.named_parameters())["classifier.roberta.encoder.layer.1.intermediate.dense.weight"]
    before = weight.data.clone()
    weight.data *= 3e4 / float(before.abs().max())
    try:
        with pytest.raises(
            ExportError, match=r"reaches .* on a text \(.*\), fp16 ends at 65504: export in bf16 or fp32"
        ):
            build(checkpoint, "fp16", tmp_path)
    finally:
        weight.data = before
