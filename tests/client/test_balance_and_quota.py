"""The question's own language: its advantage taken out of the scores, and every language among the candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.search_index import SearchIndex, reserved_per_language
from interlingua_client.search.score_mixing import balanced, mix_scores, standardized
from interlingua_client.search.search_steps import Searcher
from tests.client.sample_documents import make_documents
from tests.client.test_search_steps import ask, carry_out
from tests.support.hash_embedder import HashEmbedder


@pytest.mark.parametrize(
    ("scores", "own", "expected"),
    [
        # own: mean 3 of two; others: mean 1; 2 * 2 / (2 + 2) = 1 is taken off
        pytest.param([4, 2, 1, 1], [True, True, False, False], [3, 1, 1, 1], id="an advantage"),
        # own: 4, alone; others: mean 1; 3 * 1 / (1 + 2) = 1
        pytest.param([4, 2, 0], [True, False, False], [3, 2, 0], id="a lone document loses a third of it"),
        pytest.param([1, 3, 3], [True, False, False], [1, 3, 3], id="no advantage, no change"),
        pytest.param([3, 2, 1], [True, True, True], [3, 2, 1], id="one language"),
        pytest.param([3, 2, 1], [False, False, False], [3, 2, 1], id="none in the own language"),
        pytest.param([], [], [], id="nothing"),
    ],
)
def test_the_advantage_by_hand(scores: list[float], own: list[bool], expected: list[float]) -> None:
    assert balanced(scores, own) == pytest.approx(expected)


def test_both_stages_are_balanced_before_they_are_mixed() -> None:
    similarities, logits, own = [0.9, 0.6, 0.5, 0.4], [5.0, 4.0, 1.0, 0.0], [True, True, False, False]
    first, second = standardized(balanced(similarities, own)), standardized(balanced(logits, own))
    assert mix_scores(similarities, logits, 0.25, own) == pytest.approx((0.75 * first + 0.25 * second).tolist())
    assert mix_scores(similarities, logits, 0.25) != pytest.approx(mix_scores(similarities, logits, 0.25, own))


def test_without_a_reranker_in_the_mix_the_first_stages_order_stands() -> None:
    similarities, logits, own = [0.9, 0.6, 0.5], [1.0, 2.0, 3.0], [True, False, False]
    assert mix_scores(similarities, logits, 0.0, own) == mix_scores(similarities, logits, 0.0)


def test_within_a_language_the_order_never_changes() -> None:
    random = np.random.default_rng(2)
    for _ in range(50):
        similarities, logits = random.normal(size=(2, 12)).tolist()
        own = (random.random(12) < 0.4).tolist()
        plain, even = (mix_scores(similarities, logits, 1.0, flags) for flags in ([], own))
        for side in (True, False):
            members = [row for row in range(12) if own[row] is side]
            assert sorted(members, key=lambda row: plain[row]) == sorted(members, key=lambda row: even[row])


@pytest.fixture
def searcher(tmp_path: Path) -> Searcher:
    with Indexer.open(tmp_path / "index", HashEmbedder(), IndexSettings(offsets=False)) as indexer:
        indexer.add(make_documents())
        indexer.finish()
    return Searcher(SearchIndex.open(tmp_path / "index"), has_reranker=True)


def prefers_english(passages: list[str]) -> list[float]:
    """Cats are worth 1, being English is worth 3."""
    return [float("cat" in passage) + 3.0 * passage.startswith("en:") for passage in passages]


def test_a_search_is_balanced_unless_it_is_told_not_to(searcher: Searcher) -> None:
    def first_languages(**values: object) -> list[str]:
        result = carry_out(searcher, ask("en:cat", candidates=90, k=30, rerank_weight=1.0, **values), prefers_english)
        return [hit.language for hit in result.hits]

    assert set(first_languages(balance=False)) == {"en"}
    assert set(first_languages()) == {"en", "fr", "de"}
    assert set(first_languages(query_language="fr")) == {"en"}  # the favoured language is not the question's


def test_without_a_known_language_nothing_is_balanced(searcher: Searcher) -> None:
    request = ask("猫はどこにいますか", candidates=90, k=20, rerank_weight=1.0, query_language=None)
    result = carry_out(searcher, request, prefers_english)
    assert (result.language.tag, result.language.source) == (None, "unsure")
    assert {hit.language for hit in result.hits} == {"en"}


def test_a_quota_puts_every_language_among_the_candidates(searcher: Searcher) -> None:
    vector = HashEmbedder().vector("en:cat", "query")
    plain = searcher.index.nearest(vector, "en", 9)
    shared = searcher.index.nearest(vector, "en", 9, quota=1.0)

    def counts(labels: np.ndarray) -> dict[str, int]:
        languages = [document.language for document in searcher.index.documents(labels).values()]
        return {language: languages.count(language) for language in ("en", "fr", "de")}

    assert counts(plain.labels) == {"en": 9, "fr": 0, "de": 0}
    assert counts(shared.labels) == {"en": 3, "fr": 3, "de": 3}
    assert (np.diff(shared.scores) <= 0).all()
    # half of nine candidates: one of each language is reserved, the other six are the nearest
    half = searcher.index.nearest(vector, "en", 9, quota=0.5)
    assert counts(half.labels) == {"en": 7, "fr": 1, "de": 1}
    assert set(plain.labels[:7].tolist()) <= set(half.labels.tolist())


def test_a_quota_of_one_language_is_a_plain_search(searcher: Searcher) -> None:
    vector = HashEmbedder().vector("en:cat", "query")
    plain, shared = (searcher.index.nearest(vector, "en", 5, ["de"], quota=quota) for quota in (0.0, 1.0))
    np.testing.assert_array_equal(plain.labels, shared.labels)


def test_a_quota_larger_than_a_language_takes_what_there_is(searcher: Searcher) -> None:
    vector = HashEmbedder().vector("en:cat", "query")
    everything = searcher.index.nearest(vector, "en", 1000, quota=1.0)
    assert len(everything.labels) == len(set(everything.labels.tolist())) == len(searcher.index) == 90


def test_reserved_places_by_hand() -> None:
    assert [reserved_per_language(50, 12, share) for share in (0, 0.5, 1)] == [0, 2, 4]


def test_a_quota_outside_0_to_1_is_refused(searcher: Searcher) -> None:
    with pytest.raises(InputError, match=r"quota is 1\.5"):
        carry_out(searcher, ask(quota=1.5), prefers_english)
