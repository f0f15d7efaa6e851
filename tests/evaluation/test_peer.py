"""PEER against hand-worked examples and SciPy's Kruskal-Wallis test."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats

from interlingua_client.embedder import IntArray
from interlingua_evaluation.bias.chi_square import chi_square_tail
from interlingua_evaluation.bias.equal_rank import peer
from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix

LISTS, RELEVANT, DOCUMENTS, DEPTH = 2400, 26, 260, 50


def one_list(documents: Sequence[tuple[str, int]]) -> CandidateLists:
    """A query in English, and documents of a language and a grade (0: not relevant)."""
    judged = [JudgedDocument(f"d{number}", tag, "", "", "g") for number, (tag, _) in enumerate(documents)]
    qrels = {"q": {f"d{number}": grade for number, (_, grade) in enumerate(documents) if grade}}
    dataset = Dataset("one", tuple(judged), (Query("q", "en", "", "plain", "g", "test"),), qrels, {})
    return candidate_lists(dataset, Matrix(np.zeros((1, len(documents)), np.float32)), len(documents))


def peer_of(
    documents: Sequence[tuple[str, int]],
    order: Sequence[int],
    *,
    cutoff: int = DEPTH,
    weights: dict[int, float] | None = None,
) -> float:
    """Of the mixed list, ranked in this order; what is not named was not found."""
    lists = one_list(documents)
    row = lists.pools.index(MIXED)
    ranked = np.full_like(lists.documents, NOTHING)
    ranked[row, : len(order)] = order
    return float(peer(RelevantDocuments.of(lists), ranked, cutoff=cutoff, weights=weights)[row])


def tail_of_one(h: float) -> float:
    """Chi-square with one degree of freedom is the square of a normal variable."""
    return math.erfc(math.sqrt(h / 2))


TWO_AND_TWO = [("en", 1), ("en", 1), ("de", 1), ("de", 1), ("sv", 0)]


@pytest.mark.parametrize(
    ("order", "cutoff", "expected"),
    [
        # H = 12 / (N (N + 1)) * sum(R^2 / n) - 3 (N + 1), N = 4: 0.6 * sum(R^2 / 2) - 15
        pytest.param([0, 2, 3, 1], 50, 1.0, id="R = 5 and 5, H = 0"),
        pytest.param([0, 1, 2, 3], 50, tail_of_one(2.4), id="R = 3 and 7, H = 0.6 * 29 - 15"),
        pytest.param([0, 4, 1, 2, 3], 50, tail_of_one(2.4), id="what is not relevant does not count"),
        pytest.param([0, 2, 1, 3], 50, tail_of_one(0.6), id="R = 4 and 6, H = 0.6 * 26 - 15"),
        # tied behind the second: ranks 1 2 | 3.5 3.5; correction 1 - (2^3 - 2) / (4^3 - 4) = 0.9
        pytest.param([0, 1, 2, 3], 2, tail_of_one(2.4 / 0.9), id="cut off after the second"),
        pytest.param([0, 1], 50, tail_of_one(2.4 / 0.9), id="two not found"),
        # ranks 3 3 | 1 3: R = 6 and 4, H = 0.6; correction 1 - (3^3 - 3) / 60 = 0.6
        pytest.param([2], 50, tail_of_one(1.0), id="three not found: none of them passes the one that was"),
        pytest.param([4, 4, 4, 2], 3, 1.0, id="all behind the cutoff"),
        pytest.param([], 50, 1.0, id="nothing found"),
    ],
)
def test_two_languages(order: list[int], cutoff: int, expected: float) -> None:
    assert peer_of(TWO_AND_TWO, order, cutoff=cutoff) == pytest.approx(expected)


def test_three_languages() -> None:
    # en 1 2, de 3 4, sv 5 6: R = 3, 7, 11; H = 12 / 42 * (9 + 49 + 121) / 2 - 21 = 32 / 7; p = exp(-H / 2) with 2 d.f.
    documents = [(tag, 1) for tag in ("en", "en", "de", "de", "sv", "sv")]
    assert peer_of(documents, [0, 1, 2, 3, 4, 5]) == pytest.approx(math.exp(-16 / 7))


GRADED = [("en", 2), ("en", 2), ("de", 2), ("de", 2), ("en", 1), ("en", 1), ("de", 1), ("de", 1), ("en", 3), ("en", 3)]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param(None, (1.0 + tail_of_one(2.4)) / 2, id="all the same"),
        pytest.param({2: 0.75, 1: 0.25}, 0.75 * tail_of_one(2.4) + 0.25, id="as given"),
        pytest.param({3: 0.5, 2: 0.25, 1: 0.25}, (1.0 + tail_of_one(2.4)) / 2, id="scaled up without grade 3"),
        pytest.param({2: 1.0}, tail_of_one(2.4), id="only one"),
        pytest.param({3: 1.0}, math.nan, id="one that cannot be tested"),
    ],
)
def test_grades_are_tested_apart(weights: dict[int, float] | None, expected: float) -> None:
    # grade 2: en en de de (H = 2.4); grade 1: en de de en (H = 0); grade 3 is in one language only
    order = [0, 4, 1, 6, 8, 2, 7, 9, 3, 5]
    assert peer_of(GRADED, order, weights=weights) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([("en", 1), ("en", 1), ("de", 0)], id="one language has relevant documents"),
        pytest.param([("en", 1), ("de", 1), ("sv", 1)], id="each language has one: H is 2 in every order"),
    ],
)
def test_no_value_where_nothing_can_be_told(documents: list[tuple[str, int]]) -> None:
    assert math.isnan(peer_of(documents, [0, 1, 2]))
    assert math.isnan(peer_of(documents, [2, 1, 0]))


def test_no_value_in_pools_of_one_language() -> None:
    lists = one_list(TWO_AND_TWO)
    values = peer(RelevantDocuments.of(lists), lists.documents)
    single = [pool != MIXED for pool in lists.pools]
    assert np.isnan(values[single]).all()
    assert not np.isnan(values[lists.pools.index(MIXED)])


def many_lists(chance: np.random.Generator) -> tuple[RelevantDocuments, IntArray]:
    """2,400 mixed lists with 26 relevant documents each, of ten languages and three grades."""
    spoken = chance.integers(0, 10, DOCUMENTS)
    documents = np.concatenate([chance.permutation(DOCUMENTS)[:RELEVANT] for _ in range(LISTS)])
    rows, grades = np.repeat(np.arange(LISTS), RELEVANT), chance.integers(1, 4, LISTS * RELEVANT)
    asked = np.zeros(LISTS, dtype=np.int64)
    languages = spoken[documents]
    relevant = RelevantDocuments(
        rows=rows,
        documents=documents,
        grades=grades,
        languages=languages,
        own=languages == 0,
        mixed=np.ones(LISTS, dtype=bool),
        asked=asked,
        spoken=spoken,
    )
    ranked = np.stack([chance.permutation(DOCUMENTS)[:DEPTH] for _ in range(LISTS)])
    ranked[chance.random(LISTS) < 0.1, 20:] = NOTHING
    return relevant, ranked


def by_scipy(relevant: RelevantDocuments, ranked: IntArray, row: int, cutoff: int) -> float:
    """The mean p of one list's grades, document by document."""
    places = {document: rank for rank, document in enumerate(ranked[row, :cutoff].tolist(), 1) if document >= 0}
    found: list[float] = []
    for grade in (1, 2, 3):
        samples: dict[int, list[int]] = {}
        for entry in np.flatnonzero((relevant.rows == row) & (relevant.grades == grade)).tolist():
            rank = places.get(int(relevant.documents[entry]), 1000)
            samples.setdefault(int(relevant.languages[entry]), []).append(rank)
        if len(samples) > 1 and any(len(sample) > 1 for sample in samples.values()):
            tied = len({rank for sample in samples.values() for rank in sample}) == 1
            found.append(1.0 if tied else float(scipy.stats.kruskal(*samples.values()).pvalue))
    return float(np.mean(found)) if found else math.nan


@pytest.mark.parametrize("cutoff", [10, DEPTH])
def test_as_scipy_and_fast(cutoff: int) -> None:
    """A list takes less than a quarter of a core's time that SciPy needs for one, whatever the machine."""
    relevant, ranked = many_lists(np.random.default_rng(5))
    began = time.process_time()
    values = peer(relevant, ranked, cutoff=cutoff)
    ours = time.process_time() - began
    some = range(0, LISTS, 16)
    began = time.process_time()
    expected = [by_scipy(relevant, ranked, row, cutoff) for row in some]
    theirs = time.process_time() - began
    assert ours / LISTS < theirs / len(some) / 4
    assert values[list(some)] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert np.nanmax(values) - np.nanmin(values) > 0.5


def test_chi_square_as_scipy() -> None:
    x, degrees = np.meshgrid([0.0, 1e-6, 0.3, 1.0, 7.5, 40.0, 400.0], np.arange(1, 30))
    expected = scipy.stats.chi2.sf(x.ravel(), degrees.ravel())
    assert chi_square_tail(x.ravel(), degrees.ravel()) == pytest.approx(expected, rel=1e-11, abs=1e-300)


def test_chi_square_without_degrees_of_freedom_is_certain() -> None:
    assert chi_square_tail(np.array([0.0, 3.0]), np.array([0, 0])).tolist() == [1.0, 1.0]
