"""Exact nearest neighbours among few vectors: a matrix product a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_client.index.vector_index import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.index.scope.search_scope import SearchScope

_GATHERED = 0.3  # share of a block's rows up to which gathering them is quicker than the products of all


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

    def search(
        self, vector: FloatArray, k: int, languages: Collection[str], scope: SearchScope | None = None
    ) -> Neighbours:
        """The nearest to a unit vector float32 [D]; fewer than k where there are not more.

        Args:
            scope: to look in; everywhere without it.
        """
        blocks = [(tag, self._block(tag)) for tag in languages]
        rows = (None if scope is None else scope.rows(tag, block.labels) for tag, block in blocks)
        return best_of([nearest_of(block, vector, k, some) for (_, block), some in zip(blocks, rows, strict=True)], k)

    def _block(self, language: str) -> Block:
        # Two threads may read the same language at once, one of them before a commit: the first one's is kept.
        if language not in self._blocks:
            self._blocks.setdefault(language, self._read(language))
        return self._blocks[language]


def nearest_of(block: Block, vector: FloatArray, k: int, rows: IntArray | None = None) -> Neighbours:
    """The nearest of a block, in no order, or of some of its rows."""
    if rows is None:
        return _top(block.labels, block.vectors @ vector, k)
    if len(rows) > _GATHERED * len(block.labels):
        return _top(block.labels[rows], (block.vectors @ vector)[rows], k)
    return _top(block.labels[rows], block.vectors[rows] @ vector, k)


def best_of(parts: Sequence[Neighbours], k: int) -> Neighbours:
    """The nearest of several findings, best first."""
    if not parts:
        return Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))
    labels = np.concatenate([part.labels for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    best = np.lexsort((labels, -scores))[:k]
    return Neighbours(labels[best], scores[best])


def join(blocks: Sequence[Block], dimension: int) -> Block:
    """One block of several, or of none."""
    if not blocks:
        return Block(np.empty(0, np.int64), np.empty((0, dimension), np.float32))
    labels, vectors = zip(*blocks, strict=True)
    return Block(np.concatenate(labels), np.concatenate(vectors))


def _top(labels: IntArray, scores: FloatArray, k: int) -> Neighbours:
    if len(scores) > k:
        best = np.argpartition(-scores, k - 1)[:k]
        return Neighbours(labels[best], scores[best])
    return Neighbours(labels, scores)
