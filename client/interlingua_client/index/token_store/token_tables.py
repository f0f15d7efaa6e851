"""Which token vectors an index has: the truth about the file beside it, in the store's own transactions.

    token_vectors  one row: whose vectors these are, their format and projection, the file, how many of its rows count
    token_spans    a row a document that has them; it goes with its document

Of a store that has never had token vectors there are no such tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from interlingua_client.index.document_store import DocumentStore, StoreDamagedError, chunks, marks
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import DEFAULT_FORMAT, FORMATS
from interlingua_client.index.token_store.token_file import TokenSpan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from interlingua_client.index.token_store.quantization import TokenFormat

_SCHEMA = """
CREATE TABLE IF NOT EXISTS token_vectors (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    file TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    reranker TEXT NOT NULL,
    model_id TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    format TEXT NOT NULL,
    projection BLOB
);
CREATE TABLE IF NOT EXISTS token_spans (
    label INTEGER PRIMARY KEY REFERENCES documents (label) ON DELETE CASCADE,
    start INTEGER NOT NULL,
    tokens INTEGER NOT NULL
);
"""


@dataclass(frozen=True, kw_only=True)
class TokenFacts:
    """What the token vectors of an index are.

    Attributes:
        reranker: digest of the service that encodes documents (interlingua/served/service.py).
        dimension: of a token's vector as the network gives it.
        file: name of the file; "" before there is one.
        tokens: rows of the file that were written; those of deleted documents count.
        projection: None before there is one.
    """

    reranker: str
    model_id: str
    dimension: int
    format: TokenFormat
    file: str = ""
    tokens: int = 0
    projection: TokenProjection | None = None

    @property
    def width(self) -> int:
        """Bytes of a stored token. Raises ValueError: there is no projection yet."""
        if self.projection is None:
            raise ValueError("the token vectors have no projection yet")
        return self.format.width(self.projection.dimension)


class TokenTables:
    """The two tables of a store."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    @property
    def directory(self) -> Path:
        """The index's folder."""
        return self._store.directory

    def exist(self) -> bool:
        """Whether the index has, or once had, token vectors."""
        with self._store.reading() as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'token_vectors'").fetchone()
        return found is not None

    def facts(self) -> TokenFacts | None:
        """None where the index has no token vectors and wants none. Raises StoreDamagedError."""
        if not self.exist():
            return None
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT reranker, model_id, dimension, format, file, tokens, projection FROM token_vectors"
            ).fetchone()
        if row is None:
            return None
        try:
            return TokenFacts(
                reranker=row[0],
                model_id=row[1],
                dimension=row[2],
                format=FORMATS[row[3]],
                file=row[4],
                tokens=row[5],
                projection=None if row[6] is None else TokenProjection.from_bytes(row[6], row[2]),
            )
        except (KeyError, ValueError) as error:
            raise StoreDamagedError(
                f"what {self.directory} says of its token vectors is damaged ({error}): `interlingua index --index "
                f"{self.directory} --token-vectors {DEFAULT_FORMAT}` makes them again"
            ) from error

    def begin(self, facts: TokenFacts) -> None:
        """Have vectors of this kind, and none so far, in place of any others."""
        with self._store.transaction() as connection:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("DELETE FROM token_spans")
            self._write(facts)

    def drop(self) -> None:
        """Have none, of a store that had some."""
        with self._store.transaction() as connection:
            for table in ("token_spans", "token_vectors"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608

    def add(self, facts: TokenFacts, spans: Mapping[int, TokenSpan]) -> TokenFacts:
        """Name rows that lie in the file behind those that were named; the facts then."""
        facts = replace(facts, tokens=facts.tokens + sum(span.tokens for span in spans.values()))
        with self._store.transaction() as connection:
            rows = ((label, *span) for label, span in spans.items())
            connection.executemany("INSERT OR REPLACE INTO token_spans VALUES (?, ?, ?)", rows)
            connection.execute("UPDATE token_vectors SET tokens = ?", (facts.tokens,))
        return facts

    def move(self, facts: TokenFacts, spans: Mapping[int, TokenSpan]) -> None:
        """Another file, with all documents' rows at these places."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM token_spans")
            self._write(facts)
            rows = ((label, *span) for label, span in spans.items())
            connection.executemany("INSERT INTO token_spans VALUES (?, ?, ?)", rows)

    def _write(self, facts: TokenFacts) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO token_vectors VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
                (
                    facts.file,
                    facts.tokens,
                    facts.reranker,
                    facts.model_id,
                    facts.dimension,
                    facts.format.name,
                    facts.projection.to_bytes() if facts.projection else None,
                ),
            )

    def file(self) -> str | None:
        """The file's name alone: where it is another one, so are the facts."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT file FROM token_vectors").fetchone()
        return None if row is None else str(row[0])

    def spans(self, labels: Sequence[int]) -> dict[int, TokenSpan]:
        """Where the rows of these documents lie; those that have none are left out."""
        found: dict[int, TokenSpan] = {}
        with self._store.reading() as connection:
            for chunk in chunks(labels):
                query = f"SELECT label, start, tokens FROM token_spans WHERE label IN ({marks(chunk)})"  # noqa: S608
                found.update((row[0], TokenSpan(row[1], row[2])) for row in connection.execute(query, chunk))
        return found

    def labels(self) -> list[int]:
        """The documents that have token vectors, ascending."""
        with self._store.reading() as connection:
            return [row[0] for row in connection.execute("SELECT label FROM token_spans ORDER BY label")]

    def missing(self) -> list[int]:
        """The documents that have none, ascending."""
        query = "SELECT label FROM documents WHERE label NOT IN (SELECT label FROM token_spans) ORDER BY label"
        with self._store.reading() as connection:
            return [row[0] for row in connection.execute(query)]

    def live_tokens(self) -> int:
        """Rows of documents that are there."""
        with self._store.reading() as connection:
            return int(connection.execute("SELECT coalesce(sum(tokens), 0) FROM token_spans").fetchone()[0])
