"""The graph's neighbours against exact search."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.embedder import FloatArray
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.vector_index import VectorIndex
from interlingua_evaluation.systems.ann_recall import ann_recall


def random_vectors(number: int, dimension: int, seed: int) -> FloatArray:
    return unit(np.random.default_rng(seed).normal(size=(number, dimension)).astype(np.float32))


def test_all_candidates_find_all_neighbours() -> None:
    documents, queries = random_vectors(300, 16, 1), random_vectors(20, 16, 2)
    (full,) = ann_recall(documents, queries, 10, [300])
    assert (full.ef_search, full.k, full.recall, full.worst, full.unreached) == (300, 10, 1.0, 1.0, 0)
    assert full.p50_us > 0


def test_more_candidates_find_more() -> None:
    """A thin graph over vectors that are hard to tell apart."""
    documents, queries = random_vectors(5000, 48, 3), random_vectors(60, 48, 4)
    found = ann_recall(documents, queries, 10, [10, 50, 400], HnswParameters(m=4, ef_construction=20))
    assert [setting.ef_search for setting in found] == [10, 50, 400]
    assert all(less.recall < more.recall for less, more in pairwise(found))
    assert found[0].recall < 0.6
    assert all(0 <= setting.worst <= setting.recall <= 1 for setting in found)


def test_as_counted_by_distances() -> None:
    """The same recall by Euclidean distances in double precision and sets of labels, on a graph of one's own.

    The graph differs a little from run to run (it is built on several threads), its recall hardly does.
    """
    documents, queries = random_vectors(2000, 32, 5), random_vectors(100, 32, 6)
    parameters = HnswParameters(m=4, ef_construction=20, ef_search=20)
    graph = VectorIndex(32, parameters)
    graph.add(np.arange(2000), documents)
    shares = []
    for query in queries:
        distances = np.linalg.norm(documents.astype(np.float64) - query, axis=1)
        neighbours = graph.search(query, 10)
        assert neighbours is not None
        shares.append(len(set(np.argsort(distances)[:10].tolist()) & set(neighbours.labels.tolist())) / 10)
    (measured,) = ann_recall(documents, queries, 10, [20], parameters)
    assert 0.2 < measured.recall < 0.9
    assert measured.recall == pytest.approx(np.mean(shares), abs=0.08)


def test_duplicates_are_as_good_as_each_other() -> None:
    documents = np.repeat(random_vectors(10, 8, 7), 20, axis=0)
    (found,) = ann_recall(documents, documents[::20], 5, [200])
    assert (found.recall, found.worst) == (1.0, 1.0)


def test_fewer_documents_than_asked_for() -> None:
    documents = random_vectors(3, 8, 8)
    (found,) = ann_recall(documents, documents, 10, [64])
    assert (found.k, found.recall, found.unreached) == (3, 1.0, 0)


@pytest.mark.parametrize(("documents", "queries", "k"), [(0, 1, 10), (1, 0, 10), (1, 1, 0)])
def test_nothing_to_measure(documents: int, queries: int, k: int) -> None:
    with pytest.raises(InputError, match=f"{documents} documents and {queries} queries, k is {k}"):
        ann_recall(random_vectors(documents, 8, 9), random_vectors(queries, 8, 10), k)
