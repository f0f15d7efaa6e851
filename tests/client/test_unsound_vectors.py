"""Vectors that are not finite, or of another length, are named where they come in, and made again where they lie."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InterlinguaError, ServerError
from interlingua_client.document import Document
from interlingua_client.embedder import Embedded, FloatArray, Reranked, Role, ServiceTimes
from interlingua_client.index import search_index
from interlingua_client.index.document_store import STORE_FILE, DocumentStore, StoreDamagedError
from interlingua_client.index.indexer import Indexer, IndexOutcome
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.index.vector_index import VectorIndex
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import SearchRequest
from interlingua_client.search.search_steps import Searcher
from tests.support.hash_embedder import DIMENSION, HashEmbedder

BAD = {
    "nan": np.full(DIMENSION, np.nan, np.float32),
    "infinite": np.full(DIMENSION, np.inf, np.float32),
    "too long to have a length": np.full(DIMENSION, 1e30, np.float32),
}


class Overflowing(HashEmbedder):
    """Gives a vector that is none for some texts, in one role."""

    def __init__(self, vector: FloatArray, role: Role, where: Callable[[str], bool]) -> None:
        super().__init__()
        self._bad, self._role, self._where = vector, role, where

    def vector(self, text: str, role: Role) -> FloatArray:
        return self._bad if role == self._role and self._where(text) else super().vector(text, role)


def run(directory: Path, embedder: HashEmbedder, documents: list[Document], *, rebuild: bool = False) -> IndexOutcome:
    with Indexer.open(directory, embedder) as indexer:
        indexer.add(documents)
        return indexer.finish(rebuild=rebuild)


def first_hit(directory: Path, query: str, language: str) -> str:
    with closing(SearchIndex.open(directory)) as index:
        found = index.nearest(HashEmbedder().vector(query, "query"), language, 3)
        assert np.isfinite(found.scores).all()
        return index.documents(found.labels)[int(found.labels[0])].id


@pytest.mark.parametrize("vector", BAD.values(), ids=BAD)
def test_a_document_is_named_and_its_batch_not_committed(
    tmp_path: Path, documents: list[Document], vector: FloatArray
) -> None:
    embedder = Overflowing(vector, "document", lambda text: text == documents[3].passage)
    with Indexer.open(tmp_path, embedder, batch=90) as indexer:
        with pytest.raises(ServerError, match=rf"document '{documents[3].id}' is not finite.*fp32"):
            indexer.add(documents)
        assert indexer.store.ids() == set()


@pytest.mark.parametrize("vector", BAD.values(), ids=BAD)
def test_a_title_is_left_out_of_the_offsets_and_counted(
    tmp_path: Path, documents: list[Document], vector: FloatArray
) -> None:
    titles = {documents[3].title}
    outcome = run(tmp_path, Overflowing(vector, "query", titles.__contains__), documents)
    assert outcome.offsets.left_out == sum(document.title in titles for document in documents)
    assert first_hit(tmp_path, "fr:sun fr:moon", "fr").split("-", 1)[1] in ("sun-moon", "moon-sun")


def test_no_title_at_all_is_an_error(tmp_path: Path, documents: list[Document]) -> None:
    with pytest.raises(ServerError, match="no title's vector is finite"):
        run(tmp_path, Overflowing(BAD["nan"], "query", lambda _: True), documents)


@pytest.mark.parametrize("exact_floats", [10**9, 0], ids=["exact", "graph"])
@pytest.mark.parametrize(
    ("vector", "message"),
    [
        *((bad, "the query is not finite") for bad in BAD.values()),
        (np.ones(2 * DIMENSION, np.float32), r"\(1, 64\)"),
        (np.ones(DIMENSION - 1, np.float32), r"\(1, 31\)"),
    ],
)
def test_a_query_is_refused(
    index_dir: Path, monkeypatch: pytest.MonkeyPatch, vector: FloatArray, message: str, exact_floats: int
) -> None:
    monkeypatch.setattr(search_index, "EXACT_FLOATS", exact_floats)
    with closing(SearchIndex.open(index_dir)) as index, pytest.raises(ServerError, match=message):
        index.nearest(vector, "en", 5)


@pytest.mark.parametrize(
    "vectors", [np.ones((0, DIMENSION)), np.ones((2, DIMENSION)), np.ones((1, 3)), np.ones(DIMENSION)]
)
def test_an_answer_of_another_shape_is_no_querys_vector(index_dir: Path, vectors: FloatArray) -> None:
    with closing(SearchIndex.open(index_dir)) as index:
        steps = Searcher(index, has_reranker=True).steps(SearchRequest("en:cat", SearchOptions(query_language="en")))
        next(steps)
        with pytest.raises(ServerError, match="shape"):
            steps.send(Embedded(vectors, np.ones(1, np.int64), np.zeros(1, np.bool_), ServiceTimes(0.0)))


def test_scores_for_other_texts_leave_the_dense_order(index_dir: Path) -> None:
    with closing(SearchIndex.open(index_dir)) as index:
        steps = Searcher(index, has_reranker=True).steps(SearchRequest("en:cat", SearchOptions(query_language="en")))
        next(steps)
        steps.send(HashEmbedder().embed(["en:cat"], "query"))
        with pytest.raises(StopIteration) as end:
            steps.send(Reranked(np.ones(3, np.float32), ServiceTimes(0.0)))
        assert "scores of the shape (3,) for 50 texts" in end.value.value.reranking.reason


def test_the_graph_takes_no_such_vectors() -> None:
    graph = VectorIndex(DIMENSION, HnswParameters())
    with pytest.raises(InterlinguaError, match="label 8 is not finite"):
        graph.add(np.array([7, 8]), np.stack([np.ones(DIMENSION, np.float32), BAD["nan"]]))
    with pytest.raises(InterlinguaError, match="shape"):
        graph.add(np.array([7]), np.ones((1, DIMENSION + 1), np.float32))
    assert len(graph) == 0


def store_vector(directory: Path, table: str, blob: bytes, where: str) -> None:
    with closing(sqlite3.connect(directory / STORE_FILE)) as connection, connection:
        assert connection.execute(f"UPDATE {table} SET vector = ? WHERE {where}", (blob,)).rowcount == 1  # noqa: S608


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("passages", "document = (SELECT number FROM documents WHERE id = 'fr-sun-moon')"),
        ("offsets", "role = 'query' AND language = 'fr'"),
        ("offsets", "role = 'document' AND language = ''"),
    ],
)
@pytest.mark.parametrize(
    "blob",
    [BAD["nan"].tobytes(), b"\0\0\xc0\x7f" * (DIMENSION + 1), b"abc"],
    ids=["nan", "another length", "no number"],
)
def test_stored_ones_are_told_and_made_again(index_dir: Path, table: str, where: str, blob: bytes) -> None:
    before = first_hit(index_dir, "fr:sun fr:moon", "fr")
    store_vector(index_dir, table, blob, where)
    for header in index_dir.glob("vectors*"):
        header.unlink()
    with pytest.raises(StoreDamagedError, match=f"interlingua index --index {index_dir} --rebuild"):
        first_hit(index_dir, "fr:sun fr:moon", "fr")
    outcome = run(index_dir, HashEmbedder(), [], rebuild=True)
    assert outcome.healed == (table == "passages")
    assert first_hit(index_dir, "fr:sun fr:moon", "fr") == before


def test_what_an_older_version_stored_of_titles_is_made_again(index_dir: Path, documents: list[Document]) -> None:
    store_vector(index_dir, "query_stand_ins", BAD["nan"].tobytes(), "label = 1")
    outcome = run(index_dir, HashEmbedder(), documents)
    assert (outcome.offsets.state, outcome.offsets.moved) == ("kept", pytest.approx(0.0, abs=1e-6))


def test_sums_are_counted_again(index_dir: Path) -> None:
    with closing(sqlite3.connect(index_dir / STORE_FILE)) as connection, connection:
        connection.execute(
            "UPDATE vector_sums SET total = ? WHERE language = 'fr'", (np.full(DIMENSION, np.nan).tobytes(),)
        )
    with pytest.raises(StoreDamagedError, match="--rebuild"):
        SearchIndex.open(index_dir)
    run(index_dir, HashEmbedder(), [], rebuild=True)
    with closing(DocumentStore.open(index_dir)) as store:
        sums = store.vector_sums()
    assert {language: found.number for language, found in sums.items()} == {"de": 30, "en": 30, "fr": 30}
    assert np.isfinite(sums["fr"].total).all()
