"""A new index beside the current one: the same documents, another embedder.

    current index: SQLite --documents--> Indexer with the other embedder --> INDEX/versions/<digest>/
                   token vectors --as they are--> the same

Nothing is read but SQLite: what was indexed is there, whatever became of the corpus. A second run embeds what has
changed since the first, and takes out what is gone.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from interlingua.base.errors import InputError
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.index_root import current_folder, find_index, folder_of, name_beside, read_pointer
from interlingua_client.index.indexer import DEFAULT_BATCH, Indexer, IndexSettings
from interlingua_client.index.token_store.carrying import carry
from interlingua_client.index.token_store.quantization import NO_TOKENS
from interlingua_client.index.token_store.token_file import TokenFileError
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from interlingua_client.embedder import Embedder, EmbedderIdentity
    from interlingua_client.token_encoder import TokenEncoder

_T = TypeVar("_T")


class BesideIndex:
    """The current index of a directory as the source of another one; a context manager."""

    def __init__(self, root: Path, identity: EmbedderIdentity) -> None:
        """Open the source.

        Raises:
            InputError: there is no index, or the current one is of that embedder already.
        """
        source = current_folder(root)
        self._source = DocumentStore.open(source)
        name = find_index(root, identity.digest)
        if name == read_pointer(root).current:
            self._source.close()
            raise InputError(
                f"the current index in {root} is of {identity.model_id} ({identity.digest[:12]}) already: nothing is "
                "to be built beside it"
            )
        self.folder = folder_of(root, name or name_beside(identity.digest))

    def __enter__(self) -> BesideIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._source.ids())

    def settings(self, wanted: IndexSettings) -> IndexSettings:
        """What the user wants, and for the rest what the current index has."""
        manifest, sets = self._source.manifest(), TokenTables(self._source).sets()
        plan = None if wanted.passage_tokens == 0 else manifest.passages
        return IndexSettings(
            m=wanted.m or manifest.hnsw.m,
            ef_construction=wanted.ef_construction or manifest.hnsw.ef_construction,
            ef_search=wanted.ef_search or manifest.hnsw.ef_search,
            offsets=manifest.offsets if wanted.offsets is None else wanted.offsets,
            passage_tokens=_first(wanted.passage_tokens, plan.size if plan else 0),
            passage_overlap=_first(wanted.passage_overlap, plan.overlap if plan else None),
            token_vectors=wanted.token_vectors or (sets[-1].format.name if sets else NO_TOKENS),
        )

    def open(
        self,
        embedder: Embedder,
        wanted: IndexSettings,
        *,
        batch: int = DEFAULT_BATCH,
        encoder: TokenEncoder | None = None,
    ) -> Indexer:
        """The new index, for writing. Raises as `Indexer.open`."""
        settings = self.settings(wanted)
        if not wanted.token_vectors and (encoder is None or encoder.encoder is None):
            settings = replace(settings, token_vectors=None)
        return Indexer.open(self.folder, embedder, settings, batch=batch, encoder=encoder)

    def copy(
        self,
        indexer: Indexer,
        advance: Callable[[int], None] = lambda _: None,
        skip: Callable[[int], None] | None = None,
    ) -> None:
        """Embed what the new index lacks, take out what the current one has no more. Raises as `Indexer.add`.

        Token vectors of the same reranker are copied.
        """
        indexer.add(self._source.each_document(), advance, skip)
        indexer.delete_missing(self._source.ids(), at_most=1)
        with suppress(TokenFileError):  # what cannot be copied is encoded
            carry(self._source, indexer.store)


def _first(wanted: _T | None, there: _T) -> _T:
    return there if wanted is None else wanted


def differing_documents(folder: Path, other: Path) -> int:
    """How many documents one index has and the other has not, or has with other content."""
    with closing(DocumentStore.open(folder)) as ours, closing(DocumentStore.open(other)) as theirs:
        mine, others = (store.digests(sorted(store.ids())) for store in (ours, theirs))
    return len(dict(mine.items() ^ others.items()))


def is_finished(folder: Path) -> bool:
    """Whether the last step of a build was done: without it, the language offsets are missing."""
    with closing(DocumentStore.open(folder)) as store:
        manifest = store.manifest()
        return not manifest.offsets or manifest.offsets_version > 0 or not store.ids()
