"""The token vectors of an index as a search uses them.

    labels --SQLite--> spans --read, checksums compared--> rows --> float32 [tokens, k] --+
    query's token vectors --projection--> float32 [rows, k] --------------------------+--MaxSim--> scores

Nothing is read when an index is opened: a search reads what it compares. What another process adds or replaces is
there for the next search.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.counted import counted
from interlingua.base.errors import InterlinguaError
from interlingua.served.token_vectors import sum_of_maxima
from interlingua_client.index.token_store.token_file import TokenFileError
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.index.token_store.token_facts import TokenFacts
    from interlingua_client.index.token_store.token_file import TokenFile, TokenSpan

NONE_STORED = "the index has no token vectors"

_TOKENS_AT_ONCE = 8192  # 4 MB of float32, which the caches of a core hold


class StoredScores(NamedTuple):
    """What stored token vectors gave.

    Attributes:
        scores: float32 [labels]; nan for documents that have no token vectors, or damaged ones.
        damaged: how many have damaged ones.
    """

    scores: FloatArray
    damaged: int = 0


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
            opened, _ = self._looked_up(reranker, [])
            if opened is not None:
                return ""
            there = [facts for facts in self._tables.sets() if facts.file]
        except InterlinguaError as error:
            return str(error)
        return self._other(there[0], reranker) if there else NONE_STORED

    def compare(self, query: TokenVectors, labels: Sequence[int], *, reranker: str, empty: float) -> StoredScores:
        """A query's scores with documents.

        Args:
            query: as the reranker's service encodes it.
            reranker: digest of that service.
            empty: similarity of a query's row to a document without rows.

        Raises:
            InterlinguaError: the store or its file cannot be read.
            ValueError: the query's vectors are of another dimension than the index's.
        """
        scores = np.full(len(labels), np.nan, np.float32)
        opened, spans = self._looked_up(reranker, [int(label) for label in labels])
        if opened is None or opened.facts.projection is None:
            return StoredScores(scores)
        facts, projection, damaged = opened.facts, opened.facts.projection, 0
        vectors, lacking = projection.query(query.vectors)
        rows = sorted((row for row, label in enumerate(labels) if label in spans), key=lambda row: spans[labels[row]])
        for part in _parts(rows, [spans[labels[row]] for row in rows]):
            stored, sound = opened.file.read([spans[labels[row]] for row in part])
            damaged += len(part) - len(sound)
            read = [part[place] for place in sound]
            similarities = facts.format.similarities(stored, vectors)
            tokens = np.array([spans[labels[row]].tokens for row in read], np.int64)
            starts = np.concatenate([[0], tokens.cumsum()])
            # What a document's mean adds to every maximum, where there is any maximum.
            of_mean = (tokens > 0) * float(lacking @ query.weights)
            scores[read] = sum_of_maxima(similarities, query.weights, starts, empty) + of_mean
        return StoredScores(scores, damaged)

    def damage(self, candidates: int) -> str:
        """What is to be said of candidates whose stored token vectors are damaged."""
        opened = self._opened
        where = opened.file.path if opened else self._tables.directory
        mending = f"`interlingua index --index {self._tables.directory} --verify` finds all such, and makes them again"
        return f"the token vectors of {counted(candidates, 'candidate')} in {where} are damaged: {mending}"

    def _other(self, there: TokenFacts, reranker: str) -> str:
        return (
            f"the index's token vectors are of another reranker ({there.model_id}, {there.reranker[:12]}) than the one "
            f"that is asked ({reranker[:12]}): {self._tables.mending(there.format.name)} for the promoted one, which "
            "an open retriever asks after `refresh()`"
        )

    def _looked_up(self, reranker: str, labels: Sequence[int]) -> tuple[_Opened | None, dict[int, TokenSpan]]:
        """The file and the places in it, as of one moment."""
        for is_last in (False, True):
            try:
                with self._store.snapshot():
                    opened = self._now(reranker)
                    return opened, self._tables.spans(opened.facts, labels) if opened else {}
            except TokenFileError:  # replaced between our look at the store and at the file
                if is_last:
                    raise
        raise AssertionError("two tries")

    def _now(self, reranker: str) -> _Opened | None:
        """What the store names for a reranker at the moment, opened. Raises TokenFileError."""
        with self._lock:
            file = self._tables.file_for(reranker)
            if self._opened is None or self._opened.facts.file != file:
                self._opened = self._open(file) if file else None
            return self._opened

    def _open(self, file: str) -> _Opened:
        [facts] = [found for found in self._tables.sets() if found.file == file]
        return _Opened(facts, self._tables.open(facts))


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
