"""Candidates that names and codes bring to lists that know nothing of them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from interlingua_client.index.language_offsets import unit
from interlingua_client.index.words.exact_matches import ADDED
from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.datasets.sources import open_dataset
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.code_candidates import CodeLeg
from interlingua_evaluation.systems.dense_vectors import DenseStage

DEPTH = 5


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset("helpdesk12-codes")


@pytest.fixture(scope="module")
def stage(dataset: Dataset) -> DenseStage:
    """Vectors that say nothing."""
    random = np.random.default_rng(7)
    queries, documents = (
        unit(random.normal(size=(len(texts), 8)).astype(np.float32)) for texts in (dataset.queries, dataset.documents)
    )
    return DenseStage(queries, documents)


@pytest.fixture(scope="module")
def lists(dataset: Dataset, stage: DenseStage) -> tuple[CandidateLists, CandidateLists]:
    before = candidate_lists(dataset, stage, DEPTH)
    return before, CodeLeg(dataset).added(before, stage)


def test_the_articles_with_the_code_are_candidates_in_every_pool(
    lists: tuple[CandidateLists, CandidateLists],
) -> None:
    _, after = lists
    found = [set(judged) <= set(row.tolist()) for judged, row in zip(after.grades, after.documents, strict=True)]
    assert all(found)


def test_a_pool_of_one_language_gets_that_language_and_no_list_more_than_it_may(
    dataset: Dataset, lists: tuple[CandidateLists, CandidateLists]
) -> None:
    before, after = lists
    assert after.documents.shape[1] == DEPTH + ADDED
    for pool, old, new in zip(after.pools, before.documents, after.documents, strict=True):
        there = new[new != NOTHING].tolist()
        assert set(old[old != NOTHING].tolist()) <= set(there)
        assert len(set(there)) == len(there)
        assert pool == MIXED or {dataset.documents[number].language for number in there} == {pool}


def test_what_is_added_has_the_first_stages_scores(
    stage: DenseStage, lists: tuple[CandidateLists, CandidateLists]
) -> None:
    _, after = lists
    for row in range(0, len(after.queries), 97):
        there = after.filled[row]
        expected = stage.documents[after.documents[row][there]] @ stage.queries[after.queries[row]]
        np.testing.assert_allclose(after.scores[row][there], expected, atol=1e-6)
        assert (np.diff(after.scores[row][there]) <= 0).all()


def test_documents_that_are_not_searched_are_not_added(dataset: Dataset, stage: DenseStage) -> None:
    kept = np.array(["~" not in document.id for document in dataset.documents])
    before = candidate_lists(dataset, stage, DEPTH)
    after = CodeLeg(dataset).added(before, stage, kept)
    new = [set(a.tolist()) - set(b.tolist()) for a, b in zip(after.documents, before.documents, strict=True)]
    assert all(kept[list(numbers - {NOTHING})].all() for numbers in new)


def test_what_holds_the_code_comes_first_in_the_order_it_had(
    dataset: Dataset, lists: tuple[CandidateLists, CandidateLists]
) -> None:
    _, before = lists
    after = CodeLeg(dataset).first(before)
    for row, judged in enumerate(before.grades):
        there = before.documents[row][before.filled[row]].tolist()
        is_named = re.search(r"[A-Za-z]-?\d", dataset.queries[before.queries[row]].text)  # "4.2" may be any number
        answers = [number for number in there if number in judged and is_named]
        assert (np.diff(after.scores[row][: len(there)]) <= 0).all()
        assert after.documents[row][: len(there)].tolist() == [
            *answers,
            *(number for number in there if number not in answers),
        ]
