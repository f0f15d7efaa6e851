"""Every text encoded once gives what the served network gives each pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from interlingua.base.errors import InputError
from interlingua.repository.text_encoder import Framed
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.systems.rerank import late_interaction_scores
from interlingua_evaluation.systems.rerank.late_interaction_scores import LateInteractionScorer
from interlingua_evaluation.systems.rerank.score_cache import cached_scores, checkpoint_digest
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from tests.support.tiny_reranker import MAX_TOKENS

TEXTS = (
    ("Reset a password", "On the sign-in page, choose the link. We send you a mail that is valid for half an hour."),
    ("Zurücksetzen", "Wählen Sie den Link auf der Anmeldeseite."),
    ("", "Ohne Titel."),
    ("Сброс", "Выберите ссылку на странице входа, и мы пришлём письмо. " * 8),
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    documents = tuple(JudgedDocument(f"d{n}", "en", *texts, f"g{n}") for n, texts in enumerate(TEXTS))
    asked = ("password", "wo ist der Link?", "страница")
    queries = tuple(Query(f"q{n}", "en", text, "plain", f"g{n}", "test") for n, text in enumerate(asked))
    return Dataset("tiny", documents, queries, {"q0": {"d0": 1}}, {})


@pytest.fixture
def scores_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same arithmetic as the reference's; bf16 is compared apart."""
    monkeypatch.setattr(late_interaction_scores, "PRECISION", torch.float32)


def pair_logits(checkpoint: Checkpoint, dataset: Dataset) -> list[list[float]]:
    """A pair a row through the torch network, each side cut at its limit."""
    graph, interaction = checkpoint.graph, checkpoint.interaction
    assert isinstance(graph, LateInteractionReranker)
    assert interaction is not None
    encoder = checkpoint.text_encoder()
    queries = encoder.encode([Framed(query.text, interaction.query) for query in dataset.queries])
    documents = [Framed(document.indexed.passage, interaction.document) for document in dataset.documents]
    rows = encoder.encode(documents)
    assert max(map(len, rows)) == MAX_TOKENS
    pairs = [[torch.tensor([[*query.ids, *document.ids]]) for document in rows] for query in queries]
    return [[float(graph.score_pairs(ids, torch.ones_like(ids))) for ids in row] for row in pairs]


@pytest.mark.usefixtures("scores_in_fp32")
def test_scores_are_the_networks_own_logits(reranker: Checkpoint, dataset: Dataset) -> None:
    scores = LateInteractionScorer.of(reranker).scores(dataset, np.ones((3, 4), dtype=bool))
    np.testing.assert_allclose(scores, pair_logits(reranker, dataset), rtol=2e-3, atol=2e-3)
    assert scores.std() > 0.05  # so that agreement means something


def test_bf16_keeps_the_scores_to_two_digits(reranker: Checkpoint, dataset: Dataset) -> None:
    scores = LateInteractionScorer.of(reranker).scores(dataset, np.ones((3, 4), dtype=bool))
    np.testing.assert_allclose(scores, pair_logits(reranker, dataset), atol=0.1)


def test_only_wanted_pairs_are_scored(reranker: Checkpoint, dataset: Dataset) -> None:
    wanted = np.zeros((3, 4), dtype=bool)
    wanted[1, 2] = wanted[0, 3] = True
    scorer = LateInteractionScorer.of(reranker)
    scores, everything = scorer.scores(dataset, wanted), scorer.scores(dataset, np.ones((3, 4), dtype=bool))
    assert (~np.isnan(scores) == wanted).all()
    np.testing.assert_allclose(scores[wanted], everything[wanted], rtol=1e-5)


def test_batches_hold_a_budget_and_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_interaction_scores, "_TOKENS_AT_ONCE", 12)
    rows = [[0] * length for length in (3, 9, 4, 4, 2)]
    assert late_interaction_scores._batches(rows) == [[1], [2, 3, 0], [4]]


def test_logits_are_kept_and_belong_to_their_checkpoint(
    reranker: Checkpoint, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = np.zeros((3, 4), dtype=bool)
    wanted[0] = True
    first = cached_scores(reranker, "digest", dataset, wanted, tmp_path)
    monkeypatch.setattr(LateInteractionScorer, "encode", _refuse)
    np.testing.assert_array_equal(cached_scores(reranker, "digest", dataset, wanted, tmp_path), first)
    with pytest.raises(NotImplementedError):
        cached_scores(reranker, "another", dataset, wanted, tmp_path)
    wanted[1] = True  # another system's candidates: the texts are encoded already
    more = cached_scores(reranker, "digest", dataset, wanted, tmp_path)
    np.testing.assert_array_equal(more[0], first[0])
    assert np.isfinite(more[1]).all()
    assert np.isnan(more[2]).all()


def _refuse(*_: object) -> None:
    raise NotImplementedError


def test_one_changed_weight_changes_the_digest(reranker: Checkpoint) -> None:
    before = checkpoint_digest(reranker)
    assert checkpoint_digest(reranker) == before
    scale = reranker.graph.get_parameter("scale")
    scale.data += 1
    try:
        assert checkpoint_digest(reranker) != before
    finally:
        scale.data -= 1


def test_another_kind_of_model_is_refused(reranker: Checkpoint) -> None:
    other = Checkpoint(
        spec=reranker.spec,
        graph=torch.nn.Linear(2, 1),
        inputs=("a",),
        dimension=1,
        vocabulary=600,
        tokenizer_json=reranker.tokenizer_json,
        pad_token_id=1,
    )
    with pytest.raises(InputError, match="tiny is no late-interaction reranker"):
        LateInteractionScorer.of(other)
