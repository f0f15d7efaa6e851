"""Own-language shares, Language Preference Rate, Lang-nDCG and what comes first, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import ir_measures
import numpy as np
import numpy.typing as npt
import pytest

from interlingua.base.errors import InputError
from interlingua_client.embedder import IntArray
from interlingua_evaluation.bias.language_preference import lang_ndcg, language_preference_rate
from interlingua_evaluation.bias.own_language import relevant_own_share
from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
from interlingua_evaluation.measures.gains import Gains
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from tests.evaluation.small_dataset import small_dataset

# Documents: cat dog sun moon tree fish in en (0 to 5), de (6 to 11), sv (12 to 17).
# Query 0 is "cat" in English: cat has grade 2, dog has grade 1, in every language.
SIX_LANGUAGES = ("en", "de", "sv", "fr", "es", "ru")


@pytest.fixture
def lists() -> CandidateLists:
    return candidate_lists(small_dataset(), Matrix(np.zeros((18, 18), np.float32)), 6)


@pytest.fixture
def of_cat(lists: CandidateLists) -> int:
    return next(row for row, pool in enumerate(lists.pools) if pool == MIXED and lists.queries[row] == 0)


def ranked(lists: CandidateLists, row: int, documents: list[int]) -> IntArray:
    """The lists' own order, but for one of them."""
    order = lists.documents.copy()
    order[row] = documents + [NOTHING] * (order.shape[1] - len(documents))
    return order


def shuffled(lists: CandidateLists, seed: int) -> IntArray:
    """Mixed lists in an order by chance, cut off at a length by chance, down to none."""
    chance = np.random.default_rng(seed)
    order = lists.documents.copy()
    for row, pool in enumerate(lists.pools):
        if pool == MIXED:
            order[row] = chance.permutation(order[row])
            order[row, chance.integers(0, order.shape[1] + 1) :] = NOTHING
    return order


def without_own(lists: CandidateLists) -> CandidateLists:
    """The same lists, but nothing in English is relevant to "cat" in English."""
    qrels = dict(lists.dataset.qrels)
    qrels["q-cat.en"] = {
        document: grade for document, grade in qrels["q-cat.en"].items() if not document.endswith(".en")
    }
    return CandidateLists(
        dataset=replace(lists.dataset, qrels=qrels),
        queries=lists.queries,
        pools=lists.pools,
        documents=lists.documents,
        scores=lists.scores,
        not_a_number=lists.not_a_number,
    )


def test_ranks_of_the_relevant(lists: CandidateLists, of_cat: int) -> None:
    relevant = RelevantDocuments.of(lists)
    mine = relevant.rows == of_cat
    order = ranked(lists, of_cat, [17, 6, 1, 13])
    # cat.en dog.en cat.de dog.de cat.sv dog.sv; 13 is in fourth place: behind a cutoff of 3
    numbers = relevant.documents[mine].tolist()
    assert dict(zip(numbers, relevant.ranks(order, 6)[mine].tolist(), strict=True)) == {
        0: 7, 1: 3, 6: 2, 7: 7, 12: 7, 13: 4,
    }  # fmt: skip
    assert dict(zip(numbers, relevant.ranks(order, 3)[mine].tolist(), strict=True)) == {
        0: 4, 1: 3, 6: 2, 7: 4, 12: 4, 13: 4,
    }  # fmt: skip


def test_a_third_of_what_is_relevant_is_in_the_own_language(lists: CandidateLists, of_cat: int) -> None:
    shares = relevant_own_share(RelevantDocuments.of(lists))
    assert shares[of_cat] == pytest.approx(1 / 3)  # cat.en and dog.en of six
    assert np.isnan(shares[[pool != MIXED for pool in lists.pools]]).all()


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([0, 6, 12], 1.0, id="own first"),
        pytest.param([6, 0, 12], 0.0, id="own second"),
        pytest.param([5, 3, 0], 1.0, id="own alone, behind what is not relevant"),
        pytest.param([1, 6, 0], 0.0, id="a lower grade in the own language is no version"),
        pytest.param([7, 0, 6], 1.0, id="nor is one in another"),
        pytest.param([12], 0.0, id="only another"),
        pytest.param([1, 2, 3], math.nan, id="no version found"),
        pytest.param([], math.nan, id="nothing found"),
    ],
)
def test_language_preference_rate(lists: CandidateLists, of_cat: int, documents: list[int], expected: float) -> None:
    values = language_preference_rate(RelevantDocuments.of(lists), ranked(lists, of_cat, documents))
    assert values[of_cat] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([0, 6, 12, 1, 7, 13], 1.0, id="ideal"),
        pytest.param([0, 12, 6, 1, 13, 7], 1.0, id="other languages have no order"),
        pytest.param([6, 0, 1], (1 + 2 / math.log2(3) + 1 / 2), id="another language first"),
        pytest.param([2, 13], 0.5 / math.log2(3), id="a lower grade in another language"),
        pytest.param([2, 3], 0.0, id="none"),
        pytest.param([], 0.0, id="nothing found"),
    ],
)
def test_lang_ndcg(lists: CandidateLists, of_cat: int, documents: list[int], expected: float) -> None:
    # gains: cat.en 2, cat.de and cat.sv half of it, dog.en 1, dog.de and dog.sv half of it
    ideal = sum(gain / math.log2(rank + 1) for rank, gain in enumerate([2, 1, 1, 1, 0.5, 0.5], start=1))
    values = lang_ndcg(RelevantDocuments.of(lists), ranked(lists, of_cat, documents))
    assert values[of_cat] == pytest.approx(expected if expected == 1.0 else expected / ideal)


@pytest.mark.parametrize("kind", ["linear", "exponential"])
def test_lang_ndcg_by_ir_measures(kind: Gains) -> None:
    """Twelve are relevant, so that the ideal is cut off at ten; twice the gains are whole numbers for ir-measures."""
    lists = candidate_lists(small_dataset(SIX_LANGUAGES), Matrix(np.zeros((36, 36), np.float32)), 36)
    order = shuffled(lists, seed=1)
    values = lang_ndcg(RelevantDocuments.of(lists), order, gains=kind)
    languages = [document.language for document in lists.dataset.documents]
    gains = {
        str(row): {
            str(document): (grade if kind == "linear" else 2**grade - 1)
            * (2 if languages[document] == lists.pairs[row].asked else 1)
            for document, grade in lists.grades[row].items()
        }
        for row in np.flatnonzero(~np.isnan(values)).tolist()
    }
    run = {
        row: {str(document): -float(rank) for rank, document in enumerate(order[int(row)].tolist()) if document >= 0}
        for row in gains
    }
    expected = {metric.query_id: metric.value for metric in ir_measures.iter_calc([ir_measures.nDCG @ 10], gains, run)}
    assert len(expected) == 36
    assert {row: values[int(row)] for row in expected} == pytest.approx(expected, abs=1e-6)


def test_worth_the_same_it_is_ndcg(lists: CandidateLists) -> None:
    order = shuffled(lists, seed=2)
    mixed = np.array([pool == MIXED for pool in lists.pools])
    values = lang_ndcg(RelevantDocuments.of(lists), order, other_language=1.0)
    assert values[mixed] == pytest.approx(Judge(lists).ndcg(order)[mixed], abs=1e-6)


def everything(lists: CandidateLists, order: IntArray) -> dict[str, npt.NDArray[np.float64]]:
    relevant = RelevantDocuments.of(lists)
    return {
        "rate": language_preference_rate(relevant, order),
        "ndcg": lang_ndcg(relevant, order),
    }


def test_without_a_relevant_document_in_the_own_language_nothing_is_defined(lists: CandidateLists, of_cat: int) -> None:
    lists = without_own(lists)
    for name, values in everything(lists, ranked(lists, of_cat, [0, 6, 12])).items():
        assert np.isnan(values[of_cat]), name
    assert relevant_own_share(RelevantDocuments.of(lists))[of_cat] == 0


def test_in_pools_of_one_language_nothing_is_defined(lists: CandidateLists) -> None:
    single = np.array([pool != MIXED for pool in lists.pools])
    assert single.sum() == 3 * 18
    for name, values in everything(lists, lists.documents).items():
        assert np.isnan(values[single]).all(), name
        assert not np.isnan(values[~single]).all(), name


def test_with_one_language_there_is_no_preference() -> None:
    lists = candidate_lists(small_dataset(("en",)), Matrix(np.eye(6, dtype=np.float32)), 3)
    values = everything(lists, lists.documents)
    assert np.isnan(values["rate"]).all()
    mixed = np.array([pool == MIXED for pool in lists.pools])
    assert relevant_own_share(RelevantDocuments.of(lists))[mixed].tolist() == [1.0] * 6


def test_gains_outside_of_0_to_1_are_refused(lists: CandidateLists) -> None:
    with pytest.raises(InputError, match=r"is 1\.5, it must be from 0 to 1"):
        lang_ndcg(RelevantDocuments.of(lists), lists.documents, other_language=1.5)
