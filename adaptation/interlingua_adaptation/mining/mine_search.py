"""The serving retriever's first stage over a corpus' representatives: one section a group.

sections --> client.Indexer --> index/ --> nearest groups of a query
                                      --> cosines between groups, in the space as the network gives it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.document import Document
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.search_index import SearchIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from interlingua_adaptation.corpus_step.section import Section
    from interlingua_adaptation.mining.mine_queries import MinedQuery
    from interlingua_client.embedder import Embedder, FloatArray

_BATCH = 64


def index_sections(
    folder: Path,
    embedder: Embedder,
    sections: Sequence[Section],
    advance: Callable[[int], None],
    tell_truncated: Callable[[int], None],
) -> None:
    """Bring the index up to date with the sections.

    Args:
        advance: told of sections that are in the index.
        tell_truncated: told at the end, also of a run that fails, how many of those embedded were longer than the
            network reads.

    Raises:
        InputError: the index was made with another embedder.
        ServerError: the server went away.
    """
    with Indexer.open(folder, embedder, IndexSettings(passage_tokens=0), batch=_BATCH) as indexer:
        documents = (Document(s.group, s.language, s.title, s.text) for s in sections)
        try:
            indexer.add(documents, advance)
        finally:
            tell_truncated(indexer.progress.truncated)
        indexer.delete_missing((section.group for section in sections), at_most=1)
        indexer.finish()


class SectionSearch:
    """An index opened for mining; a context manager."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._index = SearchIndex.open(folder)
        self._embedder = embedder
        self._vectors = _unit_vectors(folder)

    def __enter__(self) -> SectionSearch:
        return self

    def __exit__(self, *_: object) -> None:
        self._index.close()

    def nearest(self, queries: Iterable[MinedQuery], k: int) -> Iterator[tuple[MinedQuery, list[str]]]:
        """Each query with its k nearest groups, best first."""
        batches = [list(batch) for batch in _batched(list(queries))]
        texts = ([query.texts[query.language] for query in batch] for batch in batches)
        for batch, embedded in zip(batches, self._embedder.embed_batches(texts, "query"), strict=True):
            for query, vector in zip(batch, embedded.vectors, strict=True):
                labels = self._index.nearest(vector, query.language, k).labels
                found = self._index.documents(labels)
                yield query, [found[label].id for label in labels.tolist() if label in found]

    def cosine(self, group: str, other: str) -> float:
        """How alike two groups' documents are to the network; 1.0 for the same."""
        return float(self._vectors[group] @ self._vectors[other])


def _batched(queries: list[MinedQuery]) -> Iterator[list[MinedQuery]]:
    for start in range(0, len(queries), _BATCH):
        yield queries[start : start + _BATCH]


def _unit_vectors(folder: Path) -> dict[str, FloatArray]:
    """Every group's vector, float32 [D]."""
    store = DocumentStore.open(folder)
    try:
        labels = np.sort(np.concatenate([np.empty(0, np.int64), *store.labels_by_language().values()]))
        ids = {label: document.id for label, document in store.documents(labels.tolist()).items()}
        return {
            ids[label]: vector
            for block in store.vectors_of(labels)
            for label, vector in zip(block.labels.tolist(), unit(block.vectors), strict=True)
        }
    finally:
        store.close()
