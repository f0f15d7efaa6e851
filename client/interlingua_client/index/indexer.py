"""Documents into an index.

    corpus -> unchanged? -> left alone
           -> new or changed -> embed (many requests in flight) -> commit, batch by batch, as they arrive
    then: deletions -> language offsets -> vectors brought up to date -> token vectors of what has none

Killed at any moment, it has lost nothing that was committed, and the next run goes on where it stopped: what is
there with the same content digest is not embedded again.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import InputError, RequestRejectedError
from interlingua_client.document import Document, require_document, require_ids
from interlingua_client.embedder import require_vectors
from interlingua_client.index.canary import TEXTS, Canary, compare, is_wanted
from interlingua_client.index.document_changes import DocumentChange, document_changes
from interlingua_client.index.document_store import DocumentStore, new_manifest
from interlingua_client.index.healing import heal
from interlingua_client.index.index_root import as_path, current_folder
from interlingua_client.index.language_offsets import LanguageMeans, LanguageOffsets
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.model_target import draw_offsets
from interlingua_client.index.passages.passage import SplitDocument
from interlingua_client.index.passages.passage_plan import PassagePlan
from interlingua_client.index.passages.splitter import LongText, split_all
from interlingua_client.index.query_stand_ins import query_sums
from interlingua_client.index.token_store.quantization import NO_TOKENS
from interlingua_client.index.token_store.token_choice import choose_tokens, require_tokens
from interlingua_client.index.token_store.token_indexing import TokenIndexing
from interlingua_client.index.token_store.token_outcome import TokenOutcome
from interlingua_client.index.vector_repair import Repair, open_vectors
from interlingua_client.index.words.stored_words import NO_FTS5
from interlingua_client.index.words.word_table import is_available
from interlingua_client.index.writer_lock import writer_lock
from interlingua_client.language_tag import normalize_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from interlingua_client.embedder import Embedded, Embedder
    from interlingua_client.index.language_offsets import VectorSum
    from interlingua_client.token_encoder import TokenEncoder

# A new estimate that moves no offset by more than this share of the documents' spread is not put to use: vectors
# indexed under the old one would have to be derived again, for less than 3 degrees.
OFFSETS_MOVE_BOUND = 0.05

DEFAULT_BATCH = 64
DELETED_SHARE = 0.5

_LOCK_WAIT_S = 2.0
_MOST = 4  # documents of a commit of which little is embedded, in batches


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """What a user decides; None keeps what the index has, or the default where it is new.

    Attributes:
        token_vectors: a format (token_store/quantization.py) or "none"; a new index has them where its encoder has a
            late-interaction reranker. Another format, or another reranker than before, makes them all again.
        passage_tokens, passage_overlap: how long documents are split (PassagePlan); 0 tokens leave every document one
            passage. Where they are others than before, all documents are split again.
    """

    m: int | None = None
    ef_construction: int | None = None
    ef_search: int | None = None
    offsets: bool | None = None
    token_vectors: str | None = None
    passage_tokens: int | None = None
    passage_overlap: float | None = None

    def applied_to(self, hnsw: HnswParameters) -> HnswParameters:
        """The parameters with these changes.

        Raises:
            InputError: a value is out of its range.
        """
        wanted = {"m": self.m, "ef_construction": self.ef_construction, "ef_search": self.ef_search}
        return replace(hnsw, **{name: value for name, value in wanted.items() if value is not None})

    def planned(self, now: PassagePlan | None) -> PassagePlan | None:
        """How documents are to be split that are split as `now`.

        Raises:
            InputError: a value is out of its range, or an overlap is wanted where nothing is split.
        """
        wanted: dict[str, Any] = {"size": self.passage_tokens, "overlap": self.passage_overlap}
        changes = {name: value for name, value in wanted.items() if value is not None}
        if changes.get("size", now) in (None, 0):
            if "overlap" in changes:
                raise InputError("an overlap of passages is given, and documents are not split: give the size, too")
            return None
        return replace(now or PassagePlan(), **changes).checked()


@dataclass(kw_only=True)
class IndexProgress:
    """Counts of one run.

    Attributes:
        added, changed, unchanged, deleted: documents.
        resplit: documents of the same content, that are split otherwise than before.
        truncated: passages of which the network saw only the beginning.
        tokens: embedded, before truncation.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    resplit: int = 0
    truncated: int = 0
    tokens: int = 0

    @property
    def seen(self) -> int:
        return self.added + self.changed + self.unchanged + self.resplit


@dataclass(frozen=True)
class OffsetsOutcome:
    """What became of the language offsets.

    Attributes:
        state: "off", "estimated" (put to use for the first time), "kept" (the new estimate is close to the one in
            use), "replaced", or "no documents".
        moved: how far the new estimate is from the one that was in use (LanguageOffsets.distance); 0 without one.
        languages: how many were estimated.
        left_out: titles whose vectors are not finite.
        own_shares: how far each language's own mean counts beside the model's language vectors, 0 to 1
            (model_target.py); empty where the model was published without them.
    """

    state: str
    moved: float = 0.0
    languages: int = 0
    left_out: int = 0
    own_shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class IndexOutcome:
    """The end of a run.

    Attributes:
        healed: stored vectors that were none, and were made again.
    """

    offsets: OffsetsOutcome
    repair: Repair
    tokens: TokenOutcome
    healed: int = 0


class Indexer:
    """The one writer of an index; a context manager that holds the writer's lock."""

    def __init__(
        self,
        store: DocumentStore,
        embedder: Embedder,
        encoder: TokenEncoder | None,
        batch: int,
        stack: contextlib.ExitStack,
        note: str = "",
    ) -> None:
        """Use `open`. `note` is what a user should know of the server beside the index."""
        self.store = store
        self.note = note
        self.progress = IndexProgress()
        self._embedder, self._encoder = embedder, encoder
        self._batch = batch
        self._stack = stack

    @classmethod
    def open(
        cls,
        directory: Path | str,
        embedder: Embedder,
        settings: IndexSettings | None = None,
        *,
        batch: int = DEFAULT_BATCH,
        encoder: TokenEncoder | None = None,
    ) -> Indexer:
        """Open or make an index for writing; of several in a directory, the current one (index_root.py).

        Args:
            batch: documents of one commit.
            encoder: of token vectors; without one, those that the index has are left as they are.

        Raises:
            InputError: the index was built with another embedder, or by an engine that computes something else
                (canary.py), or a setting is out of range, or token vectors are wanted and the server has no
                late-interaction reranker.
            ServerError: the server is away, where its engine has to be asked.
            IndexBusyError: another process is writing.
        """
        directory = as_path(directory)
        settings = settings or IndexSettings()
        settings.applied_to(HnswParameters())  # before anything is made
        served = encoder.encoder if encoder else None
        require_tokens(settings.token_vectors, served)
        if not isinstance(batch, int) or batch < 1:
            raise InputError(f"batch is {batch!r}, it must be a whole number of documents from 1 on")
        with contextlib.ExitStack() as stack:
            try:
                settings.planned(PassagePlan() if DocumentStore.exists(current_folder(directory)) else None)
                directory = _locked(directory, stack)
            except OSError as error:
                raise InputError(f"cannot write the index {directory}: {error.strerror or error}") from error
            store = _opened_store(directory, embedder)
            stack.callback(store.close)
            note = _heard_canary(store, embedder, directory)
            _apply(settings, store)
            note = " ".join(filter(None, [note, _held_to(store.manifest().passages, embedder)]))
            choose_tokens(store, settings.token_vectors, served)
            return cls(store, embedder, encoder, batch, stack.pop_all(), note)

    def __enter__(self) -> Indexer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store and of the lock."""
        self._stack.close()

    def add(
        self,
        documents: Iterable[Document],
        advance: Callable[[int], None] = lambda _: None,
        skip: Callable[[int], None] | None = None,
    ) -> IndexProgress:
        """Put documents in; each commit is told to `advance`, and what was there already to `skip`, if that is given.

        Raises:
            InputError: from the documents' source, or one that is none; what came before is committed.
            ServerError: the server went away for too long, or refused a text.
        """
        pending: deque[list[DocumentChange]] = deque()
        batches = self._changed_batches(documents, pending, skip or advance)
        try:
            for embedded in self._embedder.embed_batches(batches, "document"):
                changes = pending.popleft()
                self._commit(changes, embedded)
                advance(len(changes))
        except RequestRejectedError as error:  # answers come in order: it is the oldest batch's
            if not pending:  # it was refused to count a text, which says nothing of which
                raise
            first, last = pending[0][0].split.document.id, pending[0][-1].split.document.id
            raise RequestRejectedError(f"{error} (among the documents {first!r} to {last!r})") from error
        return self.progress

    def delete(self, ids: Iterable[str]) -> int:
        """Take documents out; how many of them there were. Raises InputError: these are no ids."""
        deleted = self.store.delete(require_ids(ids))
        self.progress.deleted += deleted
        return deleted

    def delete_missing(self, kept: Iterable[str], *, at_most: float = DELETED_SHARE) -> int:
        """Take out every document whose id is not among `kept`; how many.

        Args:
            at_most: share that may go of the documents that were there before this run, or of those that it put in
                where there were none. More is the sign of a corpus that came short.

        Raises:
            InputError: more than that would go, or these are no ids; nothing was taken out.
        """
        there = self.store.ids()
        gone, before = there.difference(require_ids(kept)), len(there) - self.progress.added
        if before <= 0:  # all that there was, or as much, is gone already
            before = len(there)
        if gone and not (at_most >= 1 or len(gone) <= at_most * before):  # of a share that is no number neither is true
            raise InputError(
                f"{len(gone)} of the {before} documents in {self.store.directory} are not in the corpus, more than "
                f"{at_most:.0%}: none was deleted. Is the corpus whole? If so, allow it with --delete-at-most 1"
            )
        return self.delete(sorted(gone))

    def count_to_resplit(self) -> int:
        """How many documents are split by another plan than the index's."""
        return self.store.count_other_plans(self.store.manifest().plan_name)

    def resplit(self, advance: Callable[[int], None] = lambda _: None) -> None:
        """Split those anew, from the texts that are there; `finish` does it, too. Raises as `add`."""
        if self.count_to_resplit():
            self.add(self.store.each_document(but_plan=self.store.manifest().plan_name), advance)

    def finish(
        self,
        *,
        rebuild: bool = False,
        verify: bool = False,
        advance: Callable[[int], None] = lambda _: None,
        encode: Callable[[TokenIndexing], TokenOutcome] | None = None,
    ) -> IndexOutcome:
        """Split anew what is split by another plan (`resplit`), and bring what is derived up to date.

        Those are the offsets, which are estimated again, the derived vectors, and token vectors where some are missing.

        Args:
            rebuild: put the new estimate to use however little it moved, and build the vectors again; stored ones that
                are not finite or of another length are embedded again, and the tokens' projection is fitted anew.
            verify: compare the checksums of all stored token vectors, and make those again that are damaged; so does
                `rebuild`.
            advance: told of every vector that was derived.
            encode: runs the making of token vectors in place of `TokenIndexing.run`, to show its progress.

        Raises:
            ServerError: the server went away for too long, or gave what are no vectors.
        """
        self.resplit()
        healed = heal(self.store, self._embedder, self._batch) if rebuild else 0
        self._follow_words(anew=rebuild)
        offsets = self._estimate_offsets(rebuild=rebuild)
        # The lock is held, so no other generation can come in between.
        with self.store.snapshot():
            reason = "asked for" if rebuild else ""
            current = open_vectors(self.store, locked=True, rebuild=reason, advance=advance)
        tokens = TokenOutcome(format=NO_TOKENS)
        if self._encoder is not None:
            indexing = TokenIndexing(self.store, self._encoder, self._batch, refit=rebuild, verify=verify or rebuild)
            tokens = encode(indexing) if encode else indexing.run()
        return IndexOutcome(offsets, current.repair, tokens, healed)

    def _follow_words(self, *, anew: bool) -> None:
        """Make words that are missing, or are by other rules; where they cannot be made, say so and do without."""
        if not is_available():
            self.note = " ".join(filter(None, [self.note, f"{NO_FTS5}: codes and names are not searched by words."]))
        elif anew or not self.store.has_all_words():
            self.store.make_words()

    def _changed_batches(
        self, documents: Iterable[Document], pending: deque[list[DocumentChange]], skip: Callable[[int], None]
    ) -> Iterator[list[str]]:
        """Passages to embed, batch by batch; their documents go to `pending`.

        When the source fails, what it gave before is still embedded and committed; then the failure is raised.
        """
        failures: list[Exception] = []
        source = _until_failure(documents, failures)
        batch: list[DocumentChange] = []
        while chunk := list(islice(source, self._batch)):
            batches = (*pending, batch)
            in_flight = {change.split.document.id for changes in batches for change in changes}
            changes = document_changes(self.store, chunk, self._split, in_flight)
            self.progress.unchanged += len(chunk) - len(changes)
            skip(len(chunk) - len(changes))
            for change in changes:
                batch.append(change)
                if sum(len(found.embedded) for found in batch) >= self._batch or len(batch) >= _MOST * self._batch:
                    yield from self._sent(batch, pending, skip)
                    batch = []
        yield from self._sent(batch, pending, skip)
        if failures:
            raise failures[0]

    def _sent(
        self, batch: list[DocumentChange], pending: deque[list[DocumentChange]], skip: Callable[[int], None]
    ) -> Iterator[list[str]]:
        """A batch on its way, or committed at once where nothing of it is to be embedded."""
        if texts := [text for change in batch for text in change.texts]:
            pending.append(batch)
            yield texts
        elif batch:
            self._commit(batch, None)
            skip(len(batch))

    def _split(self, documents: Sequence[Document]) -> list[SplitDocument]:
        manifest = self.store.manifest()
        if manifest.passages is None:
            return [SplitDocument.whole(document) for document in documents]
        plan = manifest.passages.within(self._embedder.max_tokens)
        texts = [LongText(document.text, document.title, document.language) for document in documents]
        return [
            SplitDocument(document, found.spans, manifest.plan_name, found.title if len(found.spans) > 1 else None)
            for document, found in zip(documents, split_all(texts, plan, self._count), strict=True)
        ]

    def _count(self, texts: list[str]) -> list[int]:
        return self._embedder.count_tokens(texts, "document")

    def _commit(self, changes: list[DocumentChange], embedded: Embedded | None) -> None:
        edited = [change.split.document.id for change in changes if change.is_edited]
        known = len(self.store.digests(edited))
        vectors = np.empty((0, self._embedder.identity.dimension), np.float32) if embedded is None else embedded.vectors
        self.store.commit_split([change.split for change in changes], vectors, [change.embedded for change in changes])
        self.progress.changed += known
        self.progress.added += len(edited) - known
        self.progress.resplit += len(changes) - len(edited)
        if embedded is not None:
            self.progress.truncated += int(embedded.truncated.sum())
            self.progress.tokens += int(embedded.tokens.sum())

    def _estimate_offsets(self, *, rebuild: bool) -> OffsetsOutcome:
        if not self.store.manifest().offsets:
            return OffsetsOutcome("off")
        documents = self.store.vector_sums()
        if not documents:
            return OffsetsOutcome("no documents")
        queries, left_out = query_sums(self.store, self._embedder, documents)
        new, shares = self._offsets_of(documents, queries)
        old = self.store.offsets()
        if old and not old.are_sound(self._embedder.identity.dimension):
            old = None
        moved = new.distance(old) if old else 0.0
        if old and moved <= OFFSETS_MOVE_BOUND and not rebuild:
            return OffsetsOutcome("kept", moved, len(documents), left_out, shares)
        self.store.put_offsets_to_use(new)
        return OffsetsOutcome("replaced" if old else "estimated", moved, len(documents), left_out, shares)

    def _offsets_of(
        self, documents: Mapping[str, VectorSum], queries: Mapping[str, VectorSum]
    ) -> tuple[LanguageOffsets, Mapping[str, float]]:
        """The estimate, and how far each language's own mean counts in it beside the model's, if that has one."""
        if model := self._embedder.language_vectors:
            return draw_offsets(documents, queries, model)
        return LanguageOffsets(LanguageMeans.estimate(documents), LanguageMeans.estimate(queries)), {}


def _locked(root: Path, stack: contextlib.ExitStack) -> Path:
    """The current index's folder, held for writing."""
    while True:
        directory = current_folder(root)
        directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            held.enter_context(writer_lock(directory, _LOCK_WAIT_S))
            if directory == current_folder(root):  # else another one was promoted while we waited
                stack.enter_context(held.pop_all())
                return directory


def _opened_store(directory: Path, embedder: Embedder) -> DocumentStore:
    if not DocumentStore.exists(directory):
        return DocumentStore.create(directory, new_manifest(embedder.identity))
    store = DocumentStore.open(directory, writing=True)
    try:
        store.manifest().require_embedder(embedder.identity, directory)
    except BaseException:
        store.close()
        raise
    return store


def _heard_canary(store: DocumentStore, embedder: Embedder, directory: Path) -> str:
    """A note on the server's vectors beside the index's; an index without a canary is given one. Raises InputError."""
    manifest = store.manifest()
    if not is_wanted(embedder.identity.precision):
        return ""
    vectors = embedder.embed(TEXTS, "document").vectors
    if manifest.canary is None:
        require_vectors(vectors, len(TEXTS), embedder.identity.dimension, lambda row: f"the canary text {TEXTS[row]!r}")
        store.update_manifest(lambda rows: replace(rows, embedder=embedder.identity, canary=Canary(vectors)))
    return compare(manifest, vectors, directory)


def _apply(settings: IndexSettings, store: DocumentStore) -> None:
    manifest = store.manifest()
    offsets = manifest.offsets if settings.offsets is None else settings.offsets
    passages = settings.planned(manifest.passages)
    wanted = replace(manifest, hnsw=settings.applied_to(manifest.hnsw), offsets=offsets, passages=passages)
    if wanted != manifest:
        store.update_manifest(lambda _: wanted)


def _held_to(plan: PassagePlan | None, embedder: Embedder) -> str:
    """A note where passages are smaller than asked for, "" where they are not."""
    if plan is None or plan.size == (held := plan.within(embedder.max_tokens).size):
        return ""
    return (
        f"passages have {held} tokens at most, and not {plan.size}: the model reads {embedder.max_tokens}, with its "
        "prompt and special tokens."
    )


def _tagged(given: Document) -> Document:
    """With its language's one tag, whoever made the document, and metadata that nobody else changes."""
    document = require_document(given)
    try:
        return document._replace(language=normalize_tag(document.language))
    except ValueError as error:
        raise InputError(f"document {document.id!r}: {error}") from None


def _until_failure(documents: Iterable[Document], failures: list[Exception]) -> Iterator[Document]:
    try:
        if isinstance(documents, str | bytes) or not isinstance(documents, Iterable):
            raise InputError(f"the documents are {documents!r}, they must be a list of Document")
        for document in documents:
            yield _tagged(document)
    except Exception as error:  # a program's own, too: what it gave before is committed all the same
        failures.append(error)
