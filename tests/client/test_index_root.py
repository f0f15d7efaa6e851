"""Several indexes in one directory: which is current, what is built beside it, and what an open retriever sees."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.index.index_root import (
    IndexPointer,
    current_folder,
    find_index,
    indexes,
    read_pointer,
    write_pointer,
)
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.reembedding import BesideIndex, differing_documents, is_finished
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.index_pair import IndexPair, InUse, close_pair
from tests.support.hash_embedder import HashEmbedder

OTHER = HashEmbedder("hash-2")


def build_beside(root: Path) -> Path:
    """The index of the other embedder, with the documents of the current one."""
    with BesideIndex(root, OTHER.identity) as source, source.open(OTHER, IndexSettings()) as indexer:
        source.copy(indexer)
        indexer.finish()
        return source.folder


def test_a_directory_without_a_pointer_is_its_own_index(index_dir: Path) -> None:
    assert current_folder(index_dir) == index_dir
    assert list(indexes(index_dir)) == ["."]
    assert find_index(index_dir, "hash-1") == "."
    assert find_index(index_dir, "hash-2") is None


def test_the_index_beside_has_the_same_documents_and_other_vectors(index_dir: Path) -> None:
    folder = build_beside(index_dir)
    assert folder == index_dir / "versions" / "hash-2"
    assert differing_documents(index_dir, folder) == 0
    assert is_finished(folder)
    assert current_folder(index_dir) == index_dir  # built, not promoted
    with closing(SearchIndex.open(folder)) as index:
        assert index.manifest.embedder.digest == "hash-2"
        assert len(index) == 90


def test_a_second_run_embeds_the_difference(index_dir: Path) -> None:
    folder = build_beside(index_dir)
    with Indexer.open(index_dir, HashEmbedder()) as indexer:
        indexer.add([Document("new", "en", "", "en:cat"), Document("en-cat-dog", "en", "", "en:changed")])
        indexer.delete(["en-dog-cat"])
    assert differing_documents(index_dir, folder) == 3
    OTHER.embedded.clear()
    build_beside(index_dir)
    assert {"en:cat", "en:changed"} <= set(OTHER.embedded)
    assert differing_documents(index_dir, folder) == 0


def test_a_build_that_was_killed_before_its_end_is_not_finished(index_dir: Path) -> None:
    with BesideIndex(index_dir, OTHER.identity) as source, source.open(OTHER, IndexSettings()) as indexer:
        source.copy(indexer)
    assert not is_finished(source.folder)


def test_the_current_index_s_own_embedder_needs_none_beside(index_dir: Path) -> None:
    with pytest.raises(InputError, match="already: nothing is to be built"):
        BesideIndex(index_dir, HashEmbedder().identity)


def test_the_pointer_moves_readers_and_writers(index_dir: Path) -> None:
    folder = build_beside(index_dir)
    write_pointer(index_dir, IndexPointer("versions/hash-2", "."))
    assert current_folder(index_dir) == folder
    with Indexer.open(index_dir, OTHER) as indexer:
        indexer.add([Document("new", "en", "", "en:cat")])
    assert differing_documents(index_dir, folder) == 1
    with pytest.raises(InputError, match="built with another embedder"):
        Indexer.open(index_dir, HashEmbedder())
    # What was current can be brought up to date in turn, to go back to.
    with BesideIndex(index_dir, HashEmbedder().identity) as source:
        assert source.folder == index_dir


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("{", id="no JSON"),
        pytest.param(json.dumps({"now": "."}), id="another key"),
        pytest.param(json.dumps({"current": "../elsewhere"}), id="outside"),
        pytest.param(json.dumps({"current": "versions/a/b"}), id="deeper"),
    ],
)
def test_a_damaged_pointer_is_named(index_dir: Path, content: str) -> None:
    (index_dir / "current.json").write_text(content)
    with pytest.raises(InputError, match=r"current\.json"):
        read_pointer(index_dir)


class _Closed:
    """Stands for a client or an index; counts its closing."""

    def __init__(self) -> None:
        self.index: Any = self
        self.times = 0

    def close(self) -> None:
        self.times += 1


def test_what_was_replaced_is_closed_after_its_last_search() -> None:
    old_client, old_searcher, new = _Closed(), _Closed(), _Closed()
    in_use = InUse(IndexPair(old_searcher, old_client), close_pair)  # type: ignore[type-var]
    entered, leave = threading.Event(), threading.Event()

    def search() -> None:
        with in_use.used():
            entered.set()
            leave.wait(60)

    searching = threading.Thread(target=search)
    searching.start()
    assert entered.wait(60)
    in_use.replace(IndexPair(new, new))  # type: ignore[type-var]
    with in_use.used() as pair:
        assert pair.client is new
    assert (old_client.times, old_searcher.times) == (0, 0)
    leave.set()
    searching.join(60)
    assert (old_client.times, old_searcher.times, new.times) == (1, 1, 0)
    in_use.replace(IndexPair(old_searcher, old_client))  # type: ignore[type-var]
    assert new.times == 2  # nobody searched: at once, the client and the index
