"""Reranked lists: what the client's own mixing makes of the same candidates, and the rest below them."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua_client.search.score_mixing import mix_scores
from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.systems.candidate_lists import NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from interlingua_evaluation.systems.rerank.pair_scores import Pairs, PairScores
from interlingua_evaluation.systems.rerank.reranked_lists import rerank
from tests.evaluation.small_dataset import small_dataset

DEPTH, LONG = 5, 9


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return small_dataset()


@pytest.fixture(scope="module")
def lists(dataset: Dataset) -> CandidateLists:
    return candidate_lists(dataset, Matrix(np.random.default_rng(7).random((18, 18)).astype(np.float32)), LONG)


def logits_of(lists: CandidateLists, depth: int = DEPTH) -> PairScores:
    pairs = Pairs.of([(lists, depth)], 18)
    values = np.random.default_rng(8).normal(size=len(pairs)).astype(np.float32)
    return PairScores(pairs, 18, values)


def test_a_pair_is_asked_once_however_many_lists_have_it(lists: CandidateLists) -> None:
    pairs = Pairs.of([(lists, DEPTH), (lists, 2)], 18)
    wanted = {
        (query, document)
        for query, row in zip(lists.queries.tolist(), lists.documents.tolist(), strict=True)
        for document in row[:DEPTH]
        if document != NOTHING
    }
    asked = list(zip(pairs.queries.tolist(), pairs.documents.tolist(), strict=True))
    assert asked == sorted(wanted)


def test_every_candidate_has_the_logit_of_its_own_pair(lists: CandidateLists) -> None:
    scores = logits_of(lists)
    by_pair = dict(
        zip(
            zip(scores.pairs.queries.tolist(), scores.pairs.documents.tolist(), strict=True), scores.logits, strict=True
        )
    )
    of_lists = scores.of(lists)
    for row in range(len(lists.queries)):
        for place, document in enumerate(lists.documents[row].tolist()):
            expected = by_pair.get((int(lists.queries[row]), document), np.nan)
            assert of_lists[row, place] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("known", [True, False])
def test_the_order_is_the_clients_own(dataset: Dataset, lists: CandidateLists, known: bool) -> None:
    scores = logits_of(lists)
    asked_in = [query.language if known else None for query in dataset.queries]
    reranked = rerank(lists.cut(DEPTH), lists, scores, 0.7, asked_in)
    assert reranked.refused == 0
    logits = scores.of(lists)
    for row in range(len(lists.queries)):
        documents = [document for document in lists.documents[row].tolist() if document != NOTHING]
        first, rest = documents[:DEPTH], documents[DEPTH:]
        language = dataset.queries[int(lists.queries[row])].language
        own = [dataset.documents[number].language == language for number in first] if known else []
        mixed = mix_scores(lists.scores[row, :DEPTH].tolist(), logits[row, :DEPTH].tolist(), 0.7, own)
        order = sorted(range(len(first)), key=lambda place: -mixed[place])
        expected = [first[place] for place in order] + rest
        assert reranked.lists.documents[row, : len(expected)].tolist() == expected
        shown = reranked.lists.scores[row, : len(expected)]
        assert (np.diff(shown) <= 0).all()


def test_a_list_with_a_missing_logit_keeps_its_order_and_is_counted(dataset: Dataset, lists: CandidateLists) -> None:
    scores = logits_of(lists)
    scores.logits[0] = np.nan  # of the first query's first document
    number, document = int(scores.pairs.queries[0]), int(scores.pairs.documents[0])
    asked_in = [query.language for query in dataset.queries]
    reranked = rerank(lists.cut(DEPTH), lists, scores, 1.0, asked_in)
    hit = [
        row
        for row in range(len(lists.queries))
        if lists.queries[row] == number and document in lists.documents[row, :DEPTH]
    ]
    assert reranked.refused == len(hit) > 0
    np.testing.assert_array_equal(reranked.lists.documents[hit], lists.documents[hit])
