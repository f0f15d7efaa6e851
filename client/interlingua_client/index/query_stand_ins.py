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

from interlingua.base.errors import ServerError
from interlingua_client.embedder import are_finite, require_vectors
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


def query_sums(store: DocumentStore, embedder: Embedder, languages: Iterable[str]) -> tuple[dict[str, VectorSum], int]:
    """Counts and sums of unit query vectors by language, and how many stand-ins were left out for vectors not finite.

    Only stand-ins that are new, or of whose vectors nothing finite was stored, are embedded.

    Raises:
        ServerError: none is finite, or they are of another length.
    """
    dimension = embedder.identity.dimension
    sums, left_out = {}, 0
    for language in languages:
        documents, labels = store.stand_in_sample(language, SAMPLE_SIZE)
        stored = store.stand_in_vectors(labels).items()
        known = {label: vector for label, vector in stored if len(vector) == dimension and are_finite(vector)}
        new = [row for row, label in enumerate(labels) if label not in known]
        if new:
            vectors = embedder.embed([stand_in(documents[row]) for row in new], "query").vectors
            finite = are_finite(vectors)
            left_out += int((~finite).sum())
            require_vectors(vectors[finite], len(new) - int((~finite).sum()), dimension, lambda _: "a title")
            found = [labels[row] for row, right in zip(new, finite, strict=True) if right]
            store.save_stand_ins(found, vectors[finite])
            known.update(zip(found, vectors[finite], strict=True))
        if known:
            units = unit(np.stack(list(known.values()))).astype(np.float64)
            sums[language] = VectorSum(len(units), units.sum(axis=0))
    if not sums:
        raise ServerError("no title's vector is finite: the network overflows in its precision. Export it in fp32")
    return sums, left_out


def _first_sentence(text: str) -> str:
    parts = (part for part in _SENTENCE_END.split(text.strip()) if part and part.strip())
    return next(parts, text)
