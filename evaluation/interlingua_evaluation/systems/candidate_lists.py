"""The first stage's answers: for every query and every pool, the nearest documents.

    a first stage's scores [queries, a pool's documents] --best first--> one list a query and pool

A pool is what is searched: the documents of one language, or all of them together (MIXED). A query has a list in a
pool if the pool holds an answer; the others cannot be judged and are left out, the same for every system: so the lists
of all systems have the same rows.

A first stage may leave a document out by scoring it -inf (BM25, where no word is shared); its list then is shorter, or
empty. So may the dataset: a query's own text is not among its answers (`left_out`). A score that is no number leaves
the document out too, and is counted. Of equal scores the earlier document comes first, always.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.first_stage import FirstStage

MIXED = "mixed"
DEPTH = 50
NOTHING = -1  # where a pool has fewer documents than a list is deep

_FLOATS_AT_ONCE = 16_000_000
_SORTED_WHOLE = 4
_DECIDING = 11

_T = TypeVar("_T", bound=np.generic)


class Pair(NamedTuple):
    """A query language and the pool that is searched."""

    asked: str
    pool: str

    def __str__(self) -> str:
        return f"{self.asked}>{self.pool}"

    def to_plain(self) -> str:
        """The pair as JSON holds it: `de>en`."""
        return str(self)

    @classmethod
    def from_plain(cls, text: str) -> Pair:
        """The pair of that name; raises ValueError for any other text."""
        asked, pool = text.split(">")
        return cls(asked, pool)


@dataclass(frozen=True, kw_only=True)
class CandidateLists:
    """One row a query and pool, R in all.

    Attributes:
        queries: int64 [R], numbers of the dataset's queries.
        pools: R names, a language or MIXED.
        documents: int64 [R, depth], numbers of the dataset's documents, best first, then NOTHING.
        scores: float32 [R, depth], in the same order; 0 beside NOTHING.
        not_a_number: int64 [R], documents of the pool whose score was NaN.
    """

    dataset: Dataset
    queries: IntArray
    pools: tuple[str, ...]
    documents: IntArray
    scores: FloatArray
    not_a_number: IntArray

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

    def cut(self, depth: int) -> CandidateLists:
        """Only the first so many of every list."""
        return replace(self, documents=self.documents[:, :depth], scores=self.scores[:, :depth])

    @property
    def tied(self) -> npt.NDArray[np.bool_]:
        """Lists in whose first eleven two scores are equal, so that the order of the first ten is a convention, [R]."""
        first = self.scores[:, :_DECIDING]
        there = self.filled[:, 1:_DECIDING]
        equal: npt.NDArray[np.bool_] = ((np.diff(first, axis=1) == 0) & there).any(axis=1)
        return equal

    def of_half(self, half: str) -> npt.NDArray[np.bool_]:
        """The lists whose queries are of that half, [R]."""
        return np.array([self.dataset.queries[number].half == half for number in self.queries], dtype=bool)


def candidate_lists(dataset: Dataset, stage: FirstStage, depth: int = DEPTH) -> CandidateLists:
    """The `depth` best of every judged query and pool."""
    languages = np.array([document.language for document in dataset.documents])
    judged, left_out = numbers_of(dataset, dataset.qrels), numbers_of(dataset, dataset.left_out)
    parts: list[_Part] = []
    pools: list[str] = []
    for pool in (*dataset.languages, MIXED):
        is_there = (languages == pool) | (pool == MIXED)
        columns = np.flatnonzero(is_there)
        asked = np.array([row for row, found in judged.items() if is_there[found].any()], dtype=np.int64)
        score = stage.pool(columns)
        for first in range(0, len(asked), max(_FLOATS_AT_ONCE // len(columns), 1)):
            block = asked[first : first + max(_FLOATS_AT_ONCE // len(columns), 1)]
            parts.append(_best(block, columns, _without(score(block), block, columns, left_out), depth))
            pools += [pool] * len(block)
    queries, documents, scores, not_a_number = map(np.concatenate, zip(*parts, strict=True))
    return CandidateLists(
        dataset=dataset,
        queries=queries,
        pools=tuple(pools),
        documents=documents,
        scores=scores,
        not_a_number=not_a_number,
    )


class _Part(NamedTuple):
    queries: IntArray
    documents: IntArray
    scores: FloatArray
    not_a_number: IntArray


def _best(queries: IntArray, columns: IntArray, scores: FloatArray, depth: int) -> _Part:
    """The first `depth` columns of each row; equal scores in the columns' order."""
    invalid = np.isnan(scores)
    scores = np.where(invalid, -np.inf, scores)
    order = _order(scores, depth)
    found = np.take_along_axis(scores, order, axis=1)
    left_out = np.isneginf(found)
    return _Part(
        queries,
        _padded(np.where(left_out, NOTHING, columns[order]), depth, NOTHING),
        _padded(np.where(left_out, 0, found).astype(np.float32), depth, 0),
        invalid.sum(axis=1),
    )


def _order(scores: FloatArray, depth: int) -> IntArray:
    """Columns of the first `depth` scores of each row; only those from the depth's own score on are sorted."""
    if scores.shape[1] <= _SORTED_WHOLE * depth:
        return np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    least = -np.partition(-scores, depth - 1, axis=1)[:, depth - 1]
    order = np.empty((len(scores), depth), dtype=np.int64)
    for row, floor in enumerate(least):
        columns = np.flatnonzero(scores[row] >= floor)
        order[row] = columns[np.argsort(-scores[row, columns], kind="stable")[:depth]]
    return order


def numbers_of(dataset: Dataset, named: Mapping[str, Iterable[str]]) -> dict[int, IntArray]:
    """Documents that queries name, both by their numbers; queries that name none are left out."""
    numbers = {document.id: number for number, document in enumerate(dataset.documents)}
    return {
        row: np.array([numbers[id_] for id_ in named[query.id]], dtype=np.int64)
        for row, query in enumerate(dataset.queries)
        if named.get(query.id)
    }


def _without(scores: FloatArray, queries: IntArray, columns: IntArray, left_out: Mapping[int, IntArray]) -> FloatArray:
    """The scores with those documents at -inf."""
    for place, query in enumerate(queries.tolist()):
        if query in left_out:
            scores[place, np.isin(columns, left_out[query])] = -np.inf
    return scores


def _padded(rows: npt.NDArray[_T], depth: int, filler: int) -> npt.NDArray[_T]:
    return np.pad(rows, ((0, 0), (0, depth - rows.shape[1])), constant_values=filler)
