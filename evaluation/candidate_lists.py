"""The first stage's answers: for every query and every pool, the nearest documents.

    similarities [queries, documents] --a pool's columns, best first--> one list a query and pool

A pool is what is searched: the documents of one language, or all of them together (MIXED). A query has a list in a
pool if the pool holds an answer; the others cannot be judged and are left out, the same for every system.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from client.embedder import FloatArray, IntArray
    from evaluation.dataset import Dataset

MIXED = "mixed"
DEPTH = 50
NOTHING = -1  # where a pool has fewer documents than a list is deep

_T = TypeVar("_T", bound=np.generic)


class Pair(NamedTuple):
    """A query language and the pool that is searched."""

    asked: str
    pool: str


@dataclass(frozen=True)
class CandidateLists:
    """One row a query and pool, R in all.

    Attributes:
        queries: int64 [R], numbers of the dataset's queries.
        pools: R names, a language or MIXED.
        documents: int64 [R, depth], numbers of the dataset's documents, best first, then NOTHING.
        similarities: float32 [R, depth], in the same order; 0 beside NOTHING.
    """

    dataset: Dataset
    queries: IntArray
    pools: tuple[str, ...]
    documents: IntArray
    similarities: FloatArray

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The language pair of each list."""
        asked = [self.dataset.queries[number].language for number in self.queries]
        return tuple(Pair(*names) for names in zip(asked, self.pools, strict=True))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The query's group of each list."""
        return tuple(self.dataset.queries[number].group for number in self.queries)

    @cached_property
    def grades(self) -> tuple[dict[int, int], ...]:
        """The judged documents of each list's pool, by their numbers."""
        numbers = {document.id: number for number, document in enumerate(self.dataset.documents)}
        languages = [document.language for document in self.dataset.documents]
        judged = [
            {numbers[id_]: grade for id_, grade in self.dataset.qrels.get(query.id, {}).items()}
            for query in self.dataset.queries
        ]
        return tuple(
            {document: grade for document, grade in judged[query].items() if pool in (MIXED, languages[document])}
            for query, pool in zip(self.queries.tolist(), self.pools, strict=True)
        )

    @cached_property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Where there is a document, [R, depth]."""
        filled: npt.NDArray[np.bool_] = self.documents != NOTHING
        return filled

    def of_half(self, half: str) -> npt.NDArray[np.bool_]:
        """The lists whose queries are of that half, [R]."""
        return np.array([self.dataset.queries[number].half == half for number in self.queries], dtype=bool)


def candidate_lists(dataset: Dataset, similarities: FloatArray, depth: int = DEPTH) -> CandidateLists:
    """The `depth` nearest of every judged query and pool; of equally near ones the earlier document comes first."""
    languages = np.array([document.language for document in dataset.documents])
    judged = _judged(dataset)
    queries, pools, documents, scores = [], [], [], []
    for pool in (*dataset.languages, MIXED):
        columns = np.flatnonzero((languages == pool) | (pool == MIXED))
        asked = np.flatnonzero(judged[:, columns].any(axis=1))
        part = similarities[np.ix_(asked, columns)]
        order = np.argsort(-part, axis=1, kind="stable")[:, :depth]
        queries.append(asked)
        pools += [pool] * len(asked)
        documents.append(_padded(columns[order], depth, NOTHING))
        scores.append(_padded(np.take_along_axis(part, order, axis=1), depth, 0))
    return CandidateLists(
        dataset, np.concatenate(queries), tuple(pools), np.concatenate(documents), np.concatenate(scores)
    )


def _judged(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Which document is relevant to which query, [queries, documents]."""
    numbers = {document.id: number for number, document in enumerate(dataset.documents)}
    judged = np.zeros((len(dataset.queries), len(dataset.documents)), dtype=bool)
    for row, query in enumerate(dataset.queries):
        judged[row, [numbers[document] for document in dataset.qrels.get(query.id, {})]] = True
    return judged


def _padded(rows: npt.NDArray[_T], depth: int, filler: int) -> npt.NDArray[_T]:
    return np.pad(rows, ((0, 0), (0, depth - rows.shape[1])), constant_values=filler)
