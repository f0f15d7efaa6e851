"""The derived vectors are right whatever became of their file."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.document import Document
from interlingua_client.index import search_index
from interlingua_client.index.derived_file import HEADER_FILE, read_header
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.exact_vectors import Block, ExactVectors
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.index.vector_index import VectorIndex
from interlingua_client.index.writer_lock import writer_lock
from tests.client.sample_documents import make_documents
from tests.support.hash_embedder import HashEmbedder


def hnsw_file(directory: Path) -> Path:
    header = read_header(directory)
    assert header is not None
    return directory / header.file


def truncate(seed: int) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = hnsw_file(directory)
        content = path.read_bytes()
        path.write_bytes(content[: random.Random(seed).randrange(len(content))])

    return damage


def flip(seed: int) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = hnsw_file(directory)
        content = bytearray(path.read_bytes())
        content[random.Random(seed).randrange(len(content))] ^= 1 << seed % 8
        path.write_bytes(bytes(content))

    return damage


def edit_header(**values: object) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = directory / HEADER_FILE
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return damage


DAMAGES = [
    *(pytest.param(truncate(seed), id=f"truncated-{seed}") for seed in range(12)),
    *(pytest.param(flip(seed), id=f"flipped-{seed}") for seed in range(12)),
    pytest.param(lambda directory: hnsw_file(directory).unlink(), id="file missing"),
    pytest.param(lambda directory: (directory / HEADER_FILE).unlink(), id="header missing"),
    pytest.param(lambda directory: (directory / HEADER_FILE).write_text("{"), id="header not JSON"),
    pytest.param(lambda directory: (directory / HEADER_FILE).write_text("[]"), id="header a list"),
    pytest.param(edit_header(count="many"), id="header of wrong types"),
    pytest.param(edit_header(count=3), id="wrong count"),
    pytest.param(edit_header(store_id="other"), id="of another store"),
    pytest.param(edit_header(space="raw"), id="of another space"),
    pytest.param(edit_header(generation=10_000), id="of a later generation"),
    pytest.param(edit_header(file="../elsewhere"), id="header points outside"),
]


def assert_whole(directory: Path, monkeypatch: pytest.MonkeyPatch) -> SearchIndex:
    """The graph answers as an exact search over the store's own vectors does."""
    monkeypatch.setattr(search_index, "EXACT_FLOATS", 0)
    monkeypatch.setattr(search_index, "_FILTERED_EXACT_ROOTS", 0)
    index = SearchIndex.open(directory)
    exact = SearchIndex.open(directory)
    exact._graph = None
    embedder = HashEmbedder()
    for query in ("en:cat en:dog", "de:moon", "fr:tree fr:sun"):
        vector = embedder.vector(query, "query")
        for languages in ((), ("de",), ("en", "fr")):
            by_graph = index.nearest(vector, None, 20, languages)
            truth = exact.nearest(vector, None, 20, languages)
            assert not by_graph.exact
            assert truth.exact
            assert by_graph.scores == pytest.approx(truth.scores, abs=1e-5)
            assert set(by_graph.labels) == set(truth.labels)
    return index


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_built_again(
    index_dir: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(index_dir)
    index = assert_whole(index_dir, monkeypatch)
    assert index.repair.reason
    assert index.repair.added == 90
    assert index.repair.saved
    assert SearchIndex.open(index_dir).repair == ("", 0, 0, True)
    assert len(list(index_dir.glob("*.hnsw"))) == 1


def test_an_older_generation_is_topped_up(
    index_dir: Path, tmp_path: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    shutil.copytree(index_dir, old)
    with Indexer.open(index_dir, embedder) as indexer:
        indexer.add([Document("en-cat-dog", "en", "en:cat", "en:cat en:dog en:sun")])  # changed
        indexer.add([Document("new", "fr", "fr:cat", "fr:cat fr:fish fr:fish")])
        indexer.delete(["de-cat-dog", "de-sun-moon"])
        assert indexer.finish().offsets.state == "kept"
    for path in (*index_dir.glob("*.hnsw"), index_dir / HEADER_FILE):
        path.unlink()
    for path in (*old.glob("*.hnsw"), old / HEADER_FILE):
        shutil.copy(path, index_dir)
    index = assert_whole(index_dir, monkeypatch)
    assert index.repair == ("", 2, 3, True)
    assert len(index) == 89


def test_many_deletions_build_it_again(
    index_dir: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Indexer.open(index_dir, embedder) as indexer:
        indexer.delete([document.id for document in make_documents(("de",))])
        outcome = indexer.finish()
    assert outcome.repair.added == 60
    monkeypatch.setattr(search_index, "EXACT_FLOATS", 0)
    assert len(SearchIndex.open(index_dir)) == 60


def test_a_reader_leaves_saving_to_a_writer(index_dir: Path) -> None:
    hnsw_file(index_dir).unlink()
    with writer_lock(index_dir):
        index = SearchIndex.open(index_dir)
    assert index.repair.added == 90
    assert not index.repair.saved
    assert not list(index_dir.glob("*.hnsw"))


def test_new_parameters_build_it_again_and_are_saved(index_dir: Path, embedder: HashEmbedder) -> None:
    with Indexer.open(index_dir, embedder, IndexSettings(m=8, ef_search=40)) as indexer:
        assert indexer.finish().repair.added == 90
    index = SearchIndex.open(index_dir)
    assert index.manifest.hnsw == HnswParameters(m=8, ef_construction=200, ef_search=40)
    assert index.repair == ("", 0, 0, True)
    with pytest.raises(InputError, match="M is 1, it must be from 2 to 128"):
        Indexer.open(index_dir, embedder, IndexSettings(m=1))


def test_offsets_can_be_switched(index_dir: Path, embedder: HashEmbedder) -> None:
    for wanted, reason in ((False, True), (None, False), (True, True)):
        with Indexer.open(index_dir, embedder, IndexSettings(offsets=wanted)) as indexer:
            outcome = indexer.finish()
        assert bool(outcome.repair.reason) is reason
        assert SearchIndex.open(index_dir).has_offsets is (wanted is True)


def test_the_graph_grows_and_finds_nearly_all() -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng.normal(size=(3000, 24)).astype(np.float32))
    index = VectorIndex(24, HnswParameters(ef_search=200))
    for start in range(0, 3000, 700):
        part = slice(start, start + 700)
        index.add(np.arange(3000)[part], vectors[part])
    index.delete(np.arange(0, 3000, 3))
    index.delete(np.arange(0, 3000, 3))  # twice is once
    assert len(index) == 2000
    live = np.flatnonzero(np.arange(3000) % 3)
    exact = ExactVectors(lambda _: Block(live, vectors[live]))
    shared = 0
    for query in vectors[:50]:
        found = index.search(query, 10)
        assert found is not None
        assert not (found.labels % 3 == 0).any()
        shared += len(set(found.labels) & set(exact.search(query, 10, ["all"]).labels))
    assert shared >= 490
    assert index.search(vectors[0], 10, allowed=lambda label: label == 4) is None


def test_exact_search_by_hand() -> None:
    blocks = {
        "a": Block(np.array([1, 5]), np.float32([[1, 0], [0, 1]])),
        "b": Block(np.array([2, 3, 4]), np.float32([[0.6, 0.8], [1, 0], [-1, 0]])),
    }
    exact = ExactVectors(blocks.__getitem__)
    found = exact.search(np.float32([1, 0]), 3, ["a", "b"])
    assert found.labels.tolist() == [1, 3, 2]
    assert found.scores == pytest.approx([1, 1, 0.6])
    assert exact.search(np.float32([1, 0]), 9, ["a"]).labels.tolist() == [1, 5]
    assert exact.search(np.float32([1, 0]), 9, []).labels.tolist() == []


def test_rebuilding_on_request(index_dir: Path, embedder: HashEmbedder) -> None:
    with Indexer.open(index_dir, embedder) as indexer:
        outcome = indexer.finish(rebuild=True)
    assert outcome.repair.added == 90
    assert outcome.offsets.state == "replaced"
    store = DocumentStore.open(index_dir)
    assert store.manifest().offsets_version == 2
