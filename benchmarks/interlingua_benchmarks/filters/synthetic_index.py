"""An index without texts worth reading: vectors around topics, and a number a document to filter by.

random topics --> documents of several passages, each near a topic of its own; a field `draw`, even between 0 and 1
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from interlingua.display.progress import progress
from interlingua_client.document import Document
from interlingua_client.embedder import EmbedderIdentity
from interlingua_client.index.document_store import DocumentStore, new_manifest
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.passages.passage import SplitDocument
from interlingua_client.index.passages.span import Span
from interlingua_client.index.search_index import SearchIndex

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_client.embedder import FloatArray

DIMENSION = 384
PASSAGES = 5  # of a document
_TOPICS = 2000
_WIDTH = 60  # characters of a passage
_AT_ONCE = 1000
_SEED = 20261128


def build(directory: Path, documents: int) -> None:
    """An index of so many documents, whose field `draw` is even between 0 and 1."""
    directory.mkdir(parents=True)
    random = np.random.default_rng(_SEED)
    identity = EmbedderIdentity("synthetic", "synthetic", DIMENSION)
    text = "x" * (PASSAGES * _WIDTH)
    spans = [Span(start, start + _WIDTH) for start in range(0, len(text), _WIDTH)]
    with closing(DocumentStore.create(directory, new_manifest(identity))) as store:
        with progress("writing", unit="documents", total=documents) as bar:
            for first in range(0, documents, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, documents))
                made = [_document(number, text, float(random.random())) for number in numbers]
                vectors = around_topics(random, len(made) * PASSAGES)
                store.commit_split([SplitDocument(document, spans) for document in made], vectors)
                bar.advance(len(made))
        total = documents * PASSAGES
        with progress("building the graph", unit="vectors", total=total) as bar:
            SearchIndex(store, advance=bar.advance)


def around_topics(random: np.random.Generator, number: int) -> FloatArray:
    """Unit vectors float32 [number, D], each near one of the topics."""
    topics = np.random.default_rng(_SEED).standard_normal((_TOPICS, DIMENSION), np.float32)
    noise = random.standard_normal((number, DIMENSION), np.float32)
    return unit(topics[random.integers(0, _TOPICS, number)] + 0.7 * noise)


def _document(number: int, text: str, draw: float) -> Document:
    return Document(f"{number}", "en", "", text, {"draw": draw})
