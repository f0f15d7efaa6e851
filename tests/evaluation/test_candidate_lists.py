"""The first stage by matrix products is the client's own search, document by document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import Embed, SearchRequest
from interlingua_client.search.search_steps import Searcher
from interlingua_evaluation.datasets.dataset import Dataset
from interlingua_evaluation.serving import EmbeddingService
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.dense_vectors import DenseVectors, dense_vectors
from interlingua_evaluation.systems.first_stage import Matrix
from tests.evaluation.small_dataset import LANGUAGES, small_dataset
from tests.support.hash_embedder import HashEmbedder

DEPTH = 4


@pytest.fixture
def dataset() -> Dataset:
    return small_dataset()


def service(embedder: HashEmbedder) -> EmbeddingService:
    @contextmanager
    def connect() -> Iterator[HashEmbedder]:
        yield embedder

    return EmbeddingService(embedder.identity.digest, connect)


@pytest.fixture
def vectors(dataset: Dataset, tmp_path: Path) -> DenseVectors:
    return dense_vectors(dataset, tmp_path, service(HashEmbedder()))


def searched(searcher: Searcher, request: SearchRequest) -> list[tuple[str, float]]:
    """What the retriever finds: its own steps, with the hash embedder in the server's place."""
    steps = searcher.steps(request)
    assert isinstance(next(steps), Embed)
    with pytest.raises(StopIteration) as end:
        steps.send(HashEmbedder().embed([request.query], "query"))
    return [(hit.id, hit.dense_score) for hit in end.value.value.hits]


@pytest.mark.parametrize("use_offsets", [True, False])
def test_lists_are_what_the_retriever_finds(
    dataset: Dataset, vectors: DenseVectors, tmp_path: Path, use_offsets: bool
) -> None:
    lists = candidate_lists(dataset, vectors.searched(dataset, use_offsets=use_offsets), DEPTH)
    (index,) = tmp_path.glob("small-*/index")
    searcher = Searcher(SearchIndex.open(index, use_offsets=use_offsets), has_reranker=False)
    for number, pool, documents, scores in zip(lists.queries, lists.pools, lists.documents, lists.scores, strict=True):
        query = dataset.queries[number]
        languages = [] if pool == MIXED else [pool]
        options = SearchOptions(
            k=DEPTH, candidates=DEPTH, languages=languages, query_language=query.language, rerank=False
        )
        found = searched(searcher, SearchRequest(query.text, options))
        assert [dataset.documents[document].id for document in documents] == [id_ for id_, _ in found]
        assert scores == pytest.approx([score for _, score in found], abs=1e-5)


def test_offsets_change_what_is_found(dataset: Dataset, vectors: DenseVectors) -> None:
    raw, removed = (
        candidate_lists(dataset, vectors.searched(dataset, use_offsets=use), DEPTH) for use in (False, True)
    )
    assert not np.array_equal(raw.documents, removed.documents)


def test_every_query_has_a_list_in_every_pool_that_has_an_answer(dataset: Dataset) -> None:
    without = [document for document in dataset.documents if document.id not in ("tree.de", "fish.de")]
    qrels = {
        query: {document: grade for document, grade in grades.items() if document not in ("tree.de", "fish.de")}
        for query, grades in dataset.qrels.items()
    }
    fewer = Dataset("fewer", tuple(without), dataset.queries, qrels, {})
    lists = candidate_lists(fewer, Matrix(np.zeros((18, 16), np.float32)), DEPTH)
    found = {(fewer.queries[number].id, pool) for number, pool in zip(lists.queries, lists.pools, strict=True)}
    # q-tree asks for tree (2) and fish (1), q-fish for fish alone: neither has an answer in German
    expected = {(query.id, pool) for query in fewer.queries for pool in (*LANGUAGES, MIXED)}
    expected -= {(f"q-{topic}.{tag}", "de") for topic in ("tree", "fish") for tag in LANGUAGES}
    assert found == expected
    assert len(lists.queries) == len(expected)


def test_a_pool_with_fewer_documents_than_a_list_is_deep(dataset: Dataset) -> None:
    lists = candidate_lists(dataset, Matrix(np.zeros((18, 18), np.float32)), 10)
    assert lists.documents.shape == (18 * 4, 10)
    row = lists.pools.index("de")
    assert lists.documents[row].tolist() == [6, 7, 8, 9, 10, 11, *[NOTHING] * 4]
    assert lists.filled[row].sum() == 6


def test_of_equally_near_documents_the_earlier_comes_first(dataset: Dataset) -> None:
    similarities = np.zeros((18, 18), np.float32)
    similarities[0, [5, 3]] = 1
    lists = candidate_lists(dataset, Matrix(similarities), DEPTH)
    assert lists.documents[lists.pools.index("en")].tolist() == [3, 5, 0, 1]


def test_grades_are_those_of_the_pool(dataset: Dataset) -> None:
    lists = candidate_lists(dataset, Matrix(np.zeros((18, 18), np.float32)), DEPTH)

    def grades(lists: CandidateLists, pool: str) -> dict[str, int]:
        row = next(row for row in range(len(lists.pools)) if lists.pools[row] == pool and lists.queries[row] == 0)
        return {dataset.documents[document].id: grade for document, grade in lists.grades[row].items()}

    assert grades(lists, "de") == {"cat.de": 2, "dog.de": 1}
    assert grades(lists, MIXED) == {
        f"{topic}.{tag}": 3 - 1 - (topic == "dog") for topic in ("cat", "dog") for tag in LANGUAGES
    }


def test_vectors_are_kept_and_not_embedded_again(dataset: Dataset, tmp_path: Path) -> None:
    first, second = HashEmbedder(), HashEmbedder()
    embedded = dense_vectors(dataset, tmp_path, service(first))
    kept = dense_vectors(dataset, tmp_path, service(second))
    assert len(first.embedded) > 0
    assert second.embedded == []
    np.testing.assert_array_equal(embedded.documents, kept.documents)
    np.testing.assert_array_equal(embedded.queries, kept.queries)
    assert kept.offsets.distance(embedded.offsets) == 0


@pytest.mark.parametrize("content", ["nan", "shape", "cut"])
def test_kept_vectors_that_are_damaged_are_named(dataset: Dataset, tmp_path: Path, content: str) -> None:
    dense_vectors(dataset, tmp_path, service(HashEmbedder()))
    (file,) = tmp_path.glob("small-*/queries.npy")
    vectors = np.load(file)
    np.save(file, np.full_like(vectors, np.nan) if content == "nan" else vectors[1:])
    if content == "cut":
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"queries\.npy is damaged .*: remove it"):
        dense_vectors(dataset, tmp_path, service(HashEmbedder()))


def test_another_embedder_or_another_text_is_embedded_again(dataset: Dataset, tmp_path: Path) -> None:
    dense_vectors(dataset, tmp_path, service(HashEmbedder()))
    for other, texts in ((HashEmbedder("hash-2"), dataset), (HashEmbedder(), small_dataset(("en", "de")))):
        dense_vectors(texts, tmp_path, service(other))
        assert len(other.embedded) > 0
