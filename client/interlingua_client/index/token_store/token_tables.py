"""Which token vectors an index has: the truth about the files beside it, in the store's own transactions.

    token_sets  whose vectors these are, their format and projection, the file, how many of its rows count
    token_rows  a row a set and passage that has them; it goes with its passage

One set is in use. Another one may be in the making beside it, of a higher number; when it has all passages it takes
over, in one transaction. Of a store that has never had token vectors, nor refused them, there are no such tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_client.index.document_store import DocumentStore, StoreDamagedError, chunks, marks
from interlingua_client.index.token_store.quantization import DEFAULT_FORMAT
from interlingua_client.index.token_store.token_facts import TokenFacts
from interlingua_client.index.token_store.token_file import TokenFile, TokenFileError, TokenSpan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from sqlite3 import Connection

_SCHEMA = """
CREATE TABLE IF NOT EXISTS token_sets (
    number INTEGER PRIMARY KEY,
    reranker TEXT NOT NULL,
    model_id TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    format TEXT NOT NULL,
    file TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    projection BLOB
);
CREATE TABLE IF NOT EXISTS token_rows (
    label INTEGER NOT NULL REFERENCES passages (label) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (label, number)
) WITHOUT ROWID;
DROP TABLE IF EXISTS token_spans;
DROP TABLE IF EXISTS token_vectors;
"""
_FORMER = "token_vectors"  # of before there were checksums; what it names is made again


class TokenTables:
    """The two tables of a store."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    @property
    def directory(self) -> Path:
        """The index's folder."""
        return self._store.directory

    def exist(self) -> bool:
        """Whether it was decided that the index has token vectors, or that it has none."""
        return self._has_table("token_sets")

    def had_former(self) -> bool:
        """Whether the index had token vectors in a form that is read no more."""
        return self._has_table(_FORMER)

    def _has_table(self, name: str) -> bool:
        with self._store.reading() as connection:
            return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None

    def sets(self) -> list[TokenFacts]:
        """The one in use, and what is in the making; none where the index wants none. Raises StoreDamagedError."""
        if not self.exist():
            return []
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM token_sets ORDER BY number").fetchall()
        try:
            return [TokenFacts.from_row(row) for row in rows]
        except (KeyError, ValueError) as error:
            raise StoreDamagedError(
                f"what {self.directory} says of its token vectors is damaged ({error}): {self.mending()}"
            ) from error

    def mending(self, kind: str = DEFAULT_FORMAT) -> str:
        """What makes token vectors again, for people."""
        return f"`interlingua index --index {self.directory} --token-vectors {kind}` makes them again"

    def open(self, facts: TokenFacts) -> TokenFile:
        """A set's file. Raises TokenFileError: it is missing, or another one; says what to do."""
        try:
            return TokenFile(self.directory / facts.file, facts.width)
        except TokenFileError as error:
            raise TokenFileError(f"{error}: {self.mending(facts.format.name)}") from error

    def file_for(self, reranker: str) -> str:
        """The file that a search with a reranker reads; "" without one. Where it is another one, so are the facts."""
        if not self.exist():
            return ""
        query = "SELECT file FROM token_sets WHERE reranker = ? AND file != '' ORDER BY number"
        with self._store.reading() as connection:
            row = connection.execute(query, (reranker,)).fetchone()
        return str(row[0]) if row else ""

    def begin(self, facts: TokenFacts) -> TokenFacts:
        """Have a set in the making, without rows, beside the one in use; as it is then."""
        with self._store.transaction() as connection:
            _make_tables(connection)
            used, last = connection.execute(
                "SELECT min(number) FILTER (WHERE file != ''), coalesce(max(number), 0) FROM token_sets"
            ).fetchone()
            _retain(connection, used)
            facts = replace(facts, number=last + 1)
            _write(connection, facts)
        return facts

    def retain(self, facts: TokenFacts) -> None:
        """Have this set alone: it is in use from now on."""
        with self._store.transaction() as connection:
            _retain(connection, facts.number)

    def drop(self) -> None:
        """Have none, and remember it."""
        with self._store.transaction() as connection:
            _make_tables(connection)
            _retain(connection, None)

    def add(self, facts: TokenFacts, spans: Mapping[int, TokenSpan]) -> TokenFacts:
        """Name rows that lie in the file behind those that were named; the facts then."""
        facts = replace(facts, tokens=facts.tokens + sum(span.tokens for span in spans.values()))
        with self._store.transaction() as connection:
            _name(connection, facts, spans)
            connection.execute("UPDATE token_sets SET tokens = ? WHERE number = ?", (facts.tokens, facts.number))
        return facts

    def move(self, facts: TokenFacts, spans: Mapping[int, TokenSpan]) -> None:
        """Another file of the same set, with all passages' rows at these places."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM token_rows WHERE number = ?", (facts.number,))
            _write(connection, facts)
            _name(connection, facts, spans)

    def forget(self, facts: TokenFacts, labels: Collection[int]) -> None:
        """Take these passages' rows off: they are to be made again."""
        with self._store.transaction() as connection:
            for chunk in chunks(sorted(labels)):
                query = f"DELETE FROM token_rows WHERE number = ? AND label IN ({marks(chunk)})"  # noqa: S608
                connection.execute(query, (facts.number, *chunk))

    def spans(self, facts: TokenFacts, labels: Sequence[int]) -> dict[int, TokenSpan]:
        """Where the rows of these passages lie; those that have none are left out."""
        found: dict[int, TokenSpan] = {}
        select = "SELECT label, start, tokens, checksum FROM token_rows WHERE number = ? AND label IN"
        with self._store.reading() as connection:
            for chunk in chunks(labels):
                rows = connection.execute(f"{select} ({marks(chunk)})", (facts.number, *chunk))
                found.update((row[0], TokenSpan(*row[1:])) for row in rows)
        return found

    def labels(self, facts: TokenFacts) -> list[int]:
        """The passages that have token vectors, ascending."""
        query = "SELECT label FROM token_rows WHERE number = ? ORDER BY label"
        with self._store.reading() as connection:
            return [row[0] for row in connection.execute(query, (facts.number,))]

    def labels_behind(self, facts: TokenFacts, rows: int) -> set[int]:
        """The documents whose rows do not lie within the first so many of the file."""
        query = "SELECT label FROM token_rows WHERE number = ? AND start + tokens > ?"
        with self._store.reading() as connection:
            return {row[0] for row in connection.execute(query, (facts.number, rows))}

    def missing(self, facts: TokenFacts) -> list[int]:
        """The passages that have none, ascending."""
        query = (
            "SELECT label FROM passages WHERE label NOT IN (SELECT label FROM token_rows WHERE number = ?) "
            "ORDER BY label"
        )
        with self._store.reading() as connection:
            return [row[0] for row in connection.execute(query, (facts.number,))]

    def live_tokens(self, facts: TokenFacts) -> int:
        """Rows of passages that are there."""
        query = "SELECT coalesce(sum(tokens), 0) FROM token_rows WHERE number = ?"
        with self._store.reading() as connection:
            return int(connection.execute(query, (facts.number,)).fetchone()[0])


def _make_tables(connection: Connection) -> None:
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)


def _retain(connection: Connection, number: int | None) -> None:
    """Drop all sets but one."""
    for table in ("token_rows", "token_sets"):
        connection.execute(f"DELETE FROM {table} WHERE number IS NOT ?", (number,))  # noqa: S608


def _write(connection: Connection, facts: TokenFacts) -> None:
    connection.execute("INSERT OR REPLACE INTO token_sets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", facts.to_row())


def _name(connection: Connection, facts: TokenFacts, spans: Mapping[int, TokenSpan]) -> None:
    rows = ((label, facts.number, *span) for label, span in spans.items())
    connection.executemany("INSERT OR REPLACE INTO token_rows VALUES (?, ?, ?, ?, ?)", rows)
