"""Tiny data for the client's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua_client.document import Document
from interlingua_client.index.indexer import Indexer
from tests.client.sample_documents import make_documents
from tests.support.hash_embedder import HashEmbedder


@pytest.fixture
def documents() -> list[Document]:
    return make_documents()


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def index_dir(tmp_path: Path, documents: list[Document], embedder: HashEmbedder) -> Path:
    """A finished index of 90 documents in three languages."""
    directory = tmp_path / "index"
    with Indexer.open(directory, embedder) as indexer:
        indexer.add(documents)
        indexer.finish()
    return directory
