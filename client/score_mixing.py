r"""The scores of both stages made one.

    similarities of the first stage  --z--\
                                           (1 - w) * z(similarity) + w * z(logit)  --> the order of the candidates
    logits of the reranker           --z--/

The two have different scales, and the reranker's changes from query to query, so each is standardized over the
candidates that were reranked for this query (z-score fusion: Renda and Straccia 2003, "Web metasearch: rank vs.
score based rank aggregation methods"). w = 0 is the order of the first stage, w = 1 the reranker's alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def mix_scores(similarities: Sequence[float], logits: Sequence[float], weight: float) -> list[float]:
    """One score a candidate, higher is better.

    Args:
        similarities, logits: of the same candidates, finite.
        weight: the reranker's share, 0 to 1.
    """
    mixed = (1 - weight) * standardized(similarities) + weight * standardized(logits)
    return [float(score) for score in mixed]


def standardized(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """The distances from the mean in (population) standard deviations; 0 for all where all values are equal."""
    row = np.asarray(values, np.float64)
    if not row.size or row.min() == row.max():  # by value: the deviation of equal numbers may round to more than 0
        return np.zeros_like(row)
    z_scores: npt.NDArray[np.float64] = (row - row.mean()) / row.std()
    return z_scores


def weight_fault(weight: float | None) -> str:
    """What is wrong with a reranker's weight that a caller gave, "" if nothing; None leaves it to the service."""
    if weight is None or 0 <= weight <= 1:
        return ""
    return f"rerank_weight is {weight:g}, it must be from 0 (first stage alone) to 1 (reranker alone)"


def require_weight(weight: float | None) -> None:
    """Raises InputError for a weight outside 0 to 1."""
    if fault := weight_fault(weight):
        raise InputError(fault)
