"""The gate refuses a damaged network, says what is wrong with it, and nothing is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper
from onnx.external_data_helper import load_external_data_for_model

from interlingua.base.errors import ExportError, InputError
from interlingua_cli.export import command
from interlingua_exporter.gate.figures import GateFigure, relative_errors
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.gate.ranking_agreement import rank_correlation, top_overlap
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.precision.build import build
from interlingua_exporter.texts.parity_texts import parity_set, sentences
from interlingua_exporter.weights import checkpoint_folder

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="module")
def checkpoint(make_folder: MakeFolder) -> Checkpoint:
    return checkpoint_folder.load(make_folder("bert", pooling="mean", normalize=True))


@pytest.fixture
def model(checkpoint: Checkpoint, network: Path) -> onnx.ModelProto:  # noqa: ARG001
    loaded = onnx.load(network / "model.onnx", load_external_data=False)
    load_external_data_for_model(loaded, str(network))
    return loaded


@pytest.fixture(scope="module")
def network(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(checkpoint, "fp32", tmp_path_factory.mktemp("network")).network


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    onnx.save(model, folder / "model.onnx")
    return folder


def largest_weight(model: onnx.ModelProto, shape: tuple[int, ...]) -> onnx.TensorProto:
    return next(tensor for tensor in model.graph.initializer if tuple(tensor.dims) == shape)


def test_one_damaged_row_of_the_vocabulary(checkpoint: Checkpoint, model: onnx.ModelProto, tmp_path: Path) -> None:
    """The Swahili word is wrong: the message names a text with it, its language, the figure and the bound."""
    encoder = checkpoint.text_encoder()
    swahili = sentences()[9]["sw"]
    others = {
        t for row in sentences() for key, text in row.items() if key != "sw" for t in encoder.encode([text])[0].ids
    }
    token = next(token for token in encoder.encode([swahili])[0].ids if token not in others)
    tensor = largest_weight(model, (600, 32))
    values = numpy_helper.to_array(tensor).copy()
    values[token] += np.random.default_rng(0).normal(size=32)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    with pytest.raises(ExportError) as caught:
        gate_network(checkpoint, "fp32", saved(model, tmp_path), 2)
    message = str(caught.value)
    assert "error against torch" in message
    assert "must be <= 0.0001 (sw, " in message
    assert "nothing was published" in message


def test_noise_that_breaks_rankings(checkpoint: Checkpoint, model: onnx.ModelProto, tmp_path: Path) -> None:
    tensor = largest_weight(model, (32, 64))
    noise = np.random.default_rng(0).normal(size=(32, 64)).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(noise, tensor.name))
    with pytest.raises(ExportError, match=r"error against torch.*rank correlation, per language .*must be >= 0\.98"):
        gate_network(checkpoint, "int8", saved(model, tmp_path), 2)


def test_not_a_number(checkpoint: Checkpoint, model: onnx.ModelProto, tmp_path: Path) -> None:
    tensor = largest_weight(model, (32, 64))
    tensor.CopyFrom(numpy_helper.from_array(np.full((32, 64), np.nan, np.float32), tensor.name))
    with pytest.raises(ExportError, match="error against torch nan"):
        gate_network(checkpoint, "fp32", saved(model, tmp_path), 2)


def test_another_output_name(checkpoint: Checkpoint, model: onnx.ModelProto, tmp_path: Path) -> None:
    model.graph.node[-1].output[0] = model.graph.output[0].name = "vector"
    with pytest.raises(ExportError, match=r"outputs \['vector'\] instead of \['embedding'\]"):
        gate_network(checkpoint, "fp32", saved(model, tmp_path), 2)


def test_a_fixed_batch(checkpoint: Checkpoint, model: onnx.ModelProto, tmp_path: Path) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    with pytest.raises(ExportError, match=r"input_ids is tensor\(int64\) \[1, "):
        gate_network(checkpoint, "fp32", saved(model, tmp_path), 2)


def test_a_tokenizer_of_another_model(make_folder: MakeFolder, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    folder = make_folder("bert", pooling="mean", normalize=True)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_tokens(["library"])
    tokenizer.save(str(folder / "tokenizer.json"))
    foreign = checkpoint_folder.load(folder)
    with pytest.raises(InputError, match="token 600, the network has 600"):
        gate_network(foreign, "fp32", build(foreign, "fp32", tmp_path).network, 2)


def test_an_export_that_depends_on_its_batch_publishes_nothing(make_folder: MakeFolder, tmp_path: Path) -> None:
    """BERT padded on the left: its positions move with the padding, so a text's answer depends on the others."""
    folder = make_folder("bert", pooling="mean", normalize=True, padding_side="left")
    root = tmp_path / "models"
    result = CliRunner().invoke(command, [str(folder), "--model-repository", str(root)])
    assert isinstance(result.exception, ExportError)
    assert "change in mixed batches" in str(result.exception)
    assert list(root.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_overlap_and_correlation_by_hand() -> None:
    theirs = np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    ours = np.array([5.0, 6.0, 1.0, 3.0, 2.0, 4.0])
    # The three best: {0, 1, 2} and {1, 0, 5}.
    assert top_overlap(ours, theirs, 3) == pytest.approx(2 / 3)
    # Rank differences 1, 1, 3, 0, 0, 3: rho = 1 - 6 * 20 / (6 * 35)
    assert rank_correlation(ours, theirs) == pytest.approx(1 - 120 / 210)


@given(scores=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=40, unique=True), shift=st.floats(0.5, 3))
def test_the_same_order_is_perfect(scores: list[float], shift: float) -> None:
    theirs = np.array(scores)
    ours = np.argsort(np.argsort(theirs)) * shift
    assert top_overlap(ours, theirs) == 1
    assert rank_correlation(ours, theirs) == pytest.approx(1)


def test_relative_errors_by_hand() -> None:
    ours, theirs = np.array([[3.0, 5.0], [2.0, 0.0]]), np.array([[3.0, 4.0], [2.0, 0.0]])
    np.testing.assert_allclose(relative_errors(ours, theirs, "embedder"), [0.2, 0])
    # Scores: the spread of 0 and 4 is 2.
    np.testing.assert_allclose(
        relative_errors(np.array([[1.0], [4.0]]), np.array([[0.0], [4.0]]), "reranker"), [0.5, 0]
    )


def test_a_figure_that_is_not_a_number_fails() -> None:
    assert not GateFigure(name="x", worst=float("nan"), mean=0.0, sense="<=", bound=1.0, where="en").passed
    assert not GateFigure(name="x", worst=float("nan"), mean=0.0, sense=">=", bound=1.0, where="en").passed


def test_the_texts_cover_languages_and_lengths(checkpoint: Checkpoint) -> None:
    assert len({frozenset(row) for row in sentences()}) == 1
    assert len(sentences()[0]) >= 12
    assert all(len(set(row.values())) == len(row) for row in sentences())
    encoder = checkpoint.text_encoder()
    parity = parity_set(checkpoint.spec, encoder)
    lengths = {len(row) for row in encoder.encode([sample.text for sample in parity.samples])}
    assert min(lengths) <= 6
    assert max(lengths) == checkpoint.spec.max_tokens
    assert len(lengths) > 20
    for ranking in parity.rankings:
        assert set(ranking.answers) < set(ranking.candidates)
        assert all(parity.samples[at].language != ranking.language for at in ranking.candidates)
