"""An index knows the engine that made it by what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_client.embedder import EmbedderIdentity, FloatArray, Role
from interlingua_client.index.canary import TEXTS, Canary
from interlingua_client.index.document_store import DocumentStore, new_manifest
from interlingua_client.index.indexer import Indexer
from interlingua_client.index.manifest import Manifest
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.index_pair import IndexPair
from interlingua_client.search.search_steps import Searcher
from tests.client.sample_documents import make_documents
from tests.support.hash_embedder import HashEmbedder


class Engine(HashEmbedder):
    """An embedder that answers with errors of its own, of a share of a vector's length."""

    def __init__(self, error: float, seed: int = 0, precision: str = "int8") -> None:
        super().__init__()
        self.identity = replace(self.identity, precision=precision)
        self._error, self._seed = error, seed

    def vector(self, text: str, role: Role) -> FloatArray:
        vector = super().vector(text, role)
        noise = np.random.default_rng([self._seed, len(text)]).normal(size=len(vector))
        return (vector + self._error * noise / np.linalg.norm(noise)).astype(np.float32)


@contextmanager
def opened(folder: Path, engine: Engine) -> Iterator[IndexPair[Engine]]:  # type: ignore[type-var]
    """An index and an engine as a retriever holds them."""
    found = SearchIndex.open(folder)
    try:
        yield IndexPair(Searcher(found, has_reranker=False), engine)  # type: ignore[type-var]
    finally:
        found.close()


def index(directory: Path, engine: Engine) -> str:
    """Index with an engine; the note on it."""
    with Indexer.open(directory, engine) as indexer:
        indexer.add(make_documents())
        indexer.finish()
        return indexer.note


def test_one_that_is_not_finite_is_none() -> None:
    canary = Canary(np.full((len(TEXTS), 4), np.nan, np.float32))
    manifest = replace(new_manifest(EmbedderIdentity("d", "m", 4, "int8")), canary=canary)
    assert Manifest.from_rows(manifest.to_rows()).canary is None


def test_the_same_engine_says_nothing(tmp_path: Path) -> None:
    assert [index(tmp_path / "index", Engine(0.04)) for _ in range(2)] == ["", ""]


def test_another_rounding_is_told_and_another_computation_refused(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index(folder, Engine(0.04))
    # Errors of 0.04 and 0.04 in random directions: a cosine of about 1 - 0.04^2 = 0.998.
    assert "rounds otherwise" in index(folder, Engine(0.04, seed=1))
    with pytest.raises(InputError, match=r"computes something else: cosine 0\.[0-9]{4} .*--index"):
        index(folder, Engine(0.5, seed=1))
    with opened(folder, Engine(0.04)) as pair:
        assert pair.is_asked
        assert pair.heard(Engine(0.04).embed(TEXTS, "document").vectors, folder).note == ""
        assert "rounds otherwise" in pair.heard(Engine(0.04, seed=1).embed(TEXTS, "document").vectors, folder).note
        for wrong in (Engine(0.5).embed(TEXTS, "document").vectors, np.full((8, 32), np.nan, np.float32)):
            with pytest.raises(InputError, match="computes something else"):
                pair.heard(wrong, folder)


def test_fp32_is_not_asked(tmp_path: Path) -> None:
    engine = Engine(0.0, precision="fp32")
    index(tmp_path / "index", engine)
    assert not set(TEXTS) & set(engine.embedded)
    with opened(tmp_path / "index", engine) as pair:
        assert not pair.is_asked


def test_an_index_from_before_gets_its_canary_with_the_next_run(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index(folder, Engine(0.04))
    store = DocumentStore.open(folder, writing=True)
    store.update_manifest(lambda manifest: replace(manifest, canary=None))
    store.close()
    assert index(folder, Engine(0.04, seed=1)) == ""
    assert "rounds otherwise" in index(folder, Engine(0.04))


def test_a_canary_survives_the_manifest() -> None:
    vectors = np.random.default_rng(0).normal(size=(len(TEXTS), 5)).astype(np.float32)
    np.testing.assert_array_equal(Canary.from_text(Canary(vectors).to_text(), 5).vectors, vectors)
    with pytest.raises(ValueError, match="reshape"):
        Canary.from_text(Canary(vectors).to_text(), 4)
