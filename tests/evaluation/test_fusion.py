"""Reciprocal rank fusion, by hand on one list and by a plain loop on many."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from interlingua_evaluation.systems.candidate_lists import NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from interlingua_evaluation.systems.fusion import fuse
from tests.evaluation.small_dataset import small_dataset

DATASET = small_dataset()


def ranking(*documents: int, depth: int = 6) -> CandidateLists:
    """These documents, best first, in the lists of query 0; nothing in the other queries' lists."""
    scores = np.full((18, 18), -np.inf, dtype=np.float32)
    scores[0, list(documents)] = -np.arange(len(documents))
    return candidate_lists(DATASET, Matrix(scores), depth)


def first_list(lists: CandidateLists) -> list[int]:
    """Of query 0 in English: documents 0 to 5."""
    assert (lists.queries[0], lists.pools[0]) == (0, "en")
    return [document for document in lists.documents[0].tolist() if document != NOTHING]


def random_lists(seed: int, depth: int) -> CandidateLists:
    scores = np.random.default_rng(seed).random((18, 18), dtype=np.float32)
    return candidate_lists(DATASET, Matrix(np.where(scores < 0.3, -np.inf, scores).astype(np.float32)), depth)


def test_sums_worked_out_by_hand() -> None:
    """0: 1/61 + 1/62 = 0.0325225; 2: 1/63 + 1/61 = 0.0322665; 1: 1/62 = 0.0161290; 3: 1/63 = 0.0158730."""
    fused = fuse([ranking(0, 1, 2), ranking(2, 0, 3)], 5)
    assert fused.documents[0].tolist() == [0, 2, 1, 3, NOTHING]
    assert fused.scores[0] == pytest.approx([0.0325225, 0.0322665, 0.0161290, 0.0158730, 0], abs=1e-7)
    assert fused.scores.dtype == np.float32
    assert fuse([ranking(0, 1, 2), ranking(2, 0, 3)], 2).documents[0].tolist() == [0, 2]


def test_k_decides_how_much_the_first_ranks_count() -> None:
    """0: 1/(k+1); 1: 2/(k+3). With k = 0 0 wins, 1 against 2/3; with k = 60 it is 1/61 against 2/63."""
    lists = [ranking(0, 2, 1), ranking(3, 4, 1)]
    assert first_list(fuse(lists, 6, k=0))[0] == 0
    assert first_list(fuse(lists, 6))[0] == 1
    assert fuse(lists, 6, k=0).scores[0, :2] == pytest.approx([1, 1])  # 0 and 3, which are first in one list each


def test_rows_without_documents_stay_empty() -> None:
    fused = fuse([ranking(0), ranking(1)], 3)
    others = np.flatnonzero(fused.queries != 0)
    assert len(others) == 17 * 4
    assert not fused.filled[others].any()
    assert not fused.scores[others].any()


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        pytest.param([(0, 1), (1, 0)], [0, 1], id="the first list's order"),
        pytest.param([(1, 0), (0, 1)], [1, 0], id="the first list's order, the other way round"),
        pytest.param([(4,), (1,)], [4, 1], id="what the first list has, before what it has not"),
        pytest.param([(0,), (5,), (3,)], [0, 3, 5], id="what it does not have, by number"),
    ],
)
def test_equal_sums(lists: list[tuple[int, ...]], expected: list[int]) -> None:
    assert first_list(fuse([ranking(*documents) for documents in lists], 6)) == expected


def test_the_same_ranks_in_other_lists_are_equal_sums_to_the_last_bit() -> None:
    """0 has the ranks 2, 3, 1 and 1 has 1, 2, 3: added up in the lists' order, rounding alone would put 0 first."""
    assert (1 / 221 + 1 / 222) + 1 / 220 > (1 / 220 + 1 / 221) + 1 / 222
    assert 1 / 221 + (1 / 222 + 1 / 220) > 1 / 220 + (1 / 221 + 1 / 222)
    fused = fuse([ranking(1, 0, 2), ranking(3, 1, 0), ranking(0, 4, 1)], 6, k=219)
    assert first_list(fused)[:2] == [1, 0]  # the first list's order


@pytest.mark.parametrize(("systems", "k"), [(2, 60), (3, 60), (3, 7)])
def test_a_plain_loop_gives_the_same(systems: int, k: int) -> None:
    lists = [random_lists(seed, depth) for seed, depth in zip(range(systems), (7, 4, 10), strict=False)]
    fused = fuse(lists, 8, k)
    for row in range(len(fused.queries)):
        ranks: dict[int, list[int]] = {}
        for one in lists:
            for rank, document in enumerate(one.documents[row].tolist(), 1):
                if document != NOTHING:
                    ranks.setdefault(document, []).append(rank)
        first = lists[0].documents[row].tolist()
        sums = {document: math.fsum(1 / (k + rank) for rank in found) for document, found in ranks.items()}
        expected = sorted(sums, key=lambda d: (-round(sums[d], 12), first.index(d) if d in first else 99, d))[:8]
        assert fused.documents[row].tolist() == expected + [NOTHING] * (8 - len(expected))
        assert fused.scores[row, : len(expected)] == pytest.approx([sums[document] for document in expected])


def test_documents_without_a_number_are_added_up() -> None:
    scores = np.zeros((18, 18), np.float32)
    scores[0, [0, 1]] = np.nan
    fused = fuse(
        [candidate_lists(DATASET, Matrix(scores), 3), ranking(0), candidate_lists(DATASET, Matrix(scores), 3)], 3
    )
    assert fused.not_a_number[0] == 4
    assert fused.not_a_number[1] == 0


def test_rows_that_differ_are_refused() -> None:
    whole = ranking(0)
    part = replace(
        whole,
        queries=whole.queries[1:],
        pools=whole.pools[1:],
        documents=whole.documents[1:],
        scores=whole.scores[1:],
        not_a_number=whole.not_a_number[1:],
    )
    other = candidate_lists(replace(DATASET, name="other"), Matrix(np.zeros((18, 18), np.float32)), 3)
    for differing in (part, other, replace(whole, queries=whole.queries[::-1])):
        with pytest.raises(ValueError, match="rows must be the same"):
            fuse([whole, differing], 3)
    with pytest.raises(ValueError, match="nothing to fuse"):
        fuse([], 3)


def test_an_equal_dataset_need_not_be_the_same_object() -> None:
    again = candidate_lists(small_dataset(), Matrix(np.zeros((18, 18), np.float32)), 3)
    assert first_list(fuse([ranking(5), again], 6)) == [5, 0, 1, 2]
