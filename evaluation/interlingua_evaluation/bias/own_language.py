"""How much of the first ten is in the query's own language, against how much of the relevant is.

    own share of the first ten (Judge) - own share among the relevant = preference excess

A mixed pool in which a tenth of what is relevant is in the query's language should give about a tenth of the first
ten: what is above is preference for the language itself, what is below is a language that is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.systems.candidate_lists import NOTHING

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
    from interlingua_evaluation.measures.relevance import Judge, Values


def relevant_own_share(relevant: RelevantDocuments) -> Values:
    """The own language's share among the relevant documents of the mixed pool, float64 [R]; NaN for other pools."""
    shares = relevant.counts(relevant.own) / np.maximum(relevant.counts(), 1)
    return np.where(relevant.counts() > 0, shares, np.nan)


def preference_excess(judge: Judge, relevant: RelevantDocuments, ranked: IntArray) -> Values:
    """How far the own language's share of the first ten is above its share among the relevant, float64 [R], -1 to 1.

    NaN for pools of one language, and where nothing was found: an empty list prefers nothing.

    Args:
        judge: of the same lists as `relevant`.
        ranked: int64 [R, any depth], document numbers, NOTHING at the end.
    """
    found = (ranked != NOTHING).any(axis=1)
    return np.where(found, judge.own_share(ranked) - relevant_own_share(relevant), np.nan)
