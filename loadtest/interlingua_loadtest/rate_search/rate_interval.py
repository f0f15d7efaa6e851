"""How well a search knows its rate.

    rates that were tried, whether each try held -> interval that holds the limit with 95%

Whether one run holds a rate near the limit is chance: the more requests it has, the narrower is the band of rates in
which that is so. So each try is a yes or a no of a probit curve, P(held) = Phi(ln(limit / rate) / spread), with two
unknowns: the limit, at which a run holds as often as not, and the spread of the band. Their posterior over a grid, flat
in the logarithm of either, gives the interval of the limit. It uses every try, however many a rate has, and how tries
were chosen by what earlier ones said does not matter to it (Watson and Pelli 1983, QUEST: a Bayesian adaptive
psychometric method; Kontsevich and Tyler 1999, Bayesian adaptive estimation of psychometric slope and threshold).

The obvious interval, from the highest rate up to which every try held to the lowest from which every one missed, is too
narrow when two tries near the limit happen to agree, and says nothing of how often it is right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

SHARE = 0.95

# The limit may lie so far beyond the rates that were tried.
_BEYOND = 2.0
_LIMITS = 401
# From runs of very many requests to runs that are decided by a handful.
_LEAST_SPREAD, _MOST_SPREAD, _SPREADS = 0.005, 0.2, 25


def limit_interval(rates: Sequence[float], held: Sequence[bool], share: float = SHARE) -> tuple[float, float] | None:
    """Equal-tailed interval of the limit, in the rates' unit; None where all tries held, or none did."""
    if all(held) or not any(held):
        return None
    from scipy.special import log_ndtr

    tried = np.log(rates)
    limits = np.linspace(tried.min() - math.log(_BEYOND), tried.max() + math.log(_BEYOND), _LIMITS)
    spreads = np.geomspace(_LEAST_SPREAD, _MOST_SPREAD, _SPREADS)
    likelihood = np.zeros((_LIMITS, _SPREADS))
    for (rate, did), times in Counter(zip(tried, held, strict=True)).items():
        likelihood += times * log_ndtr((limits[:, None] - rate) / spreads * (1 if did else -1))
    weights = np.exp(likelihood - likelihood.max()).sum(axis=1)
    below = np.cumsum(weights) / weights.sum()
    low, high = np.interp(((1 - share) / 2, (1 + share) / 2), below, limits)
    return math.exp(low), math.exp(high)
