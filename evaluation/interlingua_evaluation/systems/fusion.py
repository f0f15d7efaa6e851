"""Several systems' lists as one: reciprocal rank fusion (Cormack, Clarke and Buettcher 2009).

    lists of dense search, lists of BM25, ... --sum of 1 / (k + rank)--> one list a query and pool

A document that one of the lists does not have gets nothing from it. Equal sums: the first list's order decides, then
its documents come before those that it does not have, and those stand in the order of the dataset. Only ranks count,
so that scores of any kind go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_evaluation.systems.candidate_lists import NOTHING, CandidateLists

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.measures.relevance import Values

K = 60  # the paper's

_MISSING = 1 << 62
_ROWS_AT_ONCE = 2000


def fuse(lists: Sequence[CandidateLists], depth: int, k: int = K) -> CandidateLists:
    """The `depth` best by the sum of 1 / (k + rank), ranks from 1; the sums are the scores.

    Documents with the same ranks, in whichever lists, have equal sums exactly. `not_a_number` adds up what the lists
    have left out.

    Raises:
        ValueError: there are no lists, or they are not of the same dataset, queries and pools, row by row.
    """
    if not lists:
        raise ValueError("nothing to fuse: no lists were given")
    if any(_differ(one, other) for one, other in pairwise(lists)):
        raise ValueError("lists of different datasets, queries or pools cannot be fused: the rows must be the same")
    first = lists[0]
    documents = np.full((len(first.queries), depth), NOTHING, dtype=np.int64)
    scores = np.zeros(documents.shape, dtype=np.float32)
    for start in range(0, len(documents), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        found = _Found.of([one.documents[block] for one in lists], k)
        rows, ranks, chosen = found.best(depth)
        documents[block][rows, ranks] = found.documents[chosen]
        scores[block][rows, ranks] = found.sums[chosen]
    not_a_number = np.sum([one.not_a_number for one in lists], axis=0)
    return CandidateLists(
        dataset=first.dataset,
        queries=first.queries,
        pools=first.pools,
        documents=documents,
        scores=scores,
        not_a_number=not_a_number,
    )


class _Found(NamedTuple):
    """What any of the lists has: one entry a row and document, ascending by row, then by document.

    Attributes:
        first_ranks: in the first list; _MISSING where it does not have the document.
    """

    rows: IntArray
    documents: IntArray
    sums: Values
    first_ranks: IntArray

    @classmethod
    def of(cls, lists: Sequence[IntArray], k: int) -> _Found:
        places = [np.nonzero(documents != NOTHING) for documents in lists]
        rows = np.concatenate([place[0] for place in places])
        ranks = np.concatenate([place[1] for place in places]) + 1
        documents = np.concatenate([found[place] for found, place in zip(lists, places, strict=True)])
        first_ranks = np.where(np.arange(len(ranks)) < len(places[0][0]), ranks, _MISSING)
        # By rank last: equal ranks are then added in the same order, and equal sums are equal to the last bit.
        order = np.lexsort((ranks, documents, rows))
        rows, documents, ranks, first_ranks = rows[order], documents[order], ranks[order], first_ranks[order]
        is_new = np.ones(len(rows), dtype=bool)
        is_new[1:] = (np.diff(rows) != 0) | (np.diff(documents) != 0)
        starts = np.flatnonzero(is_new)
        if not len(starts):
            return cls(rows, documents, np.zeros(0), first_ranks)
        sums, firsts = np.add.reduceat(1 / (k + ranks), starts), np.minimum.reduceat(first_ranks, starts)
        return cls(rows[starts], documents[starts], sums, firsts)

    def best(self, depth: int) -> tuple[IntArray, IntArray, IntArray]:
        """Row, rank (from 0) and entry of the `depth` best of every row."""
        chosen = np.lexsort((self.first_ranks, -self.sums, self.rows))
        rows = self.rows[chosen]
        ranks = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = ranks < depth
        return rows[kept], ranks[kept], chosen[kept]


def _differ(one: CandidateLists, other: CandidateLists) -> bool:
    return (
        one.pools != other.pools
        or not np.array_equal(one.queries, other.queries)
        or (one.dataset is not other.dataset and one.dataset != other.dataset)
    )
