"""Passages to documents: a hit is a document, ranked by its best passage.

candidates, documents of each --> as many as the reranker sees, and the best of further documents up to k
passages in their final order --> Hit (the first of its document), with the others that were found of it
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_client.search.results import Hit, HitPassage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interlingua_client.embedder import IntArray
    from interlingua_client.index.search_index import Candidates
    from interlingua_client.search.explanation import HitPlaces
    from interlingua_client.search.search_request import ScoredPassage

_WIDER = 4


class RankedPassage(NamedTuple):
    """A candidate in its place.

    Attributes:
        row: its place in the first stage, from 0.
        places: what each step did to it, where that was asked for.
    """

    scored: ScoredPassage
    row: int
    score: float
    logit: float | None
    places: HitPlaces | None = None


def wide_enough(
    look: Callable[[int], Candidates], documents_of: Callable[[IntArray], IntArray], depth: int, k: int
) -> Candidates:
    """The first `depth` passages, and the best passages of further documents until there are k documents.

    Args:
        look: finds so many passages, best first; fewer where there are no more. A deeper look may bring others between
            those of the first, whatever a quota reserves; the first look's stay.
        documents_of: numbers of passages' documents.
    """
    first = found = look(depth)
    there = np.unique(documents_of(first.labels))
    wanted = depth
    while len(found.labels) == wanted and len(np.union1d(there, documents_of(found.labels))) < k:
        wanted *= _WIDER
        found = look(wanted)
    numbers, rows = np.unique(documents_of(found.labels), return_index=True)
    further = np.sort(rows[~np.isin(numbers, there)])[: max(k - len(there), 0)]
    labels = np.concatenate([first.labels, found.labels[further]])
    scores = np.concatenate([first.scores, found.scores[further]])
    best = np.argsort(-scores, kind="stable")
    return replace(found, labels=labels[best], scores=scores[best], exact=first.exact and found.exact)


def passage_hits(ranked: Sequence[RankedPassage], k: int) -> list[Hit]:
    """The first k passages, each a hit of its own."""
    return [_hit(rank, found, found.row + 1, []) for rank, found in enumerate(ranked[:k], start=1)]


def document_hits(ranked: Sequence[RankedPassage], k: int) -> list[Hit]:
    """The first k documents, each once, in the order of their best passages."""
    groups: dict[int, list[RankedPassage]] = {}
    for found in ranked:
        groups.setdefault(found.scored.passage.document, []).append(found)
    by_row = sorted(groups, key=lambda number: min(found.row for found in groups[number]))
    dense = {number: rank for rank, number in enumerate(by_row, start=1)}
    first = islice(groups.items(), k)
    return [_hit(rank, best, dense[number], others) for rank, (number, (best, *others)) in enumerate(first, start=1)]


def _hit(rank: int, best: RankedPassage, dense_rank: int, others: Sequence[RankedPassage]) -> Hit:
    passage = best.scored.passage
    return Hit(
        rank=rank,
        id=passage.id,
        score=best.score,
        dense_score=best.scored.dense,
        dense_rank=dense_rank,
        rerank_score=best.logit,
        language=passage.language,
        title=passage.title,
        text=passage.text,
        metadata=passage.fields,
        start=passage.span.start,
        end=passage.span.end,
        heading=passage.span.heading,
        passages=tuple(map(_of_hit, others)),
        places=best.places,
    )


def _of_hit(found: RankedPassage) -> HitPassage:
    passage = found.scored.passage
    return HitPassage(
        score=found.score,
        dense_score=found.scored.dense,
        rerank_score=found.logit,
        start=passage.span.start,
        end=passage.span.end,
        heading=passage.span.heading,
        text=passage.text,
    )
