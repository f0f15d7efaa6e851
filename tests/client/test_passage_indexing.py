"""Long documents are split at indexing, and an edit embeds only what it touches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError, RequestRejectedError
from interlingua_client.deadline import Deadline
from interlingua_client.document import Document
from interlingua_client.embedder import Role
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.index_root import find_index, folder_of
from interlingua_client.index.indexer import Indexer, IndexProgress, IndexSettings, new_manifest
from interlingua_client.index.passages.passage import SplitDocument, StoredPassage
from interlingua_client.index.passages.span import Span
from interlingua_client.index.reembedding import BesideIndex
from tests.support.hash_embedder import HashEmbedder

SPLIT = IndexSettings(passage_tokens=64, passage_overlap=0, offsets=False)


def section(name: str, words: int = 50) -> str:
    return f"# {name}\n\n" + " ".join(f"{name}{number}" for number in range(words)) + ".\n\n"


def page(*names: str, title: str = "Page") -> Document:
    return Document("page", "en", title, "".join(map(section, names)))


def run(
    directory: Path, embedder: HashEmbedder, documents: list[Document], settings: IndexSettings | None = SPLIT
) -> IndexProgress:
    embedder.embedded.clear()
    with Indexer.open(directory, embedder, settings) as indexer:
        indexer.add(documents)
        indexer.finish()
        return indexer.progress


def stored(directory: Path) -> dict[int, StoredPassage]:
    store = DocumentStore.open(directory)
    try:
        return dict(sorted(store.passages(store.passage_documents()[0].tolist()).items()))
    finally:
        store.close()


def test_an_edited_page_embeds_its_changed_passage_alone(tmp_path: Path, embedder: HashEmbedder) -> None:
    short = Document("short", "en", "Short", "a few words")
    run(tmp_path, embedder, [page("one", "two", "three"), short])
    before = stored(tmp_path)
    assert [found.position for found in before.values()] == [0, 1, 2, 0]
    assert all(found.text in page("one", "two", "three").text for found in list(before.values())[:3])
    assert all(text.startswith(("Page\n", "Short\n")) for text in embedder.embedded)

    run(tmp_path, embedder, [page("one", "new", "three"), short])
    assert len(embedder.embedded) == 1
    assert "new7" in embedder.embedded[0]
    after = stored(tmp_path)
    assert sorted(after) == [1, 3, 4, 5]
    assert after[3].text == before[3].text

    run(tmp_path, embedder, [page("three"), short])
    assert [found.position for found in stored(tmp_path).values()] == [0, 0]


def test_short_documents_are_neither_counted_nor_split(tmp_path: Path, embedder: HashEmbedder) -> None:
    run(tmp_path, embedder, [Document(f"{number}", "en", "T", f"text {number}") for number in range(5)])
    assert not embedder.counted
    assert [found.span for found in stored(tmp_path).values()] == [(0, 6, "")] * 5


def test_another_plan_splits_what_is_there_again(tmp_path: Path, embedder: HashEmbedder) -> None:
    short = Document("short", "en", "Short", "a few words")
    run(tmp_path, embedder, [page("one", "two", "three"), short], IndexSettings(offsets=False))
    assert len(stored(tmp_path)) == 2
    progress = run(tmp_path, embedder, [], SPLIT)
    assert (progress.resplit, progress.changed, progress.unchanged) == (2, 0, 0)
    assert len(embedder.embedded) == 3  # the short one is the same passage as before
    assert len(stored(tmp_path)) == 4
    progress = run(tmp_path, embedder, [page("one", "two", "three"), short], None)
    assert (progress.resplit, progress.unchanged) == (0, 2)
    progress = run(tmp_path, embedder, [short], IndexSettings(passage_tokens=0))
    assert progress.resplit == 2
    assert [found.span[:2] for found in stored(tmp_path).values()] == [
        (0, 11),
        (0, len(page("one", "two", "three").text)),
    ]


def test_the_same_id_while_it_is_being_embedded(tmp_path: Path, embedder: HashEmbedder) -> None:
    """The last one wins, whole, though nothing of the first was in the store when it was looked at."""
    run(tmp_path, embedder, [page("one", "two")])
    with Indexer.open(tmp_path, HashEmbedder(ahead=2), batch=1) as indexer:
        indexer.add([page("one", "six"), page("one", "two")])
        assert [found.text.split()[1] for found in stored(tmp_path).values()] == ["one", "two"]
        indexer.add([page("one", "six"), page("one", "two"), page("one", "two", title="Other")])
        indexer.finish()
    assert [found.title for found in stored(tmp_path).values()] == ["Other", "Other"]


def test_an_id_that_is_twice_in_a_batch_is_refused_though_one_is_stored_already(
    tmp_path: Path, embedder: HashEmbedder
) -> None:
    run(tmp_path, embedder, [page("one")])
    with Indexer.open(tmp_path, embedder) as indexer, pytest.raises(InputError, match="'page' is there twice"):
        indexer.add([page("two"), page("one")])
    assert [found.text.split()[1] for found in stored(tmp_path).values()] == ["one"]


def test_a_size_that_is_no_int_is_kept_as_one(tmp_path: Path, embedder: HashEmbedder) -> None:
    size, overlap = 64.0, np.float64(0.1)
    run(tmp_path, embedder, [page("one")], IndexSettings(passage_tokens=size, passage_overlap=overlap))  # type: ignore[arg-type]
    run(tmp_path, embedder, [page("one", "two")], None)
    assert len(stored(tmp_path)) == 2


def test_passages_are_no_larger_than_what_the_model_reads(tmp_path: Path, embedder: HashEmbedder) -> None:
    embedder.max_tokens = 80
    with Indexer.open(tmp_path, embedder, IndexSettings(passage_tokens=256)) as indexer:
        assert "70 tokens at most, and not 256" in indexer.note
        indexer.add([page("one", "two")])
    assert len(stored(tmp_path)) == 2
    with Indexer.open(tmp_path, embedder, IndexSettings(passage_tokens=64)) as indexer:
        assert not indexer.note


def test_a_text_that_cannot_be_counted_ends_with_its_own_error(tmp_path: Path) -> None:
    class Refusing(HashEmbedder):
        def count_tokens(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> list[int]:
            raise RequestRejectedError(f"{len(texts)} {role} {deadline}: too long")

    with Indexer.open(tmp_path, Refusing(), SPLIT) as indexer, pytest.raises(RequestRejectedError, match="too long"):
        indexer.add([page("one", "two")])


def test_splitting_anew_says_how_far_it_is(tmp_path: Path, embedder: HashEmbedder) -> None:
    short = Document("short", "en", "Short", "a few words")
    run(tmp_path, embedder, [page("one", "two"), short], IndexSettings(offsets=False))
    with Indexer.open(tmp_path, embedder, SPLIT) as indexer:
        told: list[int] = []
        assert indexer.count_to_resplit() == 2
        indexer.resplit(told.append)
        assert sum(told) == 2
        assert indexer.count_to_resplit() == 0


def test_words_that_stay_are_not_made_again(tmp_path: Path, embedder: HashEmbedder) -> None:
    first = page("one", "two")._replace(metadata={"n": 1})
    with Indexer.open(tmp_path, embedder, SPLIT) as indexer:
        indexer.add([first])
        with indexer.store.reading() as connection:
            said: list[str] = []
            connection.set_trace_callback(said.append)
            indexer.add([first._replace(metadata={"n": 2})])
            assert indexer.progress.changed == 1
            assert not any("passage_words" in query for query in said)
            indexer.add([page("one", "six")])
            connection.set_trace_callback(None)
        assert sum(query.startswith("INSERT INTO passage_words (rowid") for query in said) == 1
        assert indexer.store.has_all_words()


def test_a_long_text_is_read_once_for_all_of_its_passages(tmp_path: Path, embedder: HashEmbedder) -> None:
    number, size = 200, 100
    text = "".join(f"{place:0{size}d}" for place in range(number))
    spans = [Span(place * size, (place + 1) * size) for place in range(number)]
    split = SplitDocument(Document("page", "en", "", text), spans, "plan")
    store = DocumentStore.create(tmp_path, new_manifest(embedder.identity))
    store.commit_split([split], np.ones((number, embedder.identity.dimension), np.float32))
    with store.reading() as connection:
        said: list[str] = []
        connection.set_trace_callback(said.append)
        found = store.passages(range(1, number + 1))
        connection.set_trace_callback(None)
    assert [int(one.text) for one in found.values()] == list(range(number))
    assert sum(" text " in query for query in said) == 1
    assert not any("substr" in query for query in said)
    store.close()


def test_an_index_beside_is_split_alike(tmp_path: Path, embedder: HashEmbedder) -> None:
    run(tmp_path, embedder, [page("one", "two", "three")])
    other = HashEmbedder("hash-2")
    with BesideIndex(tmp_path, other.identity) as source, source.open(other, IndexSettings()) as indexer:
        source.copy(indexer)
        indexer.finish()
    name = find_index(tmp_path, "hash-2")
    assert name
    texts = [found.text for found in stored(folder_of(tmp_path, name)).values()]
    assert texts == [found.text for found in stored(tmp_path).values()]
    assert len(texts) == 3


@pytest.mark.parametrize(
    "settings",
    [
        IndexSettings(passage_tokens=3),
        IndexSettings(passage_tokens=256, passage_overlap=0.9),
        IndexSettings(passage_overlap=0.1),
    ],
    ids=["small", "overlap", "overlap alone"],
)
def test_a_plan_that_is_none_is_refused(tmp_path: Path, embedder: HashEmbedder, settings: IndexSettings) -> None:
    with pytest.raises(InputError, match=r"size|overlap"):
        Indexer.open(tmp_path, embedder, settings)
    assert not DocumentStore.exists(tmp_path)
