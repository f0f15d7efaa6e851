"""Kinds of offsets by hand, and what the studies make of a collection whose languages lie apart by a constant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.gap.gap_study import NUMBERS, GapRow, GapStudy
from interlingua_evaluation.gap.offset_variants import KINDS, SampledVectors
from interlingua_evaluation.gap.stand_in_queries import stand_ins
from interlingua_evaluation.gap.switch_study import one_language_each, with_translations, without_translations
from interlingua_evaluation.serving import EmbeddingService
from interlingua_evaluation.systems.dense_vectors import dense_vectors
from interlingua_evaluation.systems.system_name import SystemName
from interlingua_evaluation.systems.system_runs import SystemRuns
from tests.evaluation.small_dataset import LANGUAGES, TOPICS, small_dataset
from tests.support.hash_embedder import HashEmbedder

X, Y, MINUS_X = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


@pytest.fixture
def sampled() -> SampledVectors:
    """Two English documents at x and y, two German ones at -x and y; queries all at y."""
    documents = np.array([X, Y, MINUS_X, Y], np.float32)
    return SampledVectors(documents, np.array([Y] * 4, np.float32), np.array(["en", "en", "de", "de"]))


def test_plain_means(sampled: SampledVectors) -> None:
    offsets = sampled.offsets("unshrunken")
    np.testing.assert_allclose(offsets.documents.of("en"), [0.5, 0.5])
    np.testing.assert_allclose(offsets.documents.of("de"), [-0.5, 0.5])
    np.testing.assert_allclose(offsets.queries.of("en"), Y)


def test_with_the_global_mean_kept_only_the_distance_from_it_is_taken_off(sampled: SampledVectors) -> None:
    offsets = sampled.offsets("global kept")  # the mean of all documents is (0, 0.5)
    np.testing.assert_allclose(offsets.documents.of("en"), [0.5, 0])
    np.testing.assert_allclose(offsets.documents.of("de"), [-0.5, 0])
    np.testing.assert_allclose(offsets.queries.of("de"), [0, 0])


def test_one_mean_serves_both_roles(sampled: SampledVectors) -> None:
    offsets = sampled.offsets("one mean")
    np.testing.assert_array_equal(offsets.documents.of("en"), offsets.queries.of("en"))


def test_shrunken_means_lie_between_the_language_and_all(sampled: SampledVectors) -> None:
    shrunken, plain = (sampled.offsets(kind).documents.of("en") for kind in ("separate", "unshrunken"))
    assert 0 <= shrunken[0] < plain[0] == 0.5


def test_the_first_few_of_a_language_and_all_of_the_others(sampled: SampledVectors) -> None:
    few = sampled.first({"en": 1}, seed=3)
    assert few.languages.tolist() == ["en", "de", "de"]
    assert few.documents[0].tolist() in (X, Y)
    np.testing.assert_array_equal(few.documents, sampled.first({"en": 1}, seed=3).documents)


@pytest.fixture
def service() -> EmbeddingService:
    embedder = HashEmbedder()

    @contextmanager
    def connect() -> Iterator[HashEmbedder]:
        yield embedder

    return EmbeddingService(embedder.identity.digest, connect)


@pytest.fixture
def dataset() -> Dataset:
    return small_dataset()


def test_nothing_is_learned_from_the_pages_that_are_asked_about(
    dataset: Dataset, service: EmbeddingService, tmp_path: Path
) -> None:
    asked = {query.group for query in dataset.queries if query.half == "test"}
    sample = stand_ins(dataset, tmp_path, service, of_half="test")
    assert 0 < len(asked) < len(TOPICS)
    assert len(sample.languages) == len(LANGUAGES) * (len(TOPICS) - len(asked))
    vectors = dense_vectors(dataset, tmp_path, service)
    hidden = [vectors.documents[n] for n, document in enumerate(dataset.documents) if document.group in asked]
    assert not any(np.array_equal(row, vector) for row in sample.documents for vector in hidden)


@pytest.fixture
def study(dataset: Dataset, service: EmbeddingService, tmp_path: Path) -> GapStudy:
    vectors = dense_vectors(dataset, tmp_path, service)
    return GapStudy(dataset, vectors, stand_ins(dataset, tmp_path, service, of_half="test"), "test")


def mixed(row: GapRow) -> float:
    assert row.mixed is not None
    return row.mixed.mean


def test_offsets_close_a_gap_that_is_a_constant_per_language(study: GapStudy) -> None:
    rows = {row.name: row for row in study.kinds()}
    none, served = rows["none"], rows[KINDS["separate"]]
    assert set(KINDS.values()) < rows.keys()
    assert mixed(served) > mixed(none) + 0.1


def test_numbers_and_a_scarce_language_are_measured_for_both_kinds(study: GapStudy) -> None:
    for rows in (list(study.numbers()), list(study.scarce("sv"))):
        assert [number for number, _ in rows] == [number for number in NUMBERS for _ in range(2)]
        assert all(0 <= mixed(row) <= 1 for _, row in rows)


def test_one_document_of_every_group_is_drawn(dataset: Dataset) -> None:
    kept = one_language_each(dataset, seed=1)
    drawn = [document.group for document, is_kept in zip(dataset.documents, kept, strict=True) if is_kept]
    assert sorted(drawn) == sorted(TOPICS)
    assert not np.array_equal(kept, one_language_each(dataset, seed=2))


def test_without_translations_only_what_was_drawn_is_found_and_relevant(study: GapStudy) -> None:
    dataset = study.dataset
    kept = one_language_each(dataset, seed=1)
    there = {document.id for document, is_kept in zip(dataset.documents, kept, strict=True) if is_kept}
    qrels = {
        query: {id_: grade for id_, grade in grades.items() if id_ in there} for query, grades in dataset.qrels.items()
    }
    asked_in = [query.language for query in dataset.queries]
    runs = SystemRuns(
        dataset=replace(dataset, qrels=qrels), vectors=lambda: study.vectors, asked_in=asked_in, scorer=None, kept=kept
    )
    (run,) = runs.of([SystemName.parse("dense+offsets")])
    found = {dataset.documents[number].id for number in run.lists.documents[run.lists.filled].tolist()}
    assert found == there


def test_both_collections_are_measured_for_the_same_systems(study: GapStudy) -> None:
    asked_in = [query.language for query in study.dataset.queries]
    runs = SystemRuns(dataset=study.dataset, vectors=lambda: study.vectors, asked_in=asked_in, scorer=None)
    names = ("dense", "dense+offsets", "dense+calibration")
    with_, without = with_translations(runs, "test", names), list(without_translations(runs, "test", names))
    assert [row.name for row in with_] == [row.name for row in without] == list(names)
    assert mixed(with_[1]) > mixed(with_[0])
