"""SQLite holds the documents, their passages and the passages' vectors, and is the truth; the rest is derived from it.

    writer:  commit_split(documents, vectors) / delete(ids)        one transaction each, one generation more
    readers: snapshot() -> labels, vectors, passages, documents    undisturbed by the writer (WAL)

A label is a passage's number and never used again: a passage that changes gets a new one, and one that does not keeps
its own, wherever in its document it moves. So a label's vector never changes, and a derived file is brought up to date
by the difference of two sets of labels. A document keeps its number as long as it is there.

`synchronous=FULL`: a commit holds a batch that took the network a tenth of a second or more, next to which
one fsync costs nothing, and what was committed survives a power cut and not just `kill -9`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from interlingua.base.errors import InputError, InterlinguaError
from interlingua.base.json_value import canonical_json
from interlingua_client.document import Document
from interlingua_client.embedder import are_finite, require_vectors
from interlingua_client.index.language_offsets import LanguageOffsets, VectorSum, unit
from interlingua_client.index.manifest import SCHEMA_VERSION, Manifest
from interlingua_client.index.passages.passage import SplitDocument, StoredPassage
from interlingua_client.index.passages.span import Span, passage_text
from interlingua_client.index.store_schema import SCHEMA
from interlingua_client.index.words.word_table import WordedText, WordTable, is_available, written_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from interlingua_client.embedder import EmbedderIdentity, FloatArray, IntArray

STORE_FILE = "documents.sqlite"

_T = TypeVar("_T")

_NONE = np.empty(0, np.int64)
_BUSY_TIMEOUT_S = 30.0
_ROWS_AT_ONCE = 4096
_DOCUMENTS_AT_ONCE = 256
_VARIABLES_AT_ONCE = 500
_DOCUMENT = "id, d.language, title, text, metadata"


class StoreDamagedError(InterlinguaError):
    """SQLite cannot read the store."""


class _Changes(NamedTuple):
    """What a commit puts in and takes out: languages and vectors of passages."""

    new: list[tuple[str, FloatArray]]
    gone: list[tuple[str, FloatArray]]


class LabelledVectors(NamedTuple):
    """Vectors as the network gave them.

    Attributes:
        labels: int64 [n].
        vectors: float32 [n, D].
        languages: n tags.
    """

    labels: IntArray
    vectors: FloatArray
    languages: list[str]


class DocumentStore:
    """An open store. One instance may be used from several threads; calls take turns."""

    def __init__(self, connection: sqlite3.Connection, directory: Path) -> None:
        self.directory = directory
        self._connection = connection
        self._lock = threading.RLock()
        self._dimension: int | None = None

    @classmethod
    def create(cls, directory: Path, manifest: Manifest) -> DocumentStore:
        """Make a new, empty store; whole or not at all."""
        connection = _connect(directory / STORE_FILE, "rwc")
        store = cls(connection, directory)
        with store.transaction():
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            if is_available():
                WordTable(connection).clear()
                manifest = replace(manifest, words=written_by())
            store._write_manifest(manifest)
        return store

    @classmethod
    def open(cls, directory: Path, *, writing: bool = False) -> DocumentStore:
        """Open an existing store.

        Raises:
            InputError: there is none, or it was made by another version of Interlingua.
            StoreDamagedError: SQLite cannot read it.
        """
        path = directory / STORE_FILE
        if not cls.exists(directory):
            raise InputError(
                f"there is no index in {directory}: make one with `interlingua index CORPUS --index {directory}`"
            )
        store = cls(_connect(path, "rw" if writing else "ro"), directory)
        try:
            store.manifest()
        except BaseException:
            store.close()
            raise
        return store

    @staticmethod
    def exists(directory: Path) -> bool:
        """Whether a store was made here; one that died before its first commit does not count."""
        path = directory / STORE_FILE
        if not path.is_file():
            return False
        connection = _connect(path, "ro")
        try:
            with _explained(path):
                tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        finally:
            connection.close()
        return bool(tables)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    # -- manifest --------------------------------------------------------------------------------------------

    def manifest(self) -> Manifest:
        """The facts of the index as of now, or of the snapshot around this call."""
        with self.reading() as connection:
            rows = dict(connection.execute("SELECT key, value FROM manifest"))
        version = rows.get("schema_version")
        if version != str(SCHEMA_VERSION):
            raise InputError(
                f"{self.directory} has schema version {version}, this Interlingua reads {SCHEMA_VERSION}: "
                "index the documents again into a new directory (docs/search.md: how to have them out of this one)"
            )
        try:
            return Manifest.from_rows(rows)
        except (KeyError, ValueError) as error:
            raise StoreDamagedError(
                f"the manifest of {self.directory} is damaged ({error}): remove the directory and index again"
            ) from error

    def update_manifest(self, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Replace the manifest by `change` of it, in one transaction."""
        with self.transaction():
            manifest = change(self.manifest())
            manifest = replace(manifest, generation=manifest.generation + 1)
            self._write_manifest(manifest)
        return manifest

    def _write_manifest(self, manifest: Manifest) -> None:
        rows = manifest.to_rows().items()
        self._connection.executemany("INSERT OR REPLACE INTO manifest VALUES (?, ?)", rows)

    def _next_generation(self) -> int:
        manifest = self.manifest()
        self._write_manifest(replace(manifest, generation=manifest.generation + 1))
        return manifest.generation + 1

    # -- writing ---------------------------------------------------------------------------------------------

    def commit(self, documents: Sequence[Document], vectors: FloatArray) -> None:
        """Put documents in that are one passage each, float32 [documents, D]. Raises as `commit_split`."""
        self.commit_split([SplitDocument.whole(document) for document in documents], vectors)

    def commit_split(
        self, documents: Sequence[SplitDocument], vectors: FloatArray, embedded: Sequence[Sequence[int]] | None = None
    ) -> None:
        """Put documents in, in place of those of the same id, in one transaction.

        A passage that its document had before, with the same digest, keeps its label and its vector.

        Args:
            documents: of different ids.
            vectors: float32 [passages, D], of one document after the other.
            embedded: which passages of each document these are of, by position; all without it.

        Raises:
            InputError: an id is there twice; nothing was committed.
            ServerError: vectors of another shape, or not finite; nothing was committed.
        """
        chosen = [range(len(split.spans)) for split in documents] if embedded is None else embedded
        owners = [split.document.id for split, positions in zip(documents, chosen, strict=True) for _ in positions]
        dimension = self.manifest().embedder.dimension
        require_vectors(vectors, len(owners), dimension, lambda row: f"document {owners[row]!r}")
        rows, seen = iter(vectors), set[str]()
        changes = _Changes([], [])
        with self.transaction(), self._words_follow([split.document.id for split in documents]):
            generation = self._next_generation()
            for split, positions in zip(documents, chosen, strict=True):
                given = {position: next(rows) for position in positions}
                if split.document.id in seen or not self._put(split, given, generation, changes):
                    raise InputError(f"document id {split.document.id!r} is there twice: ids must be unique")
                seen.add(split.document.id)
            self._note_sums(changes)

    def _put(self, split: SplitDocument, given: dict[int, FloatArray], generation: int, changes: _Changes) -> bool:
        """Write one document; False where a passage has no vector, neither given nor stored."""
        document, number = split.document, self._put_document(split, generation)
        stored: dict[bytes, list[int]] = {}
        query = "SELECT label, digest FROM passages WHERE document = ? ORDER BY position DESC"
        for label, digest in self._connection.execute(query, (number,)):
            stored.setdefault(digest, []).append(label)
        kept, new = [], []
        for position, passage in enumerate(split.passages):
            place = (position, passage.span.start, passage.span.end)
            if labels := stored.get(passage.digest):
                kept.append((*place, labels.pop()))
            elif position in given:
                vector = given[position]
                made = (passage.span.heading, document.language, passage.digest, generation, _blob(vector))
                new.append((number, *place, *made))
                changes.new.append((document.language, vector))
            else:
                return False
        gone = [label for labels in stored.values() for label in labels]
        changes.gone.extend(self._remove_passages(gone))
        self._connection.executemany('UPDATE passages SET position = ?, start = ?, "end" = ? WHERE label = ?', kept)
        self._connection.executemany(
            'INSERT INTO passages (document, position, start, "end", heading, language, digest, generation, vector) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            new,
        )
        return True

    def _put_document(self, split: SplitDocument, generation: int) -> int:
        """Write a document's own row; its number."""
        document = split.document
        row = (document.id, document.language, document.digest, generation, split.plan, document.title, split.lead)
        [number] = self._connection.execute(
            "INSERT INTO documents (id, language, digest, generation, plan, title, lead, text, metadata) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET language = excluded.language, "
            "digest = excluded.digest, generation = excluded.generation, plan = excluded.plan, "
            "title = excluded.title, lead = excluded.lead, text = excluded.text, "
            "metadata = excluded.metadata RETURNING number",
            (*row, document.text, canonical_json(document.metadata)),
        ).fetchone()
        return int(number)

    def renew(self, labels: Sequence[int], vectors: FloatArray) -> None:
        """Give passages other vectors, float32 [passages, D], and with them other labels, in one transaction.

        Raises:
            ServerError: of another shape, or not finite; nothing was committed.
        """
        dimension = self.manifest().embedder.dimension
        require_vectors(vectors, len(labels), dimension, lambda row: f"label {labels[row]}")
        columns = 'document, position, start, "end", heading, language, digest'
        ids = [passage.id for passage in self.passages(labels).values()]
        with self.transaction(), self._words_follow(list(dict.fromkeys(ids))):
            generation = self._next_generation()
            languages = [
                self._connection.execute(
                    f"INSERT INTO passages ({columns}, generation, vector) "  # noqa: S608
                    f"SELECT {columns}, ?, ? FROM passages WHERE label = ? RETURNING language",
                    (generation, _blob(vector), label),
                ).fetchone()[0]
                for label, vector in zip(labels, vectors, strict=True)
            ]
            self._note_sums(_Changes(list(zip(languages, vectors, strict=True)), self._remove_passages(labels)))

    def delete(self, ids: Sequence[str]) -> int:
        """Take documents out, in one transaction; how many of the ids there were."""
        removed = 0
        with self.transaction():
            for chunk in chunks(ids):
                with self._words_follow(chunk):
                    passages = "SELECT label FROM passages JOIN documents ON number = document WHERE id IN"
                    labels = [row[0] for row in self._connection.execute(f"{passages} ({marks(chunk)})", chunk)]
                    self._note_sums(_Changes([], self._remove_passages(labels)))
                    query = f"DELETE FROM documents WHERE id IN ({marks(chunk)})"  # noqa: S608
                    removed += self._connection.execute(query, chunk).rowcount
            if removed:
                self._next_generation()
        return removed

    def _remove_passages(self, labels: Sequence[int]) -> list[tuple[str, FloatArray]]:
        """Language and vector of those that had a sound one."""
        gone = []
        for chunk in chunks(labels):
            query = f"DELETE FROM passages WHERE label IN ({marks(chunk)}) RETURNING language, vector"  # noqa: S608
            rows = self._connection.execute(query, chunk).fetchall()
            gone += [(language, _vector(blob)) for language, blob in rows if self._is_sound(blob)]
        return gone

    def _note_sums(self, changes: _Changes) -> None:
        for entries, sign in ((changes.gone, -1), (changes.new, 1)):
            if entries:
                self._add_to_sums([tag for tag, _ in entries], np.stack([vector for _, vector in entries]), sign)

    def _add_to_sums(self, languages: Sequence[str], vectors: FloatArray, sign: int) -> None:
        sums = self.vector_sums()
        tags = np.array(languages)
        for language in dict.fromkeys(languages):
            rows = unit(vectors[tags == language]).astype(np.float64)
            old = sums.get(language) or VectorSum(0, np.zeros(vectors.shape[1]))
            new = VectorSum(old.number + sign * len(rows), old.total + sign * rows.sum(axis=0))
            if new.number:
                row = (language, new.number, new.total.astype("<f8").tobytes())
                self._connection.execute("INSERT OR REPLACE INTO vector_sums VALUES (?, ?, ?)", row)
            else:
                self._connection.execute("DELETE FROM vector_sums WHERE language = ?", (language,))

    @contextmanager
    def _words_follow(self, ids: Sequence[str]) -> Iterator[None]:
        """Around a change to documents, in its transaction: words that change go out, and the new ones come in.

        A writer that makes no words, or others, notes that they are to be made anew.
        """
        made = self.manifest().words
        follows = bool(made) and is_available() and made == written_by()
        before = {one.label: one for one in self._worded(ids)} if follows else {}
        yield
        if follows:
            follows = self._try_words(before, ids)
        if made and not follows:
            self._write_manifest(replace(self.manifest(), words=""))

    def _try_words(self, before: dict[int, WordedText], ids: Sequence[str]) -> bool:
        """Whether the words of documents were changed; they are not where their table is damaged."""
        table, new = WordTable(self._connection), list[WordedText]()
        for one in self._worded(ids):
            if before.get(one.label) == one:
                del before[one.label]
            else:
                new.append(one)
        try:
            table.remove(before.values())
            table.add(new)
        except sqlite3.DatabaseError:
            return False
        return True

    def _worded(self, ids: Sequence[str]) -> Iterator[WordedText]:
        """The passages of those documents that are there."""
        for id_ in dict.fromkeys(ids):
            yield from self._worded_of("id = ?", id_)

    def _worded_of(self, which: str, value: str | int) -> Iterator[WordedText]:
        """The passages of one document; its text is read once, however many they are."""
        query = f"SELECT number, title, text FROM documents WHERE {which}"  # noqa: S608
        for number, title, text in self._connection.execute(query, (value,)).fetchall():
            query = 'SELECT label, language, heading, start, "end" FROM passages WHERE document = ?'
            for label, language, heading, start, end in self._connection.execute(query, (number,)).fetchall():
                yield WordedText(label, language, passage_text(title, heading, text[start:end]))

    def has_all_words(self) -> bool:
        """Whether every passage's words are there, made by the rules that this process has."""
        with self.reading() as connection:
            if self.manifest().words != written_by():
                return False
            passages: int = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
            try:
                return len(WordTable(connection)) == passages
            except sqlite3.DatabaseError:
                return False

    def make_words(self) -> None:
        """Make the words of all passages anew, in one transaction."""
        with self.transaction() as connection:
            table = WordTable(connection)
            table.clear()
            numbers = [row[0] for row in connection.execute("SELECT number FROM documents ORDER BY number")]
            table.add(one for number in numbers for one in self._worded_of("number = ?", number))
            self.update_manifest(lambda manifest: replace(manifest, words=written_by()))

    def recount(self) -> None:
        """Add the languages' sums up again from the passages' vectors, in one transaction."""
        with self.transaction():
            self._connection.execute("DELETE FROM vector_sums")
            for found in self.vectors_of(np.sort(np.concatenate(list(self.labels_by_language().values()) or [_NONE]))):
                self._add_to_sums(found.languages, found.vectors, 1)

    # -- reading ---------------------------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one generation."""
        with self._lock, _explained(self.directory):
            if self._connection.in_transaction:  # part of the one around it
                yield
                return
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def digests(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Content digests of those ids that are there."""
        return self._by_id("digest", ids)

    def plans(self, ids: Sequence[str]) -> dict[str, str]:
        """Names of the plans that those documents were split by that are there."""
        return self._by_id("plan", ids)

    def _by_id(self, column: str, ids: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with self.reading() as connection:
            for chunk in chunks(ids):
                query = f"SELECT id, {column} FROM documents WHERE id IN ({marks(chunk)})"  # noqa: S608
                found.update(connection.execute(query, chunk))
        return found

    def passage_digests(self, ids: Sequence[str]) -> dict[str, list[bytes]]:
        """Digests of the passages of those documents that are there, in their order."""
        found: dict[str, list[bytes]] = {}
        query = "SELECT id, p.digest FROM documents JOIN passages p ON document = number WHERE id IN"
        with self.reading() as connection:
            for chunk in chunks(ids):
                for id_, digest in connection.execute(f"{query} ({marks(chunk)}) ORDER BY number, position", chunk):
                    found.setdefault(id_, []).append(digest)
        return found

    def labels_by_content(self) -> dict[tuple[str, bytes], int]:
        """Every passage's label by its document's id and its digest."""
        query = "SELECT id, p.digest, label FROM passages p JOIN documents ON number = document"
        with self.reading() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def ids(self) -> set[str]:
        """Every document's id."""
        with self.reading() as connection:
            return {row[0] for row in connection.execute("SELECT id FROM documents")}

    def languages(self) -> dict[str, int]:
        """How many documents each language has; the most first."""
        with self.reading() as connection:
            counts = connection.execute("SELECT language, count(*) FROM documents GROUP BY language").fetchall()
        return dict(sorted(counts, key=lambda row: (-row[1], row[0])))

    def count_other_plans(self, name: str) -> int:
        """How many documents were split by another plan than this."""
        with self.reading() as connection:
            query = "SELECT count(*) FROM documents WHERE plan IS NOT ?"
            return int(connection.execute(query, (name,)).fetchone()[0])

    def count_passages(self) -> int:
        """How many passages there are; one a document where none was split."""
        with self.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM passages").fetchone()[0])

    def labels_by_language(self) -> dict[str, IntArray]:
        """Sorted labels of each language's passages; languages with the most first."""
        found: dict[str, IntArray] = {}
        with self.reading() as connection:
            for (language,) in connection.execute("SELECT DISTINCT language FROM passages").fetchall():
                rows = connection.execute("SELECT label FROM passages WHERE language = ?", (language,))
                found[language] = np.sort(np.fromiter((row[0] for row in rows), np.int64))
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))

    def passage_documents(self) -> tuple[IntArray, IntArray]:
        """Every passage's label, int64 [n], sorted, and the number of its document, int64 [n]."""
        with self.reading() as connection:
            rows = connection.execute("SELECT label, document FROM passages")
            flat = np.fromiter((value for row in rows for value in row), np.int64)
        labels, numbers = flat[::2], flat[1::2]
        order = np.argsort(labels)
        return labels[order], numbers[order]

    def metadata_rows(self) -> Iterator[tuple[int, str]]:
        """Every document's number and its further fields, as the text of a JSON object; some thousands at a time."""
        return self._numbered("metadata")

    def _numbered(self, columns: str) -> Iterator[Any]:
        last = 0
        query = f"SELECT number, {columns} FROM documents WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608
        while True:
            with self.reading() as connection:
                rows = connection.execute(query, (last, _ROWS_AT_ONCE)).fetchall()
            if not rows:
                return
            yield from rows
            last = rows[-1][0]

    def identity_rows(self) -> Iterator[tuple[int, str, str]]:
        """Every document's number, id and language; some thousands at a time."""
        return self._numbered("id, language")

    def each_document(self, *, but_plan: str | None = None) -> Iterator[Document]:
        """Every document, in the order of their numbers, some at a time; those of one plan may be left out."""
        last = 0
        query = (
            f"SELECT number, {_DOCUMENT} FROM documents d WHERE number > ? AND plan IS NOT ? "  # noqa: S608
            "ORDER BY number LIMIT ?"
        )
        while True:
            with self.reading() as connection:
                rows = connection.execute(query, (last, but_plan, _DOCUMENTS_AT_ONCE)).fetchall()
            if not rows:
                return
            yield from (_document(row[1:]) for row in rows)
            last = rows[-1][0]

    def documents_by_id(self, ids: Sequence[str]) -> dict[str, Document]:
        """The documents of those ids that are there."""
        found: dict[str, Document] = {}
        with self.reading() as connection:
            for chunk in chunks(list(ids)):
                query = f"SELECT {_DOCUMENT} FROM documents d WHERE id IN ({marks(chunk)})"  # noqa: S608
                found.update((row[0], _document(row)) for row in connection.execute(query, chunk))
        return found

    def documents(self, labels: Sequence[int]) -> dict[int, Document]:
        """The documents that those passages are of that are still there, whole, by the passages' labels."""
        query = f"SELECT number, {_DOCUMENT} FROM documents d WHERE number"  # noqa: S608
        with self.snapshot():
            owners = dict(self._among("SELECT label, document FROM passages WHERE label", labels))
            found = {row[0]: _document(row[1:]) for row in self._among(query, list(set(owners.values())))}
        return {label: found[number] for label, number in owners.items()}

    def passages(self, labels: Sequence[int]) -> dict[int, StoredPassage]:
        """The passages of those labels that are still there, with what a hit says of their documents."""
        query = (
            'SELECT label, number, position, start, "end", heading, id, d.language, title, coalesce(lead, title), '
            "metadata FROM passages p JOIN documents d ON number = document WHERE label"
        )
        found = {}
        for chunk in chunks(labels):
            with self.snapshot():
                rows = list(self._among(query, chunk))
                # A text is read once: in the query above it would be for each of its passages.
                numbers = list({row[1] for row in rows})
                texts = dict(self._among("SELECT number, text FROM documents WHERE number", numbers))
            for label, number, position, *span, id_, language, title, lead, metadata in rows:
                place = Span(*span)
                own = (id_, language, title, lead, texts[number][place.start : place.end], metadata)
                found[label] = StoredPassage(number, position, place, *own)
        return found

    def _among(self, query: str, values: Sequence[int]) -> Iterator[Any]:
        """The rows of a query that ends with a number's column, for those numbers."""
        with self.reading() as connection:
            for chunk in chunks([int(value) for value in values]):
                yield from connection.execute(f"{query} IN ({marks(chunk)})", chunk).fetchall()

    def vectors_of(self, labels: IntArray) -> Iterator[LabelledVectors]:
        """The vectors of sorted labels, some thousands at a time; labels that are gone are left out.

        Raises:
            StoreDamagedError: one is of another length, or not finite.
        """
        for start in range(0, len(labels), _ROWS_AT_ONCE):
            wanted = labels[start : start + _ROWS_AT_ONCE]
            with self.reading() as connection:
                rows = self._rows_between(connection, wanted)
            if rows:
                if {len(row[2]) for row in rows} != {self._bytes()}:
                    raise self._unsound("vectors of passages")
                vectors = np.stack([_vector(row[2]) for row in rows])
                if not are_finite(vectors).all():
                    raise self._unsound("vectors of passages")
                yield LabelledVectors(np.array([row[0] for row in rows], np.int64), vectors, [row[1] for row in rows])

    @staticmethod
    def _rows_between(connection: sqlite3.Connection, wanted: IntArray) -> list[tuple[int, str, bytes]]:
        """Rows of the wanted labels: one range scan where they lie close together, else one by one."""
        query = "SELECT label, language, vector FROM passages WHERE label "
        first, last = int(wanted[0]), int(wanted[-1])
        if last - first < 4 * len(wanted):
            chosen = set(wanted.tolist())
            rows = connection.execute(query + "BETWEEN ? AND ? ORDER BY label", (first, last))
            return [row for row in rows if row[0] in chosen]
        found = (connection.execute(query + "= ?", (label,)).fetchone() for label in wanted.tolist())
        return [row for row in found if row is not None]

    def unsound_labels(self) -> list[int]:
        """The labels whose stored vectors are not finite, or of another length."""
        with self.reading() as connection:
            rows = connection.execute("SELECT label, vector FROM passages ORDER BY label")
            return [label for label, blob in rows if not self._is_sound(blob)]

    def _is_sound(self, blob: bytes) -> bool:
        return len(blob) == self._bytes() and bool(are_finite(_vector(blob)))

    def _bytes(self) -> int:
        if self._dimension is None:  # an index never has another
            self._dimension = self.manifest().embedder.dimension
        return 4 * self._dimension

    def _unsound(self, what: str) -> StoreDamagedError:
        return StoreDamagedError(
            f"{self.directory} has {what} that are not finite or of another length: "
            f"`interlingua index --index {self.directory} --rebuild` makes them again"
        )

    # -- language offsets ------------------------------------------------------------------------------------

    def vector_sums(self) -> dict[str, VectorSum]:
        """Count and sum of the unit passage vectors of each language, kept up to date by every commit."""
        with self.reading() as connection:
            rows = connection.execute("SELECT language, passages, total FROM vector_sums").fetchall()
        return {language: VectorSum(count, np.frombuffer(total, "<f8")) for language, count, total in rows}

    def stand_in_sample(self, language: str, size: int) -> tuple[list[Document], list[int]]:
        """The documents whose titles stand in for queries, with the labels of their first passages.

        They are those of which these have the smallest digests: a sample by digest is random in content, the same on
        every run, and changes little when documents come.
        """
        query = (
            f"SELECT label, {_DOCUMENT} FROM passages p JOIN documents d ON number = document "  # noqa: S608
            "WHERE p.language = ? AND position = 0 ORDER BY p.digest, label LIMIT ?"
        )
        with self.reading() as connection:
            rows = connection.execute(query, (language, size)).fetchall()
        return [_document(row[1:]) for row in rows], [row[0] for row in rows]

    def passage_sample(self, language: str, size: int) -> list[int]:
        """Labels of a language's passages of the smallest digests."""
        query = "SELECT label FROM passages WHERE language = ? ORDER BY digest, label LIMIT ?"
        with self.reading() as connection:
            return [row[0] for row in connection.execute(query, (language, size))]

    def stand_in_vectors(self, labels: Sequence[int]) -> dict[int, FloatArray]:
        """The query vectors that are already known, float32 [D] each, by label."""
        found: dict[int, FloatArray] = {}
        with self.reading() as connection:
            for chunk in chunks(list(labels)):
                query = f"SELECT label, vector FROM query_stand_ins WHERE label IN ({marks(chunk)})"  # noqa: S608
                found.update((row[0], _vector(row[1])) for row in connection.execute(query, chunk))
        return found

    def save_stand_ins(self, labels: Sequence[int], vectors: FloatArray) -> None:
        """Keep query vectors for the next estimate."""
        rows = [(int(label), _blob(vector)) for label, vector in zip(labels, vectors, strict=True)]
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO query_stand_ins VALUES (?, ?)", rows)

    def offsets(self) -> LanguageOffsets | None:
        """The offsets in use; None before the first estimate."""
        with self.reading() as connection:
            rows = connection.execute("SELECT role, language, vector FROM offsets").fetchall()
        if not rows:
            return None
        means: dict[str, dict[str, FloatArray]] = {"document": {}, "query": {}}
        for role, language, blob in rows:
            means[role][language] = _vector(blob)
        return LanguageOffsets.from_means(means["document"], means["query"])

    def sound_offsets(self) -> LanguageOffsets | None:
        """The offsets in use. Raises StoreDamagedError: they, or the sums that they come from, are not finite."""
        offsets, dimension = self.offsets(), self.manifest().embedder.dimension
        sums = [found.total for found in self.vector_sums().values()]
        if (offsets and not offsets.are_sound(dimension)) or not all(np.isfinite(total).all() for total in sums):
            raise self._unsound("vectors or language offsets")
        return offsets

    def put_offsets_to_use(self, offsets: LanguageOffsets) -> Manifest:
        """Replace the offsets; the derived vectors are then in another space and have to be made again."""
        with self.transaction():
            self._connection.execute("DELETE FROM offsets")
            self._connection.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?)",
                ((role, language, _blob(mean)) for role, language, mean in offsets.rows()),
            )
            return self.update_manifest(
                lambda manifest: replace(manifest, offsets_version=manifest.offsets_version + 1)
            )

    # -- transactions ----------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one read; others wait."""
        with self._lock, _explained(self.directory):
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is written inside is there as a whole or not at all."""
        with self._lock, _explained(self.directory):
            if self._connection.in_transaction:  # part of the transaction around it
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def new_manifest(identity: EmbedderIdentity) -> Manifest:
    """The manifest of an index that is being made, with the defaults."""
    return Manifest(store_id=uuid.uuid4().hex, embedder=identity)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    with _explained(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if mode != "ro":
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise InterlinguaError(
            f"cannot use {path}: {error}. Check the disk's space and the directory's permissions (readers need to "
            "write there too: SQLite keeps its shared memory beside the file)."
        ) from error
    except sqlite3.ProgrammingError as error:
        if "closed" not in str(error):
            raise
        raise InputError(f"the index {path} is closed: open it again") from error
    except sqlite3.DatabaseError as error:
        raise StoreDamagedError(
            f"{path} is damaged: {error}. Restore it from a copy, or remove the directory and index again."
        ) from error


def _document(row: Sequence[Any]) -> Document:
    """A document of the columns `_DOCUMENT`."""
    id_, language, title, text, metadata = row
    return Document(id_, language, title, text, json.loads(metadata))


def _blob(vector: FloatArray) -> bytes:
    return vector.astype("<f4", copy=False).tobytes()


def _vector(blob: bytes) -> FloatArray:
    return np.frombuffer(blob[: len(blob) // 4 * 4], "<f4").astype(np.float32, copy=False)


def chunks(values: Sequence[_T]) -> Iterator[list[_T]]:
    """The values, as many at a time as one statement takes."""
    for start in range(0, len(values), _VARIABLES_AT_ONCE):
        yield list(values[start : start + _VARIABLES_AT_ONCE])


def marks(chunk: Sequence[object]) -> str:
    """The place holders of a chunk's values."""
    return ", ".join("?" * len(chunk))
