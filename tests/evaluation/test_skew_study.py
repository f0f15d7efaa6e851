"""Collections whose languages write about different things, and what is measured on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from interlingua.served.language_vectors import LanguageVectors, RoleVectors
from interlingua_evaluation.gap.skew_study import DRAWN, MODEL, NONE, WAYS, SkewStudy
from interlingua_evaluation.gap.stand_in_queries import every_stand_in
from interlingua_evaluation.gap.topic_skew import Collection
from interlingua_evaluation.serving import EmbeddingService
from interlingua_evaluation.systems.dense_vectors import dense_vectors
from tests.evaluation.small_dataset import LANGUAGES, TOPICS, small_dataset
from tests.support.hash_embedder import HashEmbedder


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    @contextmanager
    def connect() -> Iterator[HashEmbedder]:
        yield HashEmbedder()

    dataset, cache = small_dataset(), tmp_path_factory.mktemp("cache")
    service = EmbeddingService(HashEmbedder().identity.digest, connect)
    vectors = dense_vectors(dataset, cache, service)
    return Collection(dataset, vectors, every_stand_in(dataset, cache, service, vectors))


def test_without_skew_every_topic_is_in_every_language(collection: Collection) -> None:
    part = collection.skewed(0.0, 4, seed=1)
    assert Counter(document.language for document in part.dataset.documents) == dict.fromkeys(LANGUAGES, 4)


@pytest.mark.parametrize("seed", range(5))
def test_at_full_skew_a_topic_is_in_one_language(collection: Collection, seed: int) -> None:
    part = collection.skewed(1.0, None, seed)
    assert sorted(document.group for document in part.dataset.documents) == sorted(TOPICS)
    assert Counter(document.language for document in part.dataset.documents) == dict.fromkeys(LANGUAGES, 2)
    assert len(part.vectors.documents) == len(part.sample.languages) == len(TOPICS)
    assert part.sample.languages.tolist() == [document.language for document in part.dataset.documents]
    judged = {document for grades in part.dataset.qrels.values() for document in grades}
    assert judged == {document.id for document in part.dataset.documents}


def test_a_half_has_its_groups_alone(collection: Collection) -> None:
    halves = [collection.of_half(half) for half in ("development", "test")]
    groups = [{document.group for document in half.dataset.documents} for half in halves]
    assert groups[0] | groups[1] == set(TOPICS)
    assert not groups[0] & groups[1]
    for half, found in zip(halves, groups, strict=True):
        assert {query.group for query in half.dataset.queries} == found
        assert len(half.vectors.queries) == len(half.dataset.queries) == len(half.dataset.qrels)


def test_the_ways_are_compared_on_the_same_draws(collection: Collection) -> None:
    embedder = HashEmbedder()
    roles = []
    for role in ("document", "query"):
        words = ("red", "green", "blue", "grey", "pink")
        means = {
            tag: np.mean([embedder.vector(f"{tag}:{word}", role) for word in words], axis=0)  # type: ignore[arg-type]
            for tag in LANGUAGES
        }
        roles.append(RoleVectors.of_means(means))
    (row,) = SkewStudy(collection, LanguageVectors("hash-1", *roles)).rows([None], [1.0])
    assert (row.skew, row.topics, row.documents) == (1.0, None, len(TOPICS))
    assert tuple(row.ways) == WAYS
    assert all(0 <= means.mixed <= 1 for means in row.ways.values())
    # A language is a constant here, so that what knows the constants beats what knows nothing.
    assert row.ways[MODEL].mixed > row.ways[NONE].mixed
    assert row.ways[DRAWN].mixed > row.ways[NONE].mixed
    assert row.shortfall.mixed == pytest.approx(
        max(row.ways[NONE].mixed, row.ways["own means"].mixed) - row.ways[DRAWN].mixed
    )
