"""Approximate nearest neighbours by hnswlib; the only file that imports it.

What hnswlib wants and this file sees to: capacity grows before an insertion needs it; `ef` is set once, before
any search; nothing is inserted into an index that is being searched (the owner makes a new one and swaps);
a filter runs on one thread, since it takes Python's lock for every candidate.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import hnswlib
import numpy as np

from interlingua.base.errors import InterlinguaError
from interlingua_client.embedder import require_vectors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.index.manifest import HnswParameters

_SEED = 20260101
_GROWTH = 1.5
_SMALLEST_CAPACITY = 1024


class Neighbours(NamedTuple):
    """The nearest vectors, best first.

    Attributes:
        labels: int64 [found].
        scores: float32 [found], cosines.
    """

    labels: IntArray
    scores: FloatArray


class VectorIndexError(InterlinguaError):
    """hnswlib could not load or search an index."""


class VectorIndex:
    """An HNSW graph over unit vectors (inner product = cosine), each under an integer label."""

    def __init__(self, dimension: int, parameters: HnswParameters, capacity: int = 0) -> None:
        """An empty index."""
        self.parameters = parameters
        self.dimension = dimension
        self._deleted = 0
        self._graph = hnswlib.Index(space="ip", dim=dimension)
        self._graph.init_index(
            max_elements=max(capacity, _SMALLEST_CAPACITY),
            M=parameters.m,
            ef_construction=parameters.ef_construction,
            random_seed=_SEED,
        )
        self._configure()

    @classmethod
    def load(cls, path: Path, dimension: int, parameters: HnswParameters, deleted: int) -> VectorIndex:
        """Read what `save` wrote; the caller has checked the file's checksum.

        Args:
            deleted: how many of its labels are marked as deleted.

        Raises:
            VectorIndexError: hnswlib does not take it.
        """
        index = cls.__new__(cls)
        index.parameters, index.dimension, index._deleted = parameters, dimension, deleted
        index._graph = hnswlib.Index(space="ip", dim=dimension)
        try:
            index._graph.load_index(str(path))
        except RuntimeError as error:
            raise VectorIndexError(f"{path} cannot be loaded: {error}") from error
        index._configure()
        return index

    def _configure(self) -> None:
        self._graph.set_ef(self.parameters.ef_search)
        self._graph.set_num_threads(os.cpu_count() or 1)

    def __len__(self) -> int:
        """Vectors that can be found."""
        return int(self._graph.get_current_count()) - self._deleted

    @property
    def deleted(self) -> int:
        """Vectors that are only marked as deleted: they cost memory and time until the next rebuild."""
        return self._deleted

    def labels(self) -> IntArray:
        """Every label, deleted ones too, sorted."""
        return np.sort(np.array(self._graph.get_ids_list(), dtype=np.int64))

    @property
    def end(self) -> int:
        """One more than the greatest label, deleted ones too; 0 without any."""
        return int(max(self._graph.get_ids_list(), default=-1)) + 1

    def add(self, labels: IntArray, vectors: FloatArray) -> None:
        """Insert unit vectors float32 [n, D] under new labels. Raises ServerError: they are no such vectors."""
        require_vectors(vectors, len(labels), self.dimension, lambda row: f"label {labels[row]}")
        needed = int(self._graph.get_current_count()) + len(labels)
        if needed > self._graph.get_max_elements():
            self._graph.resize_index(max(needed, int(_GROWTH * self._graph.get_max_elements())))
        self._graph.add_items(vectors, labels)

    def delete(self, labels: IntArray) -> None:
        """Mark labels as deleted; those that are already stay so."""
        for label in labels.tolist():
            try:
                self._graph.mark_deleted(label)
            except RuntimeError:  # already marked, in the file that was loaded
                continue
            self._deleted += 1

    def search(self, vector: FloatArray, k: int, allowed: Callable[[int], int] | None = None) -> Neighbours | None:
        """The nearest to a unit vector float32 [D], of all or of the labels that `allowed` lets through.

        None where the graph does not reach `k` of them: hnswlib gives k or nothing. Raises ServerError: it is no such
        vector.
        """
        require_vectors(vector[None], 1, self.dimension, lambda _: "the query")
        try:
            labels, distances = self._graph.knn_query(vector, k=k, num_threads=1, filter=allowed)
        except RuntimeError:
            return None
        return Neighbours(labels[0].astype(np.int64), 1.0 - distances[0])

    def save(self, path: Path) -> None:
        """Write the graph to a file and flush it to the disk."""
        self._graph.save_index(str(path))
        with path.open("rb+") as file:
            os.fsync(file.fileno())
