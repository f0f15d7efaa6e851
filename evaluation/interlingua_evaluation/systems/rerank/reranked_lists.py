"""A first stage's lists, reranked as the client does it.

CandidateLists, logits of the first `depth` --mixed as the client mixes them--> these, reordered
                                            --the rest of the first stage's list--> below them
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.systems.candidate_lists import NOTHING, CandidateLists
from interlingua_evaluation.systems.rerank.reranking import MixedScores, own_language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_evaluation.systems.rerank.pair_scores import PairScores


@dataclass(frozen=True)
class RerankedLists:
    """What reranking made of some lists.

    Attributes:
        lists: int64 documents [R, depth of the lists]; their scores fall from rank to rank.
        refused: lists that stay as they were, since a logit was missing or no number.
    """

    lists: CandidateLists
    refused: int


def rerank(
    candidates: CandidateLists,
    rest: CandidateLists,
    logits: PairScores,
    weight: float,
    asked_in: Sequence[str | None],
) -> RerankedLists:
    """Reorder the candidates, and put what else the first stage found below them.

    Args:
        candidates: what the reranker sees.
        rest: the first stage's whole lists, of the same rows.
        asked_in: every query's language, as the search knows it; None where it does not.
    """
    scores = logits.of(candidates)
    refused = (np.isnan(scores) & candidates.filled).any(axis=1)
    scores[refused] = 0  # equal logits keep the first stage's order
    own = own_language(candidates, asked_in) if weight > 0 else None
    mixed = MixedScores.of(candidates, scores, own)
    order = mixed.order(weight)
    order[refused] = np.arange(order.shape[1])
    reranked = np.take_along_axis(candidates.documents, order, axis=1)
    tops = np.take_along_axis(mixed.mixed(weight), order, axis=1)
    documents = _with_rest(reranked, rest.documents)
    return RerankedLists(replace(rest, documents=documents, scores=_falling(tops, documents)), int(refused.sum()))


def _with_rest(first: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """[R, width of the rest]: the first ones, then those of the rest that are not among them."""
    out = np.full(rest.shape, NOTHING, dtype=np.int64)
    for row, (best, others) in enumerate(zip(first, rest, strict=True)):
        best = best[best != NOTHING]
        others = others[(others != NOTHING) & ~np.isin(others, best)]
        joined = np.concatenate([best, others])[: rest.shape[1]]
        out[row, : len(joined)] = joined
    return out


def _falling(tops: np.ndarray, documents: np.ndarray) -> np.ndarray:
    """Mixed scores of the reranked ones, then ever smaller numbers; 0 where there is no document."""
    depth = min(tops.shape[1], documents.shape[1])
    scores = np.zeros(documents.shape, dtype=np.float32)
    least = np.where(np.isfinite(tops), tops, np.inf).min(axis=1, initial=0.0, keepdims=True)
    scores[:] = np.minimum(least, 0) - 1 - np.arange(documents.shape[1])
    finite = np.isfinite(tops[:, :depth])
    scores[:, :depth][finite] = tops[:, :depth][finite]
    scores[documents == NOTHING] = 0
    return scores
