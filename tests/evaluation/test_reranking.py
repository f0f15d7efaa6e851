"""Mixing is the client's, and the weight comes from the development half alone."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua_client.embedder import FloatArray
from interlingua_client.search.score_mixing import mix_scores
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.systems.candidate_lists import MIXED, CandidateLists, Pair, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from interlingua_evaluation.systems.rerank.reranking import (
    MixedScores,
    across_mean,
    best_weight,
    wanted_pairs,
    weight_curve,
)
from tests.evaluation.small_dataset import small_dataset

DEPTH = 8  # more than a language has documents, fewer than all have


@pytest.fixture
def lists() -> CandidateLists:
    similarities = np.random.default_rng(11).random((18, 18)).astype(np.float32)
    return candidate_lists(small_dataset(), Matrix(similarities), DEPTH)


@pytest.fixture
def scores() -> FloatArray:
    return np.random.default_rng(12).normal(size=(18, 18)).astype(np.float32)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_order_is_the_clients(lists: CandidateLists, scores: FloatArray, weight: float) -> None:
    ranked = MixedScores.of(lists, scores).ranked(weight)
    for row, query in enumerate(lists.queries.tolist()):
        filled = lists.filled[row]
        candidates = lists.documents[row][filled].tolist()
        logits = [float(scores[query, document]) for document in candidates]
        mixed = mix_scores(lists.scores[row][filled].tolist(), logits, weight)
        order = sorted(range(len(candidates)), key=lambda place: (-mixed[place], place))
        assert ranked[row].tolist() == [candidates[place] for place in order] + lists.documents[row][~filled].tolist()


def test_a_weight_of_zero_keeps_the_first_stage(lists: CandidateLists, scores: FloatArray) -> None:
    np.testing.assert_array_equal(MixedScores.of(lists, scores).ranked(0.0), lists.documents)


def test_wanted_pairs_are_the_candidates(lists: CandidateLists) -> None:
    wanted = wanted_pairs(lists)
    for query in range(18):
        rows = [row for row in range(len(lists.pools)) if lists.queries[row] == query]
        expected = {int(d) for row in rows for d in lists.documents[row][lists.filled[row]]}
        assert set(np.flatnonzero(wanted[query]).tolist()) == expected


def test_the_weight_is_chosen_across_languages_on_the_development_half(lists: CandidateLists) -> None:
    """A reranker that is right in development and wrong in test, and wrong within a language everywhere."""
    dataset = lists.dataset
    scores = np.zeros((18, 18), np.float32)
    for row, query in enumerate(dataset.queries):
        for column, document in enumerate(dataset.documents):
            is_right = document.id in dataset.qrels[query.id]
            is_wanted = query.half == "development" and document.language != query.language
            scores[row, column] = float(is_right == is_wanted)
    judge = Judge(lists)
    mixed = MixedScores.of(lists, scores)
    curve = weight_curve(mixed, judge)
    assert sorted(curve) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert best_weight(curve) > 0.4
    assert curve[best_weight(curve)] > curve[0.0]
    test = ~lists.of_half("development")
    pairs = [pair for pair, chosen in zip(lists.pairs, test, strict=True) if chosen]
    before, after = (across_mean(judge.ndcg(mixed.ranked(weight))[test], pairs) for weight in (0.0, 1.0))
    assert after < before


def test_of_equally_good_weights_the_smallest_is_taken() -> None:
    assert best_weight({0.0: 0.5, 0.4: 0.7, 0.6: 0.7, 1.0: 0.6}) == 0.4


def test_without_a_development_half_there_is_no_curve(lists: CandidateLists, scores: FloatArray) -> None:
    dataset = small_dataset()
    queries = tuple(query._replace(half="test") for query in dataset.queries)
    unsplit = type(dataset)(dataset.name, dataset.documents, queries, dataset.qrels, dataset.facts)
    lists = candidate_lists(unsplit, Matrix(np.zeros((18, 18), np.float32)), DEPTH)
    assert weight_curve(MixedScores.of(lists, scores), Judge(lists)) == {}


def test_the_mean_across_leaves_same_language_and_mixed_pool_out() -> None:
    pairs = [Pair("en", "de"), Pair("en", "de"), Pair("de", "en"), Pair("en", "en"), Pair("en", MIXED)]
    assert across_mean(np.array([0.2, 0.4, 0.9, 1.0, 1.0]), pairs) == pytest.approx((0.3 + 0.9) / 2)
