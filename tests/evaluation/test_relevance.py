"""nDCG@10, recall and the own-language share, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
import pytrec_eval

from interlingua.base.errors import InputError
from interlingua_client.embedder import IntArray
from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.measures.gains import Gains
from interlingua_evaluation.measures.relevance import MEASURES, MRR, NDCG, RECALL, Judge
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from tests.evaluation.small_dataset import small_dataset

# Documents: cat dog sun moon tree fish in en (0 to 5), de (6 to 11), sv (12 to 17).
# Query 0 is "cat" in English: cat has grade 2, dog has grade 1, in every language.
IDEAL_OF_ONE_LANGUAGE = 2 + 1 / math.log2(3)


@pytest.fixture
def lists() -> CandidateLists:
    return candidate_lists(small_dataset(), Matrix(np.zeros((18, 18), np.float32)), 6)


def of_cat(lists: CandidateLists, pool: str, documents: list[int]) -> IntArray:
    """The lists' own order, but for the English question about cats in one pool."""
    ranked = lists.documents.copy()
    ranked[_row(lists, pool)] = documents + [NOTHING] * (6 - len(documents))
    return ranked


def _row(lists: CandidateLists, pool: str) -> int:
    return next(row for row in range(len(lists.pools)) if lists.pools[row] == pool and lists.queries[row] == 0)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([6, 7, 8], 1.0, id="ideal"),
        pytest.param([7, 6], (1 + 2 / math.log2(3)) / IDEAL_OF_ONE_LANGUAGE, id="the two exchanged"),
        pytest.param([8, 9, 6, 10, 7], (2 / math.log2(4) + 1 / math.log2(6)) / IDEAL_OF_ONE_LANGUAGE, id="3rd and 5th"),
        pytest.param([8, 9, 10, 11], 0.0, id="neither"),
        pytest.param([], 0.0, id="nothing found"),
    ],
)
def test_ndcg_of_one_language(lists: CandidateLists, documents: list[int], expected: float) -> None:
    values = Judge(lists).ndcg(of_cat(lists, "de", documents))
    assert values[_row(lists, "de")] == pytest.approx(expected)


def test_ndcg_of_the_mixed_pool(lists: CandidateLists) -> None:
    # found: cat.sv, dog.en, sun.en; ideal: three cats, then three dogs
    discounts = [1 / math.log2(rank + 1) for rank in range(1, 7)]
    expected = (2 * discounts[0] + 1 * discounts[1]) / (2 * sum(discounts[:3]) + sum(discounts[3:]))
    values = Judge(lists).ndcg(of_cat(lists, MIXED, [12, 1, 2]))
    assert values[_row(lists, MIXED)] == pytest.approx(expected)


def test_only_the_first_ten_count() -> None:
    lists = candidate_lists(small_dataset(), Matrix(np.zeros((18, 18), np.float32)), 18)
    ranked = lists.documents.copy()
    others = [2, 3, 4, 5, 8, 9, 10, 11, 14, 15]
    ranked[_row(lists, MIXED)] = [*others, 0, 1, 6, 7, 12, 13, 16, 17]
    assert Judge(lists).ndcg(ranked)[_row(lists, MIXED)] == 0


@pytest.mark.parametrize(
    ("gains", "gain"), [("linear", float), ("exponential", lambda grade: 2.0**grade - 1)], ids=["linear", "exponential"]
)
def test_ndcg_agrees_with_another_computation(
    lists: CandidateLists, gains: Gains, gain: Callable[[int], float]
) -> None:
    """Every list in a random order, against the formula written out with numpy."""
    generator = np.random.default_rng(7)
    ranked = np.array([generator.permutation(row) for row in lists.documents])
    values = Judge(lists, gains).ndcg(ranked)
    discounts = 1 / np.log2(np.arange(2, 12))
    for row, grades in enumerate(lists.grades):
        gained = np.array([gain(grades.get(document, 0)) for document in ranked[row].tolist()])
        ideal = np.sort([gain(grade) for grade in grades.values()])[::-1][:10]
        assert values[row] == pytest.approx(gained @ discounts[: len(gained)] / (ideal @ discounts[: len(ideal)]))


@pytest.mark.parametrize("grades", [(1, 2), (1, 3), (20, 100), (37, 31), (64, 1)], ids=str)
def test_the_default_is_trec_evals_ndcg_cut(lists: CandidateLists, grades: tuple[int, int]) -> None:
    """pytrec_eval, which is trec_eval's own code, on the same judgments and run, whatever the grades."""
    dataset = with_grades(lists, dict(zip((1, 2), grades, strict=True)))
    generator = np.random.default_rng(11)
    graded = candidate_lists(dataset, Matrix(generator.random((18, 18)).astype(np.float32)), 18)
    qrels = {str(row): {str(key): grade for key, grade in of.items()} for row, of in enumerate(graded.grades)}
    run = {
        str(row): {str(document): -float(rank) for rank, document in enumerate(order) if document != NOTHING}
        for row, order in enumerate(graded.documents.tolist())
    }
    expected = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10"}).evaluate(run)
    values = Judge(graded).ndcg(graded.documents)
    assert values.tolist() == pytest.approx([expected[str(row)]["ndcg_cut_10"] for row in range(len(values))])


@pytest.mark.parametrize(
    ("gains", "grade", "said"),
    [
        ("exponential", 21, "20 at most with exponential gains, this is 21"),
        ("exponential", 10**400, "20 at most"),
        ("linear", 1 << 20, "1,048,575 at most with linear gains, this is 1048576"),
        ("linear", 10**400, r"this is over 10\^12"),
    ],
    ids=["exponential", "huge, exponential", "linear", "huge, linear"],
)
def test_a_grade_beyond_the_bound_is_refused(lists: CandidateLists, gains: Gains, grade: int, said: str) -> None:
    high = replace(lists, dataset=with_grades(lists, {2: grade}))
    with pytest.raises(InputError, match=rf"query '.*', document '.*': a grade may be .*{said}"):
        Judge(high, gains)


def with_grades(lists: CandidateLists, of: Mapping[int, int]) -> Dataset:
    qrels = lists.dataset.qrels.items()
    return replace(lists.dataset, qrels={q: {d: of.get(g, g) for d, g in grades.items()} for q, grades in qrels})


def test_all_measures_agree_with_another_computation(lists: CandidateLists) -> None:
    """Random orders, some lists cut short or empty, against the definitions written out."""
    generator = np.random.default_rng(9)
    ranked = np.array([generator.permutation(row) for row in lists.documents])
    for row, length in enumerate(generator.integers(0, 7, size=len(ranked)).tolist()):
        ranked[row, length:] = NOTHING
    found = Judge(lists).measure(ranked)
    assert set(found) == set(MEASURES)
    np.testing.assert_allclose(found[NDCG], Judge(lists).ndcg(ranked))
    for row, grades in enumerate(lists.grades):
        places = [place for place, document in enumerate(ranked[row].tolist(), start=1) if document in grades]
        assert found[MRR][row] == pytest.approx(1 / places[0] if places else 0)
        assert found[RECALL][row] == pytest.approx(len(places) / len(grades))


def test_recall_is_the_share_of_the_answers_in_the_list(lists: CandidateLists) -> None:
    recall = Judge(lists).recall(of_cat(lists, MIXED, [12, 1, 2]))
    assert recall[_row(lists, MIXED)] == pytest.approx(2 / 6)
    assert recall[_row(lists, "de")] == 1


def test_own_share_of_the_mixed_pool(lists: CandidateLists) -> None:
    shares = Judge(lists).own_share(of_cat(lists, MIXED, [0, 6, 1, 12]))
    assert shares[_row(lists, MIXED)] == pytest.approx(2 / 4)
    assert np.isnan(shares[_row(lists, "de")])
