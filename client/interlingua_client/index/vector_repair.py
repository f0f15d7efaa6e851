"""Brings the derived vectors up to date with the store, whatever became of their file.

    header fits, file whole? -- no --> build from SQLite  \\
            | yes                                           --> publish (if the writer's lock is free)
            labels of the store - labels of the file: add  /
            labels of the file - labels of the store: mark as deleted

A label's vector never changes, so the difference of the label sets is all there is to repair.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_client.index.derived_file import DerivedHeader, is_whole, publish, read_header
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.exact_vectors import Block
from interlingua_client.index.language_offsets import LanguageOffsets, unit
from interlingua_client.index.vector_index import VectorIndex, VectorIndexError
from interlingua_client.index.writer_lock import IndexBusyError, writer_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from interlingua_client.embedder import IntArray
    from interlingua_client.index.manifest import Manifest

_DELETED_SHARE = 0.25  # beyond it the graph wastes more than building it again costs


class Repair(NamedTuple):
    """What opening the vectors took.

    Attributes:
        reason: why the file was built again; "" when it was not.
        added: vectors that were inserted.
        deleted: labels that were marked as deleted.
        saved: whether the file on the disk is now up to date.
    """

    reason: str
    added: int
    deleted: int
    saved: bool


class CurrentVectors(NamedTuple):
    """An index that holds exactly the store's labels."""

    graph: VectorIndex
    repair: Repair


def open_vectors(
    store: DocumentStore,
    *,
    locked: bool = False,
    rebuild: str = "",
    ef_search: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> CurrentVectors:
    """Load, repair and save the derived vectors. The caller holds a snapshot, so that all reads agree.

    Args:
        locked: the caller already holds the writer's lock.
        rebuild: a reason to build from the store even if the file is fine.
        ef_search: in place of the saved one.
        advance: told of every vector that was inserted.
    """
    manifest = store.manifest()
    if ef_search is not None:
        manifest = replace(manifest, hnsw=replace(manifest.hnsw, ef_search=ef_search))
    offsets = store.offsets() if manifest.space != "raw" else None
    wanted = _all_labels(store)
    header = read_header(store.directory)
    index, reason = (None, rebuild) if rebuild else _load(store.directory, header, manifest)
    if index is not None and _missing(index.labels(), wanted) > _DELETED_SHARE * len(wanted):
        index, reason = None, "many deleted documents"
    if index is None:
        index = VectorIndex(manifest.embedder.dimension, manifest.hnsw, len(wanted))
    before = index.deleted
    present = index.labels()
    new = np.setdiff1d(wanted, present, assume_unique=True)
    for block in derived_blocks(store, offsets, new):
        index.add(block.labels, block.vectors)
        advance(len(block.labels))
    index.delete(np.setdiff1d(present, wanted, assume_unique=True))
    repair = Repair(reason, len(new), index.deleted - before, saved=False)
    current = header is not None and not reason and header.generation == manifest.generation
    saved = current or _save(store.directory, manifest, index, locked=locked)
    return CurrentVectors(index, repair._replace(saved=saved))


def derived_blocks(store: DocumentStore, offsets: LanguageOffsets | None, labels: IntArray) -> Iterator[Block]:
    """The vectors of sorted labels as they are searched: unit length, offsets removed if there are any."""
    for found in store.vectors_of(labels):
        if offsets is None:
            yield Block(found.labels, unit(found.vectors))
        else:
            yield Block(found.labels, offsets.remove_from_documents(found.vectors, found.languages))


def _all_labels(store: DocumentStore) -> IntArray:
    labels: Iterable[IntArray] = store.labels_by_language().values()
    return np.sort(np.concatenate([np.empty(0, np.int64), *labels]))


def _missing(present: IntArray, wanted: IntArray) -> int:
    """Labels of the file that the store has no more, counting those that are marked already."""
    return len(np.setdiff1d(present, wanted, assume_unique=True))


def _load(directory: Path, header: DerivedHeader | None, manifest: Manifest) -> tuple[VectorIndex | None, str]:
    """The index in the file, or None and why it is of no use."""
    if header is None:
        return None, "there was no vector file"
    if not header.fits(manifest):
        return None, "the vector file was made with other settings or from another store"
    if not is_whole(directory, header):
        return None, "the vector file was missing or damaged"
    try:
        index = VectorIndex.load(directory / header.file, manifest.embedder.dimension, manifest.hnsw, header.deleted)
    except VectorIndexError as error:
        return None, str(error)
    if len(index) + index.deleted != header.count:
        return None, "the vector file did not hold what its header says"
    return index, ""


def _save(directory: Path, manifest: Manifest, index: VectorIndex, *, locked: bool) -> bool:
    """Publish the file if nobody else is writing; a reader can live without."""
    if locked:
        _publish(directory, manifest, index)
        return True
    try:
        with writer_lock(directory):
            if _is_overtaken(directory, manifest):
                return False
            _publish(directory, manifest, index)
    except (IndexBusyError, OSError, RuntimeError):
        return False
    return True


def _publish(directory: Path, manifest: Manifest, index: VectorIndex) -> None:
    publish(directory, manifest, len(index) + index.deleted, index.deleted, index.save)


def _is_overtaken(directory: Path, manifest: Manifest) -> bool:
    """Whether the store has moved on from the snapshot that the vectors were derived from."""
    with contextlib.closing(DocumentStore.open(directory)) as store:
        return store.manifest().generation != manifest.generation
