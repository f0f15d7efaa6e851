"""How much of what is relevant is in the query's own language.

A mixed pool in which a tenth of what is relevant is in the query's language should give about a tenth of the first
ten: what is above is preference for the language itself, what is below is a language that is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
    from interlingua_evaluation.measures.relevance import Values


def relevant_own_share(relevant: RelevantDocuments) -> Values:
    """The own language's share among the relevant documents of the mixed pool, float64 [R]; NaN for other pools."""
    shares = relevant.counts(relevant.own) / np.maximum(relevant.counts(), 1)
    return np.where(relevant.counts() > 0, shares, np.nan)
