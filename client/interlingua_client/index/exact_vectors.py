"""Exact nearest neighbours among few vectors: a matrix product a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_client.index.vector_index import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from interlingua_client.embedder import FloatArray, IntArray


class Block(NamedTuple):
    """One language's vectors.

    Attributes:
        labels: int64 [n].
        vectors: float32 [n, D], unit length.
    """

    labels: IntArray
    vectors: FloatArray


class ExactVectors:
    """Vectors by language, read when a search first needs them and kept."""

    def __init__(self, read: Callable[[str], Block]) -> None:
        self._read = read
        self._blocks: dict[str, Block] = {}

    def search(self, vector: FloatArray, k: int, languages: Collection[str]) -> Neighbours:
        """The nearest to a unit vector float32 [D]; fewer than k where there are not more."""
        found = [_nearest(self._block(language), vector, k) for language in languages]
        if not found:
            return Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))
        labels = np.concatenate([part.labels for part in found])
        scores = np.concatenate([part.scores for part in found])
        best = np.lexsort((labels, -scores))[:k]
        return Neighbours(labels[best], scores[best])

    def _block(self, language: str) -> Block:
        # Two threads may read the same language at once; they read the same.
        if language not in self._blocks:
            self._blocks[language] = self._read(language)
        return self._blocks[language]


def _nearest(block: Block, vector: FloatArray, k: int) -> Neighbours:
    scores = block.vectors @ vector
    if len(scores) > k:
        best = np.argpartition(-scores, k - 1)[:k]
        return Neighbours(block.labels[best], scores[best])
    return Neighbours(block.labels, scores)


def join(blocks: Sequence[Block], dimension: int) -> Block:
    """One block of several, or of none."""
    if not blocks:
        return Block(np.empty(0, np.int64), np.empty((0, dimension), np.float32))
    labels, vectors = zip(*blocks, strict=True)
    return Block(np.concatenate(labels), np.concatenate(vectors))
