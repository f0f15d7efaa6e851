"""The store: what is committed is there, once, and readers see whole generations."""

from __future__ import annotations

import sqlite3
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.index.document_store import STORE_FILE, DocumentStore, StoreDamagedError, new_manifest
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.passages.passage import SplitDocument
from interlingua_client.index.passages.span import Span
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.index.writer_lock import IndexBusyError, writer_lock
from tests.support.hash_embedder import HashEmbedder, direction

ids = st.sampled_from("abcdef")
changes = st.lists(
    st.one_of(
        st.lists(st.tuples(ids, st.sampled_from(["en", "fr"]), st.integers(0, 9)), unique_by=lambda row: row[0]),
        st.lists(ids, unique=True).map(frozenset),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes)
def test_behaves_like_a_dictionary(tmp_path_factory: pytest.TempPathFactory, changes: list[object]) -> None:
    store = DocumentStore.create(tmp_path_factory.mktemp("store"), new_manifest(HashEmbedder().identity))
    model: dict[str, tuple[str, int]] = {}
    for change in changes:
        if isinstance(change, frozenset):
            assert store.delete(sorted(change)) == len(change & model.keys())
            model = {id_: value for id_, value in model.items() if id_ not in change}
        else:
            documents = [Document(id_, language, "", str(n)) for id_, language, n in change]
            vectors = np.array([direction(f"{row[2]}") for row in change], np.float32).reshape(-1, 32)
            store.commit(documents, vectors)
            model.update({row[0]: (row[1], row[2]) for row in change})
    labels = store.labels_by_language()
    everything = [label for found in labels.values() for label in found.tolist()]
    stored = store.documents(everything)
    assert {d.id: (d.language, int(d.text)) for d in stored.values()} == model
    sums = store.vector_sums()
    assert set(sums) == {language for language, _ in model.values()}
    for language, value in sums.items():
        expected = [unit(direction(str(n))) for tag, n in model.values() if tag == language]
        assert value.number == len(expected)
        assert value.total == pytest.approx(np.sum(expected, axis=0), abs=1e-5)


def test_a_changed_document_gets_a_new_label(tmp_path: Path) -> None:
    store = DocumentStore.create(tmp_path, new_manifest(HashEmbedder().identity))
    for text in ("one", "two"):
        store.commit([Document("a", "en", "", text)], direction(text)[None])
    assert {label: d.text for label, d in store.documents([1, 2]).items()} == {2: "two"}
    assert store.delete(["a"]) == 1
    store.commit([Document("a", "en", "", "three")], direction("three")[None])
    assert list(store.documents([1, 2, 3])) == [3]


def test_a_failed_commit_changes_nothing(index_dir: Path) -> None:
    store = DocumentStore.open(index_dir, writing=True)
    before = store.manifest()
    twice = [Document("same", "en", "", "x")] * 2
    with pytest.raises(InputError, match="'same' is there twice"):
        store.commit(twice, np.zeros((2, 32), np.float32))
    assert store.manifest() == before
    assert "same" not in store.ids()


def test_the_same_id_twice_is_named(tmp_path: Path, embedder: HashEmbedder) -> None:
    with (
        Indexer.open(tmp_path, embedder) as indexer,
        pytest.raises(InputError, match="'same' is there twice"),
    ):
        indexer.add([Document("same", "en", "", "x"), Document("same", "en", "", "y")])


def test_one_writer_at_a_time(index_dir: Path, embedder: HashEmbedder) -> None:
    with writer_lock(index_dir), pytest.raises(IndexBusyError, match="another process"):
        Indexer.open(index_dir, embedder)
    Indexer.open(index_dir, embedder).close()


def test_another_embedder_is_refused_with_both_digests(index_dir: Path) -> None:
    with pytest.raises(InputError) as caught:
        Indexer.open(index_dir, HashEmbedder("hash-2"))
    assert "hash-1" in str(caught.value)
    assert "hash-2" in str(caught.value)


def test_opening_says_what_is_wrong(tmp_path: Path, index_dir: Path) -> None:
    with pytest.raises(InputError, match="interlingua index CORPUS"):
        SearchIndex.open(tmp_path / "missing")
    connection = sqlite3.connect(index_dir / STORE_FILE)
    connection.execute("UPDATE manifest SET value = '99' WHERE key = 'schema_version'")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="schema version 99"):
        SearchIndex.open(index_dir)
    for path in index_dir.glob(STORE_FILE + "*"):
        path.unlink()
    (index_dir / STORE_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreDamagedError, match="damaged"):
        SearchIndex.open(index_dir)


def test_a_reader_goes_on_while_a_writer_writes(index_dir: Path, embedder: HashEmbedder) -> None:
    index = SearchIndex.open(index_dir)
    query = embedder.vector("en:cat en:dog", "query")
    before = index.nearest(query, "en", 10).labels.tolist()
    failures: list[BaseException] = []
    searched, done = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with Indexer.open(index_dir, HashEmbedder(), batch=5) as indexer:
                for turn in range(20):
                    assert turn != 10 or searched.wait(60)
                    indexer.add([Document(f"n{turn}-{n}", "en", "en:sea", f"en:sea {n} {turn}") for n in range(10)])
                indexer.delete(["en-cat-dog"])
                indexer.finish()
        except BaseException as error:
            failures.append(error)
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    searches = 0
    while not done.is_set():
        found = index.nearest(query, "en", 10)
        assert found.labels.tolist() == before
        assert len(index.documents(found.labels)) >= 9
        searches += 1
        if searches == 3:
            searched.set()
    writer.join()
    assert not failures
    assert searches >= 3
    assert not index.is_current()
    again = index.reopened()
    assert len(again) == 90 + 200 - 1
    ids_now = {d.id for d in again.documents(again.nearest(query, "en", 10).labels).values()}
    assert "en-cat-dog" not in ids_now


def split_at(document: Document, *ends: int) -> SplitDocument:
    return SplitDocument(document, [Span(start, end) for start, end in pairwise((0, *ends))])


def test_an_unchanged_passage_keeps_its_label_wherever_it_moves(tmp_path: Path) -> None:
    store = DocumentStore.create(tmp_path, new_manifest(HashEmbedder().identity))
    page = Document("page", "en", "T", "onetwosix", {"url": "u"})
    store.commit_split([split_at(page, 3, 6, 9)], np.stack([direction(name) for name in ("one", "two", "six")]))
    store.commit([Document("other", "fr", "", "un")], direction("un")[None])
    edited = page._replace(text="newoneten", metadata={"url": "v", "tags": ["a", 1, None]})
    store.commit_split([split_at(edited, 3, 6, 9)], np.stack([direction("new"), direction("ten")]), [[0, 2]])
    found = store.passages([1, 2, 3, 4, 5, 6])
    assert {label: (passage.text, passage.position) for label, passage in found.items()} == {
        1: ("one", 1),
        4: ("un", 0),
        5: ("new", 0),
        6: ("ten", 2),
    }
    assert found[1].embedded == "T\none"
    assert found[6].fields == {"url": "v", "tags": ["a", 1, None]}
    vectors = {row: block.vectors[row] for block in store.vectors_of(np.array([1, 5, 6])) for row in range(3)}
    assert np.stack(list(vectors.values())) == pytest.approx(np.stack([direction(n) for n in ("one", "new", "ten")]))
    labels, numbers = store.passage_documents()
    assert labels.tolist() == [1, 4, 5, 6]
    assert numbers.tolist() == [1, 2, 1, 1]
    assert store.vector_sums()["en"].total == pytest.approx(sum(direction(n) for n in ("one", "new", "ten")), abs=1e-6)
    assert store.languages() == {"en": 1, "fr": 1}
    assert store.delete(["page"]) == 1
    assert store.labels_by_language().keys() == store.vector_sums().keys() == {"fr"}


def test_metadata_is_read_back_a_row_a_document(tmp_path: Path) -> None:
    store = DocumentStore.create(tmp_path, new_manifest(HashEmbedder().identity))
    fields = {"b": {"c": [True, 1.5, None]}, "a": "ü"}
    store.commit([Document("x", "en", "", "one", fields), Document("y", "en", "", "two")], np.ones((2, 32), np.float32))
    assert list(store.metadata_rows()) == [(1, '{"a":"ü","b":{"c":[true,1.5,null]}}'), (2, "{}")]
    assert list(store.each_document()) == [Document("x", "en", "", "one", fields), Document("y", "en", "", "two")]


def test_metadata_alone_is_changed_without_an_embedder(tmp_path: Path, embedder: HashEmbedder) -> None:
    pages = [Document(f"{n}", "en", "T", f"en:{n}", {"stock": n}) for n in range(5)]
    with Indexer.open(tmp_path, embedder) as indexer:
        indexer.add(pages)
        indexer.finish()
        embedder.embedded.clear()
        indexer.add([page._replace(metadata={"stock": 0}) for page in pages])
        indexer.finish()
        assert (indexer.progress.changed, indexer.progress.unchanged) == (4, 1)
        assert not embedder.embedded
        assert {text for _, text in indexer.store.metadata_rows()} == {'{"stock":0}'}


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ([1], "must be a mapping"),
        ({"a": float("nan")}, "`metadata.a` holds nan"),
        ({"a": {"b": ["x\0"]}}, "`metadata.a.b` holds a NUL character"),
        ({"a\ud800": 1}, "half of a surrogate pair"),
        ({1: "a"}, "has the key 1"),
        ({"a": object()}, "what JSON can hold"),
    ],
    ids=["no mapping", "nan", "NUL", "surrogate", "key", "object"],
)
def test_metadata_that_cannot_be_stored_is_named(
    tmp_path: Path, embedder: HashEmbedder, metadata: Any, said: str
) -> None:
    with Indexer.open(tmp_path, embedder) as indexer, pytest.raises(InputError, match=said):
        indexer.add([Document("page", "en", "", "text", metadata)])
