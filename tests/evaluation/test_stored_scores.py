"""Stored forms as systems: what is scored is what a search over an index would score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError, RequestRejectedError
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.token_store.quantization import FORMATS
from interlingua_client.index.token_store.stored_tokens import StoredTokens
from interlingua_evaluation.systems.rerank.pair_scores import Pairs
from interlingua_evaluation.systems.rerank.served_sides import ServedSides
from interlingua_evaluation.systems.rerank.stored_scores import StoredScorer
from interlingua_evaluation.systems.system_name import SystemName
from interlingua_evaluation.systems.system_runs import SystemRuns
from tests.evaluation.small_dataset import small_dataset
from tests.support.hash_embedder import HashEmbedder
from tests.support.hash_tokens import HashTokenEncoder, score, tokens_of

RERANKER = "tokens-1"
DATASET = small_dataset()
ALL = Pairs(
    np.repeat(np.arange(len(DATASET.queries)), len(DATASET.documents)),
    np.tile(np.arange(len(DATASET.documents)), len(DATASET.queries)),
)
SPEC: Any = SimpleNamespace(digest="pairs-1", model_id="hash tokens", rerank_weight=0.7)


class EncodingClient:
    """The side services of a reranker without a network; refuses texts with a certain word."""

    def __init__(self, digest: str = "pairs-1", refused: str = "refused") -> None:
        self.services = SimpleNamespace(rerank=SimpleNamespace(spec=SimpleNamespace(digest=digest, model_id="other")))
        self.encoder = HashTokenEncoder(RERANKER).encoder
        self.asked = 0
        self._refused = refused

    def encode(self, texts: Sequence[str], role: str) -> SimpleNamespace:
        assert role in ("query", "document")
        if any(self._refused in text for text in texts):
            raise RequestRejectedError("invalid text")
        self.asked += len(texts)
        return SimpleNamespace(texts=[tokens_of(text) for text in texts])


def scorer(root: Path, form: str, client: Any = None) -> StoredScorer:
    client = client or EncodingClient()
    return StoredScorer(ServedSides(SPEC, lambda: client, root), FORMATS[form])


@pytest.mark.parametrize(("form", "bound"), [("4bit", 0.02), ("4bit-128", 0.02), ("int8", 2e-3)])
def test_scores_are_those_of_a_search_over_an_index(tmp_path: Path, form: str, bound: float) -> None:
    """But for the float16 of what is kept, which puts a value on the other side of a step here and there."""
    found = scorer(tmp_path, form).scores(DATASET, ALL).reshape(len(DATASET.queries), -1)
    settings, encoder = IndexSettings(token_vectors=form), HashTokenEncoder(RERANKER)
    with Indexer.open(tmp_path / "index", HashEmbedder(), settings, encoder=encoder) as indexer:
        indexer.add([document.indexed for document in DATASET.documents])
        indexer.finish()
    with closing(DocumentStore.open(tmp_path / "index")) as store:
        labels = sorted(label for of_language in store.labels_by_language().values() for label in of_language.tolist())
        places = {document.id: number for number, document in enumerate(DATASET.documents)}
        order = [places[document.id] for document in store.documents(labels).values()]
        for number, query in enumerate(DATASET.queries):
            compared = StoredTokens(store).compare(tokens_of(query.text), labels, reranker=RERANKER, empty=-1.0)
            np.testing.assert_allclose(found[number, order], compared.scores, atol=bound)


def test_what_was_encoded_is_not_asked_for_again(tmp_path: Path) -> None:
    client = EncodingClient()
    first = scorer(tmp_path, "4bit", client).scores(DATASET, ALL)
    assert client.asked == len(DATASET.queries) + len(DATASET.documents)
    again = scorer(tmp_path, "4bit", client).scores(DATASET, ALL)
    assert client.asked == len(DATASET.queries) + len(DATASET.documents)
    np.testing.assert_array_equal(first, again)
    exact = [score(DATASET.queries[query].text, DATASET.documents[document].indexed.passage)
             for query, document in zip(ALL.queries.tolist(), ALL.documents.tolist(), strict=True)]  # fmt: skip
    np.testing.assert_allclose(first, exact, atol=0.15)


def test_a_refused_text_costs_itself_alone(tmp_path: Path) -> None:
    client = EncodingClient(refused="en:fish")
    found = scorer(tmp_path, "int8", client).scores(DATASET, ALL)
    has_fish = ["en:fish" in document.indexed.passage for document in DATASET.documents]
    asks_fish = ["en:fish" in query.text for query in DATASET.queries]
    assert (sum(has_fish), sum(asks_fish)) == (2, 1)
    expected = np.array(has_fish)[ALL.documents] | np.array(asks_fish)[ALL.queries]
    np.testing.assert_array_equal(np.isnan(found), expected)


def _without_sides() -> EncodingClient:
    client = EncodingClient()
    client.encoder = None
    return client


@pytest.mark.parametrize(
    ("client", "said"),
    [
        pytest.param(lambda: EncodingClient("pairs-2"), "the server reranks with other", id="another reranker"),
        pytest.param(_without_sides, "is no late-interaction reranker", id="a cross-encoder"),
    ],
)
def test_a_server_without_these_token_vectors_is_refused(
    tmp_path: Path, client: Callable[[], EncodingClient], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        scorer(tmp_path, "4bit", client()).scores(DATASET, ALL)


def test_systems_of_several_forms_and_pairs_stand_side_by_side(tmp_path: Path) -> None:
    """Without a pair scorer stored forms run all the same; a pair system then says what it lacks."""
    stored: Any = {form: scorer(tmp_path, form) for form in ("4bit", "int8")}
    runs = SystemRuns(
        dataset=DATASET, vectors=lambda: pytest.fail("no vectors"), asked_in=[None] * 18, scorer=None, stored=stored
    )
    names = [SystemName.parse(name) for name in ("bm25", "bm25+rerank@5+4bit", "bm25+rerank@3@1+int8")]
    plain, four, eight = runs.of(names)
    assert (plain.weight, four.weight, eight.weight) == (None, 0.7, 1.0)
    assert (four.refused, eight.refused) == (0, 0)
    assert four.candidates.documents.shape[1] == 5
    with pytest.raises(InputError, match="no reranker is published"):
        runs.of([SystemName.parse("bm25+rerank@5")])


def test_a_reranker_sees_more_than_the_lists_are_deep() -> None:
    runs = SystemRuns(dataset=DATASET, vectors=lambda: pytest.fail("no vectors"), asked_in=[None] * 18, scorer=None)
    name = SystemName.parse("bm25+rerank@200")
    assert runs.first_stage(name).documents.shape[1] == 100
    assert runs.candidates(name).documents.shape[1] == 200
