"""Late interaction: the score worked out by hand, one network in three ways of running it, and exported."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tritonclient.grpc import model_config_pb2 as pb

from interlingua.base.errors import ExportError
from interlingua.repository.text_encoder import Framed
from interlingua.repository.triton_config import parameters_of, read_config
from interlingua.served.kinds import Precision
from interlingua.served.late_interaction.sides import LateInteraction
from interlingua.served.service import ServiceSpec
from interlingua_cli.export import command
from interlingua_cli.exporting import verify
from interlingua_exporter.gate.answering import SideAnswering, asked_of
from interlingua_exporter.gate.bounds import BOUNDS
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.gate.torch_answers import torch_answers
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.precision.build import build
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction.late_interaction_rows import SideRows
from tests.exporter import late_interaction_models as models

Pair = tuple[str, str]

LONG = " ".join(row["de"] for row in sentences())
QUERIES = [sentences()[0]["en"], "a", "", LONG, "</s>"]
DOCUMENTS = [sentences()[0]["ja"], "b", "", LONG, "<s> <pad>"]
PAIRS = [(query, document) for query in QUERIES for document in DOCUMENTS]

# Tokens 3 and 4 are the query's, 5 and 6 the document's; the specials would be everybody's best match.
TABLE = [(1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (2.0, 0.0), (0.0, 1.0), (0.6, 0.8), (5.0, 0.0), (-1.0, 0.0)]


def score(network: LateInteractionReranker, ids: list[int]) -> float:
    row = torch.tensor([ids])
    return float(network.score_pairs(row, (row != models.PAD).long()))


def test_the_score_by_hand() -> None:
    """Token 3 finds (5, 0) at cosine 1, token 4 finds (0.6, 0.8) at 0.8: 10 times their mean."""
    network = models.known_reranker(TABLE, importance=(0.0, 0.0))
    assert score(network, [0, 3, 4, 2, 2, 5, 6, 2]) == pytest.approx(9.0)
    assert score(network, [0, 3, 2, 2, 7, 2, 1, 1]) == pytest.approx(-10.0)


def test_the_importance_by_hand() -> None:
    """softplus(0) = ln 2, softplus(ln 7) = ln 8: token 4 weighs three times as much as token 3."""
    network = models.known_reranker(TABLE, importance=(0.0, math.log(7)))
    assert score(network, [0, 3, 4, 2, 2, 5, 6, 2]) == pytest.approx(10 * (1 + 3 * 0.8) / 4)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param([0, 2, 2, 5, 2], 0.0, id="empty query"),
        pytest.param([0, 3, 2, 2, 2], -10.0, id="empty document"),
        pytest.param([0, 3, 4, 5], -10.0, id="no separator"),
        pytest.param([0, 2, 2, 2], 0.0, id="specials only"),
        pytest.param([1, 1, 1], 0.0, id="padding only"),
    ],
)
def test_a_side_without_content(ids: list[int], expected: float) -> None:
    assert score(models.known_reranker(TABLE, importance=(0.0, 0.0)), ids) == expected


def asked(checkpoint: Checkpoint, pairs: list[Pair]) -> SideAnswering:
    made = asked_of(checkpoint, checkpoint.text_encoder(), [Framed(pair) for pair in pairs])
    assert isinstance(made, SideAnswering)
    return made


def reference(checkpoint: Checkpoint, pairs: list[Pair]) -> np.ndarray:
    """torch's scores of whole pairs, [n, 1]."""
    return torch_answers(checkpoint, asked(checkpoint, pairs))


@dataclass(frozen=True)
class Exported:
    checkpoint: Checkpoint
    precision: Precision
    network: Path

    def answers(self, pairs: list[Pair]) -> np.ndarray:
        """The scores of all pairs, their sides in one call."""
        session = OnnxSession(self.network / "model.onnx", threads=1)
        return asked(self.checkpoint, pairs).answers(session.run, range(len(pairs)))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Checkpoint:
    folder = models.saved(tmp_path_factory.mktemp("late") / "tiny", tokenizer_json["xlm-roberta"])
    return sources.load(resolve(str(folder)), Overrides())


@pytest.fixture(scope="module", params=["fp32", "fp16", "bf16", "int8"])
def exported(
    request: pytest.FixtureRequest, checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    network = build(checkpoint, request.param, tmp_path_factory.mktemp("network")).network
    return Exported(checkpoint, request.param, network)


def test_a_pair_scores_what_its_sides_score_apart(checkpoint: Checkpoint) -> None:
    """Each text encoded alone, all pairs by products, against one pair a row; in a batch and alone."""
    network = checkpoint.graph
    assert isinstance(network, LateInteractionReranker)
    tokenizer = Tokenizer.from_str(checkpoint.tokenizer_json.decode("utf-8"))
    rows = SideRows(tokenizer, separator_id=models.END, pad_token_id=models.PAD)
    queries = ["a", "Wo?", "", "</s>"]
    documents = ["b", "", "Here it is.", "<s> <pad>"]
    apart = network.score_all(
        network.token_vectors(*rows.batch(rows.queries(queries, 30))),
        network.token_vectors(*rows.batch(rows.documents(documents, 34))),
    )
    pairs = [(query, document) for query in queries for document in documents]
    alone = reference(checkpoint, pairs)
    found = [asked(checkpoint, pairs).pair(sample) for sample in range(len(pairs))]
    ids, mask = rows.batch([[*query.ids, *document.ids] for query, document in found])
    together = network.score_pairs(ids, mask).numpy()
    assert together.std() > 0.1
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(apart.reshape(-1, 1).numpy(), together, rtol=1e-4, atol=1e-4)


def test_the_rows_of_a_side_are_its_ids_in_the_pair(checkpoint: Checkpoint) -> None:
    """<s> a </s> | </s> b </s>; too long a side loses the end of its text and keeps its last separator."""
    rows = SideRows(
        Tokenizer.from_str(checkpoint.tokenizer_json.decode("utf-8")),
        separator_id=models.END,
        pad_token_id=models.PAD,
    )
    (pair,) = checkpoint.text_encoder().encode([("a b c d", "b c d")])
    (query,), (document,) = rows.queries(["a b c d"], 30), rows.documents(["b c d"], 30)
    assert (*query, *document) == pair.ids
    assert (query[0], query[-1]) == (models.START, models.END)
    assert rows.queries(["a b c d"], 4) == [[*query[:3], models.END]]
    assert rows.documents(["b c d"], 4) == [[*document[:3], models.END]]
    assert rows.documents([""], 4) == [[models.END, models.END]]


def test_the_other_side_changes_no_token_vector(checkpoint: Checkpoint) -> None:
    """The document's states are the same behind a short and behind a long query."""
    network: Any = checkpoint.graph
    document = [models.END, 30, 31, 32, models.END]
    seen: list[torch.Tensor] = []
    hook = network.projection.register_forward_hook(lambda _module, _input, output: seen.append(output[0, -5:]))
    for query in ([0, 40, 2], [0, 41, 42, 43, 44, 45, 2]):
        ids = torch.tensor([query + document])
        network.score_pairs(ids, torch.ones_like(ids))
    hook.remove()
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-5, atol=1e-5)


def test_onnx_is_torch_on_every_edge(exported: Exported) -> None:
    answers, theirs = exported.answers(PAIRS), reference(exported.checkpoint, PAIRS)
    assert np.isfinite(answers).all()
    lengths = [len(row) for row in asked(exported.checkpoint, PAIRS).rows]
    assert (min(lengths), max(lengths)) == (2, models.MAX_TOKENS)
    error = np.abs(answers - theirs) / theirs.std()
    assert error.max() < BOUNDS["reranker", exported.precision].error


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_score_does_not_depend_on_its_neighbours(exported: Exported, data: st.DataObject) -> None:
    pairs = data.draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=7))
    alone = np.concatenate([exported.answers([pair]) for pair in pairs])
    off = BOUNDS["reranker", exported.precision].neighbours  # of scores that are spread by about 1
    np.testing.assert_allclose(exported.answers(pairs), alone, rtol=1e-4, atol=max(off, 1e-3))


def test_int8_rounds_weights_and_leaves_similarities(exported: Exported) -> None:
    """Two layers of six products, projection and importance; attention's two a layer stay fp32."""
    nodes = [node.op_type for node in onnx.load(exported.network / "model.onnx").graph.node]
    products = (14, 4) if exported.precision == "int8" else (0, 14 + 4)
    assert (nodes.count("MatMulIntegerToFloat"), nodes.count("MatMul") + nodes.count("Gemm")) == products


def test_the_weights_of_another_training_do_not_pass_the_gate(
    exported: Exported, tmp_path: Path, tokenizer_json: dict[str, bytes]
) -> None:
    other = sources.load(
        resolve(str(models.saved(tmp_path / "other", tokenizer_json["xlm-roberta"], seed=5))), Overrides()
    )
    message = r"error against torch.*overlap, per language .*must be >= 0\.8.*rank correlation, per language"
    with pytest.raises(ExportError, match=message):
        gate_network(other, "int8", exported.network, 1)


def test_a_folder_passes_the_gate_and_is_published(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    folder = models.saved(tmp_path / "tiny", tokenizer_json["xlm-roberta"])
    root = tmp_path / "models"
    result = CliRunner().invoke(command, [str(folder), "--model-repository", str(root), "--json"])
    assert result.exception is None, result.exception
    facts = json.loads(result.stdout)
    services = ["rerank", "encode_query_tokens", "encode_document_tokens"]
    assert (facts["model"], facts["models"], facts["dimension"]) == ("tiny-late", ["reranker", *services], 25)
    config = read_config(root / "reranker" / "config.pbtxt")
    assert [entry.name for entry in config.input] == ["input_ids", "attention_mask"]
    assert [(entry.name, list(entry.dims)) for entry in config.output] == [("token_vectors", [-1, 25])]
    configs = {name: read_config(root / name / "config.pbtxt") for name in services}
    outputs = {name: (config.output[0].name, config.output[0].data_type) for name, config in configs.items()}
    assert outputs == {
        "rerank": ("score", pb.TYPE_FP32),
        "encode_query_tokens": ("token_vectors", pb.TYPE_STRING),
        "encode_document_tokens": ("token_vectors", pb.TYPE_STRING),
    }
    specs = [ServiceSpec.from_parameters(parameters_of(config), 1) for config in configs.values()]
    assert [spec.dimension for spec in specs] == [0, 24, 24]
    assert len({spec.digest for spec in specs}) == 1
    for spec in specs:
        assert (spec.rerank_weight, spec.max_tokens, spec.pad_token_id) == (0.25, models.MAX_TOKENS, models.PAD)
        assert (spec.empty_similarity, LateInteraction.from_text(spec.interaction).scale) == (-1.0, 20.0)
    verified = CliRunner().invoke(verify.command, [str(folder), "--model-repository", str(root)])
    assert verified.exception is None, verified.output
