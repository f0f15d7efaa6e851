"""Writing from a program: `Index`, `AsyncIndex`, and what they leave for readers."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tracemalloc
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from interlingua import AsyncIndex, Document, Index, InputError
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.search_index import SearchIndex
from tests.support.hash_embedder import HashEmbedder


@contextlib.contextmanager
def opened(directory: Path, embedder: HashEmbedder, batch: int = 4) -> Iterator[Index]:
    """An index whose embedder is in this process; closed as the `with` block of a user's is."""
    stack = contextlib.ExitStack()
    indexer = stack.enter_context(Indexer.open(directory, embedder, batch=batch))
    with Index(indexer, directory, stack) as index:
        yield index


def documents_in(directory: Path) -> dict[str, Document]:
    with contextlib.closing(DocumentStore.open(directory)) as store:
        return store.documents_by_id(sorted(store.ids()))


def test_documents_and_mappings_are_put_in_and_found(tmp_path: Path, embedder: HashEmbedder) -> None:
    with opened(tmp_path, embedder) as index:
        counts = index.add([Document("a", "en", "", "en:cat"), {"_id": 7, "lang": "eng", "text": "en:dog", "page": 3}])
        assert (counts.added, counts.changed, counts.unchanged) == (2, 0, 0)
        counts = index.add([Document("a", "en", "", "en:cat"), Document("7", "en", "", "en:sun")])
        assert (counts.added, counts.changed, counts.unchanged) == (0, 1, 1)
        assert len(index) == 2
    assert documents_in(tmp_path) == {"a": Document("a", "en", "", "en:cat"), "7": Document("7", "en", "", "en:sun")}
    with contextlib.closing(SearchIndex.open(tmp_path)) as found:
        assert len(found) == 2
        assert found.offsets is not None  # the end of the block finished it


def test_a_language_that_is_not_said_is_detected_and_called_as_the_index_does(
    tmp_path: Path, embedder: HashEmbedder
) -> None:
    text = "Como faço para trocar a senha da minha conta? Não consigo entrar no sistema."
    with opened(tmp_path, embedder) as index:
        index.add([Document("a", "pt-BR", "", "x")])
        index.add([Document("b", "", "", text), {"id": "c", "text": text}])
    assert {document.language for document in documents_in(tmp_path).values()} == {"pt-BR"}


def test_an_update_changes_fields_and_embeds_no_text_that_stays(tmp_path: Path, embedder: HashEmbedder) -> None:
    with opened(tmp_path, embedder) as index:
        index.add([{"id": "a", "language": "en", "title": "en:cat", "text": "en:dog", "page": 3, "old": True}])
        index.add([Document("b", "en", "", "en:sun")])
        embedder.embedded.clear()
        counts = index.update([{"id": "a", "page": 4}, {"id": "a", "metadata": {"tags": ["x"]}, "old": None}])
        assert embedder.embedded == []
        assert (counts.changed, counts.unchanged) == (1, 0)
        assert index.update([{"id": "a", "page": 4}]).unchanged == 1
        index.update([{"id": "b", "text": "en:moon"}])
        assert embedder.embedded == ["en:moon"]
    found = documents_in(tmp_path)
    assert found["a"] == Document("a", "en", "en:cat", "en:dog", {"page": 4, "tags": ["x"]})
    assert found["b"].text == "en:moon"


def test_what_the_metadata_calls_title_stays_apart_from_the_title(tmp_path: Path, embedder: HashEmbedder) -> None:
    metadata: Any = MappingProxyType({"title": "M", "language": "fr", "tags": deque(["a"])})
    with opened(tmp_path, embedder) as index:
        index.add([Document("a", "en", "T", "en:dog", metadata), {"id": "b", "text": "en:sun", "metadata": metadata}])
        index.update([{"id": "a", "page": 1, "title": "U"}, {"id": "b", "language": "en", "metadata": {"title": None}}])
    found = documents_in(tmp_path)
    assert found["a"] == Document("a", "en", "U", "en:dog", {"title": "M", "language": "fr", "tags": ["a"], "page": 1})
    assert found["b"] == Document("b", "en", "", "en:sun", {"tags": ["a"]})


CHANGES: list[tuple[Document, dict[str, object], Document]] = [
    (Document("0", "en", "t", "x"), {"lang": "deu"}, Document("0", "de", "t", "x")),
    (Document("1", "en", "t", "x"), {"language": "fr", "title": None}, Document("1", "fr", "", "x")),
    (
        Document("2", "en", "t", "", {"content": "c"}),
        {"page": 1},
        Document("2", "en", "t", "", {"content": "c", "page": 1}),
    ),
    (
        Document("3", "en", "t", "x", {"lang": "L", "_id": 7, "none": None}),
        {"page": 1},
        Document("3", "en", "t", "x", {"lang": "L", "_id": 7, "none": None, "page": 1}),
    ),
    (
        Document("4", "en", "t", "x", {"kept": 1, "gone": 2}),
        {"metadata": {"title": "inner", "gone": None}},
        Document("4", "en", "t", "x", {"kept": 1, "title": "inner"}),
    ),
    (Document("5", "en", "t", "x"), {"metadata": "a text"}, Document("5", "en", "t", "x", {"metadata": "a text"})),
]


def test_an_update_changes_what_it_names_and_nothing_else(tmp_path: Path, embedder: HashEmbedder) -> None:
    with opened(tmp_path, embedder, batch=64) as index:
        index.add([before for before, _, _ in CHANGES])
        assert index.update([{"_id": before.id, **change} for before, change, _ in CHANGES]).changed == len(CHANGES)
    assert documents_in(tmp_path) == {after.id: after for _, _, after in CHANGES}


def test_an_update_does_not_guess_what_a_name_means(tmp_path: Path, embedder: HashEmbedder) -> None:
    with opened(tmp_path, embedder) as index:
        index.add([{"id": "a", "language": "en", "body": "en:cat"}])
        with pytest.raises(InputError, match=r"document 'a': `body` may be the text or not: call it `text`"):
            index.update([{"id": "a", "body": "en:dog"}])
        with pytest.raises(InputError, match=r"document 'a': `title` must be a string, this is a number"):
            index.update([{"id": "a", "title": 3}])
        with pytest.raises(InputError, match=r"`id` is 'a' and `_id` is 'b'"):
            index.update([{"id": "a", "_id": "b"}])


def test_what_an_update_changes_before_a_mistake_or_a_failure_stays(tmp_path: Path, embedder: HashEmbedder) -> None:
    def changes() -> Iterator[dict[str, object]]:
        yield {"id": "d1", "page": 2}
        raise ZeroDivisionError

    with opened(tmp_path, embedder) as index:
        index.add([Document(f"d{n}", "en", "", f"en:{n}") for n in range(3)])
        for mistake in ({"id": "nobody"}, {"page": 1}, {"id": "d1", "title": 3}):
            with pytest.raises(InputError):
                index.update([{"id": "d0", "page": str(mistake)}, mistake, {"id": "d2", "page": 1}])
            assert index.update([{"id": "d0", "page": str(mistake)}]).unchanged == 1
        with pytest.raises(ZeroDivisionError):
            index.update(changes())
    assert {id_: found.metadata for id_, found in documents_in(tmp_path).items()} == {
        "d0": {"page": str({"id": "d1", "title": 3})},
        "d1": {"page": 2},
        "d2": {},
    }


def test_a_closed_index_says_so(tmp_path: Path, embedder: HashEmbedder) -> None:
    with opened(tmp_path, embedder) as index:
        index.add([Document("a", "en", "", "en:cat")])
    for use in (
        lambda: index.add([]),
        lambda: index.update([]),
        lambda: index.delete([]),
        lambda: index.delete_missing([]),
        index.finish,
        lambda: len(index),
    ):
        with pytest.raises(InputError, match=r"the index .* is closed: open it again"):
            use()
    index.close()

    async def use_later() -> None:
        with opened(tmp_path, embedder) as inner:
            again = AsyncIndex(inner)
            async with again:
                await again.close()
            with pytest.raises(InputError, match=r"is closed: open it again"):
                await again.add([])

    asyncio.run(use_later())
    found = SearchIndex.open(tmp_path)
    found.close()
    with pytest.raises(InputError, match=r"is closed: open it again"):
        found.is_current()


def test_the_next_writer_finishes_what_one_left_off(tmp_path: Path, embedder: HashEmbedder) -> None:
    with pytest.raises(ZeroDivisionError), opened(tmp_path, embedder) as index:
        index.add(Document(f"d{n}", "en", "", f"en:{1 // (6 - n)}") for n in range(7))
    with contextlib.closing(DocumentStore.open(tmp_path)) as store:
        assert store.offsets() is None
    SearchIndex.open(tmp_path).close()  # a reader, who derives vectors of its own
    with opened(tmp_path, embedder):
        pass
    with contextlib.closing(DocumentStore.open(tmp_path)) as store:
        assert store.offsets() is not None
        generation = store.manifest().generation
    header = (tmp_path / "vectors.json").read_bytes()
    with opened(tmp_path, embedder):  # there is nothing left to do
        pass
    with contextlib.closing(DocumentStore.open(tmp_path)) as store:
        assert store.manifest().generation == generation
    assert (tmp_path / "vectors.json").read_bytes() == header


def test_what_goes_before_a_mistake_is_committed(tmp_path: Path, embedder: HashEmbedder) -> None:
    good = [Document(f"d{n}", "en", "", f"en:{n}") for n in range(6)]
    with opened(tmp_path, embedder) as index:
        with pytest.raises(InputError, match=r"^document 7: there is no `id`"):
            index.add([*good, {"text": "x"}])
        assert len(index) == 6
        with pytest.raises(InputError, match=r"document 1: `text` must be a string, this is a number"):
            index.add([{"id": "x", "text": 3}])
        with pytest.raises(InputError, match="there is no document 'x' to update: put it in with `add`"):
            index.update([{"id": "x", "page": 1}])
        with pytest.raises(InputError, match="is no change: a mapping with an `id`"):
            index.update([{"page": 1}])
        with pytest.raises(InputError, match=r"^document 'd1' has no text"):
            index.update([{"id": "d0", "page": 1}, {"id": "d1", "text": ""}, {"id": "d2", "page": 1}])
        assert index.update([{"id": "d0", "page": 1}]).unchanged == 1
        with pytest.raises(InputError, match=r"^document 2: 'a': title is None, it must be a text"):
            index.add([good[0], Document("a", "en", None, "x")])  # type: ignore[arg-type]
        with pytest.raises(InputError, match=r"^document 2: 3 is no document"):
            index.add([good[0], 3])  # type: ignore[list-item]
        with pytest.raises(InputError, match=r"^document 1: a field is called None, it must be a text"):
            index.add([{"id": "x", "text": "en:x", None: 3}])  # type: ignore[dict-item]
        with pytest.raises(InputError, match=r"^document 'd1': a field is called 3, it must be a text"):
            index.update([{"id": "d1", 3: "x"}])  # type: ignore[dict-item]
        with pytest.raises(InputError, match=r"^document 1: `n` holds a number of too many digits"):
            index.add([{"id": "x", "text": "en:x", "n": 10**5000}])
        with pytest.raises(InputError, match=r"^document 1: 'x': `metadata.n` holds a number of too many digits"):
            index.add([Document("x", "en", "", "en:x", {"n": 10**5000})])
        for no_documents in ("abc", {"id": "a", "text": "x"}, 3, Document("a", "en", "", "x")):
            with pytest.raises(InputError, match="they must be several"):
                index.add(no_documents)  # type: ignore[arg-type]


def test_an_error_of_the_callers_own_leaves_what_was_committed(tmp_path: Path, embedder: HashEmbedder) -> None:
    def source() -> Iterator[Document]:
        for n in range(6):  # at 4 a batch
            yield Document(f"d{n}", "en", "", f"en:{n}")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), opened(tmp_path, embedder) as index:
        index.add(source())
    assert len(documents_in(tmp_path)) == 6
    with opened(tmp_path, embedder) as index:  # the lock was let go
        assert index.delete(["d0", "nobody"]) == 1
        assert index.delete_missing(["d1", "d2", "d3", "d4"]) == 1
    assert sorted(documents_in(tmp_path)) == ["d1", "d2", "d3", "d4"]


def test_a_source_of_any_length_takes_no_more_memory(tmp_path: Path, embedder: HashEmbedder) -> None:
    told: list[int] = []
    ahead: list[int] = []  # drawn and not told of yet
    drawn = 0

    def source(count: int) -> Iterator[Document]:
        nonlocal drawn
        for drawn in range(1, count + 1):
            yield Document(f"d{drawn}", "en", "", f"en:{drawn % 7} " + "x" * 20_000)

    def progress(count: int) -> None:
        told.append(count)
        ahead.append(drawn - sum(told))

    with opened(tmp_path, embedder) as index:
        index.add(source(8))
        embedder.embedded = _Forgetful()
        tracemalloc.start()
        index.add(source(400), progress)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert sum(told) == 400
    assert max(ahead) <= 8  # two batches
    assert peak < 4_000_000  # of 8 MB that were put in


class _Forgetful(list[str]):
    """Takes texts and keeps none."""

    def __iadd__(self, _: object) -> _Forgetful:  # type: ignore[override,misc]
        return self


def test_asyncio_takes_generators_of_both_kinds(tmp_path: Path, embedder: HashEmbedder) -> None:
    told: list[int] = []

    async def source() -> AsyncIterator[Document]:
        for n in range(10):
            await asyncio.sleep(0)
            yield Document(f"d{n}", "en", "", f"en:{n}")

    async def write() -> None:
        with opened(tmp_path, embedder) as inner:
            index = AsyncIndex(inner)
            assert (await index.add(source(), told.append)).added == 10
            first, second = await asyncio.gather(
                index.add(Document(f"e{n}", "en", "", f"en:{n}") for n in range(3)),
                index.update([{"id": "d1", "x": 1}]),
            )
            assert (first.added, second.changed) == (3, 1)
            with pytest.raises(InputError, match="several documents are expected"):
                await index.add("abc")  # type: ignore[arg-type]
            assert await index.delete(["d0"]) == 1
            await index.finish()
            await index.close()

    asyncio.run(write())
    assert sum(told) == 10
    assert len(documents_in(tmp_path)) == 12


def test_a_cancelled_add_keeps_what_was_drawn_and_the_index_goes_on(tmp_path: Path, embedder: HashEmbedder) -> None:
    are_drawn = asyncio.Event()

    async def endless() -> AsyncIterator[Document]:
        for n in range(6):
            yield Document(f"d{n}", "en", "", f"en:{n}")
        are_drawn.set()
        await asyncio.sleep(3600)

    async def write() -> None:
        with opened(tmp_path, embedder) as inner:
            index = AsyncIndex(inner)
            adding = asyncio.create_task(index.add(endless()))
            await are_drawn.wait()
            adding.cancel()
            with pytest.raises(asyncio.CancelledError):
                await adding
            assert len(inner) == 6
            assert (await index.add([Document("e", "en", "", "en:e")])).added == 1
            await index.close()

    asyncio.run(asyncio.wait_for(write(), 60))
    assert len(documents_in(tmp_path)) == 7


def test_all_that_a_program_needs_comes_from_one_name_and_only_when_used() -> None:
    program = (
        "import sys; from interlingua import InputError; import interlingua\n"
        "assert not {'numpy', 'grpc', 'interlingua_client'} & set(sys.modules)\n"
        "assert set(interlingua.__all__) <= set(dir(interlingua))\n"
        "for name in interlingua.__all__: getattr(interlingua, name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
