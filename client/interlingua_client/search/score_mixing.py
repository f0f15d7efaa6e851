r"""The scores of both stages made one.

    similarities of the first stage  --balanced--z--\
                                                     (1 - w) * z(similarity) + w * z(logit)  --> order of the candidates
    logits of the reranker           --balanced--z--/

The two have different scales, and the reranker's changes from query to query, so each is standardized over the
candidates that were reranked for this query (z-score fusion: Renda and Straccia 2003, "Web metasearch: rank vs.
score based rank aggregation methods"). w = 0 is the order of the first stage, w = 1 the reranker's alone.

Balancing takes out what a document gains by being in the question's own language. Both networks favour it: a text in
the same language shares words with the question, whatever it says. The advantage differs from corpus to corpus, so it
is read off the candidates of each question: the mean of its own language's candidates over the mean of the others', as
far as it is above 0, times n / (n + 2) with n candidates in the own language, which keeps a lone good answer from being
taken for an advantage. Where all candidates
are in one language, nothing changes. docs/evaluation.md has what it does to quality and to language bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence


_SHRINKAGE = 2.0  # chosen on the development half of GNOME's help


def mix_scores(
    similarities: Sequence[float], logits: Sequence[float], weight: float, own: Sequence[bool] = ()
) -> list[float]:
    """One score a candidate, higher is better.

    Args:
        similarities, logits: of the same candidates, finite.
        weight: the reranker's share, 0 to 1.
        own: which candidates are in the question's language; empty leaves their advantage in, and so does a weight
            of 0, which is the first stage's own order.
    """
    is_balanced = bool(own) and weight > 0
    first, second = (balanced(scores, own) if is_balanced else scores for scores in (similarities, logits))
    mixed = (1 - weight) * standardized(first) + weight * standardized(second)
    return [float(score) for score in mixed]


def balanced(scores: Sequence[float], own: Sequence[bool]) -> list[float]:
    """Scores without the advantage of the question's own language."""
    mine = [score for score, is_own in zip(scores, own, strict=True) if is_own]
    others = [score for score, is_own in zip(scores, own, strict=True) if not is_own]
    if not mine or not others:
        return list(scores)
    advantage = max(sum(mine) / len(mine) - sum(others) / len(others), 0.0) * len(mine) / (len(mine) + _SHRINKAGE)
    return [score - advantage if is_own else score for score, is_own in zip(scores, own, strict=True)]


def standardized(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """The distances from the mean in (population) standard deviations; 0 for all where all values are equal."""
    row = np.asarray(values, np.float64)
    if not row.size or row.min() == row.max():  # by value: the deviation of equal numbers may round to more than 0
        return np.zeros_like(row)
    z_scores: npt.NDArray[np.float64] = (row - row.mean()) / row.std()
    return z_scores
