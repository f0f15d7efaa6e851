"""An index to write to from a program.

with Index.open(...) as index:
    index.add(documents) / update(changes) / delete(ids)    committed batch by batch; readers see it when they refresh
finish(), by itself at the end of the block: language offsets, derived vectors and token vectors brought up to date
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from interlingua.base.errors import InputError
from interlingua_client.index.derived_file import read_header
from interlingua_client.index.index_root import as_path, embedder_digest
from interlingua_client.index.indexer import DEFAULT_BATCH, DELETED_SHARE, Indexer, IndexProgress
from interlingua_client.search.query_language import LanguageDetector
from interlingua_client.search.retriever import Retriever
from interlingua_client.triton.inference import InferenceClient
from interlingua_client.triton.server_address import DEFAULT_SERVER, ServerAddress
from interlingua_client.writing.field_changes import changed_documents
from interlingua_client.writing.given_documents import GivenDocument, GivenDocuments

if TYPE_CHECKING:
    from interlingua_client.index.indexer import IndexOutcome, IndexSettings
    from interlingua_client.search.index_pair import Opened

PATIENCE_S = 120.0  # a run outlives a restart of the server


class Index:
    """The one writer of an index, from `open` to `close`; a context manager, safe to use from threads (in turn)."""

    def __init__(
        self,
        indexer: Indexer,
        directory: Path,
        held: contextlib.ExitStack,
        server: str | ServerAddress = DEFAULT_SERVER,
    ) -> None:
        """Use `open`, unless an indexer is at hand; `held` is closed with the index."""
        self.directory = directory
        self._indexer, self._held, self._server = indexer, held, server
        self._detector = LanguageDetector()
        self._turn = threading.RLock()
        self._is_finished, self._is_closed = _is_followed(indexer), False

    @classmethod
    def open(
        cls,
        directory: Path | str,
        *,
        server: str | ServerAddress = DEFAULT_SERVER,
        settings: IndexSettings | None = None,
        batch: int = DEFAULT_BATCH,
        patience_s: float = PATIENCE_S,
    ) -> Index:
        """Open an index for writing, or make it where there is none.

        Args:
            settings: what to change of the index's own.
            batch: documents of one commit.
            patience_s: how long a write waits for a server that went away.

        Raises:
            InputError: the index was built with another embedder than the server's, or a setting is out of range.
            IndexBusyError: another process is writing.
            ServerError: the server is away, or does not serve what is needed.
        """
        directory = as_path(directory)
        with contextlib.ExitStack() as stack:
            digest = embedder_digest(directory)
            client = stack.enter_context(InferenceClient.connect(server, patience_s=patience_s, digest=digest))
            indexer = stack.enter_context(Indexer.open(directory, client, settings, batch=batch, encoder=client))
            index = cls(indexer, directory, stack.pop_all(), server)
            index._is_finished &= settings is None
            return index

    def __enter__(self) -> Index:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # what was committed is safe; the next writer finishes, since it finds other vectors than documents
            self._let_go()

    def __len__(self) -> int:
        """Documents that are there."""
        return len(self._indexer.store.ids())

    @property
    def note(self) -> str:
        """What a user should know of the server beside the index, "" where there is nothing (canary.py)."""
        return self._indexer.note

    def add(
        self, documents: Iterable[GivenDocument], progress: Callable[[int], None] = lambda _: None
    ) -> IndexProgress:
        """Put documents in; one whose id is there already takes its place, and with equal content nothing is embedded.

        Args:
            documents: any number, drawn as they are needed: Document(...), or mappings with the fields of a corpus's
                line. A language that is missing or "" is detected.
            progress: told after every commit how many more documents are done.

        Returns:
            The counts of this call.

        Raises:
            InputError: one of them is none; what came before is committed, as it is when `documents` fails. Also
                where an id is twice in one batch, or the index is closed.
            ServerError: the server went away for too long, or refused a text.
        """
        with self._writing() as indexer:
            before = replace(indexer.progress)
            indexer.add(self._documents(indexer).read(documents), progress)
            return _difference(indexer.progress, before)

    def update(
        self, changes: Iterable[Mapping[str, object]], progress: Callable[[int], None] = lambda _: None
    ) -> IndexProgress:
        """Change fields of documents that are there; of a document whose text stays, nothing is embedded.

        Args:
            changes: mappings with an `id` and the fields that are to be others, as in a corpus's line; the rest stays.
                What is within `metadata` are fields of the metadata, whatever they are called. None takes away: a field
                of the metadata, a title, and a language, which is then detected.
            progress: told how many more documents are done.

        Returns:
            The counts of this call.

        Raises:
            InputError: an id that is not there, or what is left is no document; what came before is committed.
            ServerError: as `add`.
        """
        with self._writing() as indexer:
            before = replace(indexer.progress)
            for changed in changed_documents(changes, indexer.store):
                indexer.add(map(self._documents(indexer).tagged, changed), progress)
            return _difference(indexer.progress, before)

    def delete(self, ids: Iterable[str]) -> int:
        """Take documents out; how many of them there were. Raises InputError: these are no ids."""
        with self._writing() as indexer:
            return indexer.delete(ids)

    def delete_missing(self, kept: Iterable[str], *, at_most: float = DELETED_SHARE) -> int:
        """Take out what is not among `kept`, as `Indexer.delete_missing` does; how many. Raises InputError."""
        with self._writing() as indexer:
            return indexer.delete_missing(kept, at_most=at_most)

    def finish(self) -> IndexOutcome:
        """Put what was written to full use: language offsets, vectors and token vectors are brought up to date.

        Readers find committed documents without it, by the offsets there were and in more time.

        Raises:
            ServerError: the server went away for too long.
        """
        with self._writing() as indexer:
            outcome = indexer.finish()
            self._is_finished = True
            return outcome

    def retriever(self, **how: Unpack[Opened]) -> Retriever:
        """Open a retriever on what was written so far, by the same server; raises as `Retriever.open`."""
        with self._turn:
            if not self._is_finished:
                self.finish()
            how.setdefault("server", self._server)
            return Retriever.open(self.directory, **how)

    def close(self) -> None:
        """Finish what is not, and let go of the index, its lock and the connection. Raises as `finish`."""
        with self._turn:
            try:
                if not self._is_finished:
                    self.finish()
            finally:
                self._let_go()

    def _let_go(self) -> None:
        with self._turn:
            self._is_finished = self._is_closed = True
            self._held.close()

    def _documents(self, indexer: Indexer) -> GivenDocuments:
        return GivenDocuments(self._detector.tag_of, indexer.store.languages())

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Indexer]:
        with self._turn:
            if self._is_closed:
                raise InputError(f"the index {self.directory} is closed: open it again to write")
            self._is_finished = False
            yield self._indexer


def _is_followed(indexer: Indexer) -> bool:
    """Whether what is derived is of the documents and the plan that are there: nobody left off before finishing."""
    store = indexer.store
    manifest, header = store.manifest(), read_header(store.directory)
    if header is None or header.generation != manifest.generation or indexer.count_to_resplit():
        return False
    # Readers derive vectors, too, where nobody writes; but they estimate no offsets.
    return not manifest.offsets or store.offsets() is not None or not store.languages()


def _difference(now: IndexProgress, before: IndexProgress) -> IndexProgress:
    return IndexProgress(
        **{field.name: getattr(now, field.name) - getattr(before, field.name) for field in fields(now)}
    )
