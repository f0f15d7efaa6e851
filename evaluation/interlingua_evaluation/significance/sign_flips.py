"""Whether a mean difference can be chance: Fisher's randomization test over groups, and its correction for many.

    what each group adds to K mean differences [G, K] --every group's sign drawn by lot, b times--> b means [b, K]
    --share that is as far from 0 as the one observed--> p [K] --Benjamini and Hochberg--> q [K]

If before and after were the same, either could have been either, in each group for itself. Unlike a share of bootstrap
draws, this is exact for few groups and for small p-values, which a correction for many pairs asks for (Smucker, Allan
and Carterette 2007, "A comparison of statistical significance tests for information retrieval evaluation"). Of n
groups no p-value is below 2 / 2^n: of five nothing can be concluded at the 5% level, however alike they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.significance.bootstrap import RESAMPLES, SEED

if TYPE_CHECKING:
    from interlingua_evaluation.measures.relevance import Values

_FLIPS_AT_ONCE = 1000
_SAME = 1 - 1e-9  # sums in another order differ by their rounding


def p_values(
    contributions: Values, shares: Values, *, tolerance: float = 0.0, flips: int = RESAMPLES, seed: int = SEED
) -> Values:
    """The p-value of each of K mean differences, two sides, [K]; the least is 1 / (flips + 1).

    Args:
        contributions: [G, K], what each group adds to the mean.
        shares: [G, K], each group's share of the mean's weight; a column sums to 1.
        tolerance: a difference up to this is none: what is tested is whether it is larger.
    """
    means = contributions.sum(axis=0)
    beyond = contributions - shares * np.sign(means) * tolerance
    observed = np.abs(beyond.sum(axis=0)) * _SAME
    random, as_far = np.random.default_rng(seed), np.zeros(len(means), dtype=np.int64)
    for first in range(0, flips, _FLIPS_AT_ONCE):
        size = min(_FLIPS_AT_ONCE, flips - first), len(contributions)
        signs = random.integers(0, 2, size=size).astype(np.float64) * 2 - 1
        as_far += (np.abs(signs @ beyond) >= observed).sum(axis=0)
    return np.where(np.abs(means) <= tolerance, 1.0, (1 + as_far) / (1 + flips))


def benjamini_hochberg(p: Values) -> Values:
    """The least false discovery rate at which each would be called real, [K] (Benjamini and Hochberg 1995)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return corrected
