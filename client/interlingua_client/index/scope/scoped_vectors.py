"""The vectors of small parts of a large index, for exact search: read from the store, the last used kept.

labels of a scope and a language --read--> Block, kept within a budget --> products
more than may be kept            --read--> blocks of some thousands, one after the other --> products
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_client.index.exact_vectors import Block, best_of, join, nearest_of
from interlingua_client.index.scope.bounded_cache import BoundedCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.index.scope.search_scope import SearchScope
    from interlingua_client.index.vector_index import Neighbours

_FLOAT_BYTES = 4


class ScopedVectors:
    """Safe to use from several threads."""

    def __init__(self, read: Callable[[IntArray], Iterable[Block]], dimension: int, budget: int) -> None:
        """Holds nothing yet.

        Args:
            read: the vectors of sorted labels, some at a time.
            budget: bytes that are kept at most.
        """
        self._read, self._dimension, self._budget = read, dimension, budget
        self._blocks = BoundedCache[tuple[tuple[str, str], str], Block](budget, lambda block: block.vectors.nbytes)

    def search(self, vector: FloatArray, k: int, languages: Collection[str], scope: SearchScope) -> Neighbours:
        """The nearest to a unit vector float32 [D] in a scope; fewer than k where there are not more."""
        return best_of([part for tag in languages for part in self._nearest(vector, k, tag, scope)], k)

    def _nearest(self, vector: FloatArray, k: int, language: str, scope: SearchScope) -> Iterator[Neighbours]:
        labels = scope.labels[language]
        if _FLOAT_BYTES * len(labels) * self._dimension > self._budget:
            for block in self._read(labels):
                yield nearest_of(block, vector, k)
        else:
            block = self._blocks.get((scope.key, language), lambda: join(list(self._read(labels)), self._dimension))
            yield nearest_of(block, vector, k)
