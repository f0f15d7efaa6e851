"""The token vectors of an index as a search uses them.

    labels --SQLite--> spans --memory map--> rows --> float32 [tokens, k] --+
    query's token vectors --projection--> float32 [rows, k] ----------------+--MaxSim--> scores

Nothing is read when an index is opened: a search reads what it compares. What another process adds or replaces is
there for the next search.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InterlinguaError
from interlingua.served.token_vectors import sum_of_maxima
from interlingua_client.index.token_store.token_file import TokenFile, TokenFileError
from interlingua_client.index.token_store.token_tables import TokenFacts, TokenTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.token_store.token_file import TokenSpan

NONE_STORED = "the index has no token vectors"
OTHER_RERANKER = "the index's token vectors are of another reranker than the server's"

_TOKENS_AT_ONCE = 8192  # 4 MB of float32, which the caches of a core hold


class _Opened(NamedTuple):
    facts: TokenFacts
    file: TokenFile


class StoredTokens:
    """One index's token vectors; safe to use from several threads."""

    def __init__(self, store: DocumentStore) -> None:
        self._store, self._tables = store, TokenTables(store)
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    def why_not(self, reranker: str) -> str:
        """Why a reranker of this digest cannot be asked for a query's side alone; "" where it can."""
        try:
            opened, _ = self._looked_up([])
        except InterlinguaError as error:
            return str(error)
        if opened is None:
            return NONE_STORED
        return "" if opened.facts.reranker == reranker else OTHER_RERANKER

    def scores(self, query: TokenVectors, labels: Sequence[int], *, reranker: str, empty: float) -> FloatArray:
        """A query's scores with documents, float32 [labels]; nan for those that have no token vectors.

        Args:
            query: as the reranker's service encodes it.
            reranker: digest of that service.
            empty: similarity of a query's row to a document without rows.

        Raises:
            InterlinguaError: the store or its file cannot be read.
            ValueError: the query's vectors are of another dimension than the index's.
        """
        found = np.full(len(labels), np.nan, np.float32)
        opened, spans = self._looked_up([int(label) for label in labels])
        if opened is None or opened.facts.projection is None or opened.facts.reranker != reranker:
            return found
        facts, projection = opened.facts, opened.facts.projection
        vectors, lacking = projection.query(query.vectors)
        rows = sorted((row for row, label in enumerate(labels) if label in spans), key=lambda row: spans[labels[row]])
        for part in _parts(rows, [spans[labels[row]] for row in rows]):
            places = [spans[labels[row]] for row in part]
            similarities = facts.format.similarities(opened.file.read(places), vectors)
            tokens = np.array([span.tokens for span in places])
            starts = np.concatenate([[0], tokens.cumsum()])
            # What a document's mean adds to every maximum, where there is any maximum.
            of_mean = (tokens > 0) * float(lacking @ query.weights)
            found[part] = sum_of_maxima(similarities, query.weights, starts, empty) + of_mean
        return found

    def _looked_up(self, labels: Sequence[int]) -> tuple[_Opened | None, dict[int, TokenSpan]]:
        """The file and the places in it, as of one moment."""
        for is_last in (False, True):
            try:
                with self._store.snapshot():
                    opened = self._now()
                    return opened, self._tables.spans(labels) if opened else {}
            except TokenFileError:  # replaced between our look at the store and at the file
                if is_last:
                    raise
        raise AssertionError("two tries")

    def _now(self) -> _Opened | None:
        """What the store names at the moment, opened. Raises TokenFileError."""
        with self._lock:
            if self._opened is None or self._opened.facts.file != self._tables.file():
                facts = self._tables.facts()
                if facts is None or facts.projection is None:
                    self._opened = None
                else:
                    path = self._tables.directory / facts.file
                    self._opened = _Opened(facts, TokenFile(path, facts.width, facts.tokens))
            return self._opened


def _parts(rows: Sequence[int], spans: Sequence[TokenSpan]) -> Iterator[list[int]]:
    """The rows in parts of some thousand tokens."""
    part: list[int] = []
    tokens = 0
    for row, span in zip(rows, spans, strict=True):
        if part and tokens + span.tokens > _TOKENS_AT_ONCE:
            yield part
            part, tokens = [], 0
        part.append(row)
        tokens += span.tokens
    if part:
        yield part
