"""Texts that stand in for queries while only documents are known.

A language's mean *query* vector is needed before anybody has asked anything. A title is the shortest text about
a document that its author wrote, and the nearest thing to a query about it; the offset between titles read as
queries and bodies read as documents is what was measured (titles as queries: nDCG@10 in a mixed pool 0.327 to
0.556). Where there is no title the first sentence serves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.language_offsets import VectorSum, unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_client.document import Document
    from interlingua_client.embedder import Embedder
    from interlingua_client.index.document_store import DocumentStore

# The mean of 256 unit vectors is known to a sixteenth of their spread, and 12 languages are 3,072 short texts.
SAMPLE_SIZE = 256

_LONGEST = 200  # characters
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s|(?<=[。！？।؟۔])|\n")  # noqa: RUF001


def stand_in(document: Document) -> str:
    """The title, or the first sentence; at most 200 characters."""
    text = document.title if document.title.strip() else _first_sentence(document.text)
    return text.strip()[:_LONGEST]


def query_sums(store: DocumentStore, embedder: Embedder, languages: Iterable[str]) -> dict[str, VectorSum]:
    """Counts and sums of unit query vectors by language; only stand-ins that are new are embedded."""
    sums = {}
    for language in languages:
        documents, labels = store.stand_in_sample(language, SAMPLE_SIZE)
        known = store.stand_in_vectors(labels)
        new = [row for row, label in enumerate(labels) if label not in known]
        if new:
            vectors = embedder.embed([stand_in(documents[row]) for row in new], "query").vectors
            store.save_stand_ins([labels[row] for row in new], vectors)
            known.update(zip((labels[row] for row in new), vectors, strict=True))
        units = unit(np.stack([known[label] for label in labels])).astype(np.float64)
        sums[language] = VectorSum(len(units), units.sum(axis=0))
    return sums


def _first_sentence(text: str) -> str:
    parts = (part for part in _SENTENCE_END.split(text.strip()) if part and part.strip())
    return next(parts, text)
