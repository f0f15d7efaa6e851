"""Where a run's warm-up ends.

    latency and answers of many short stretches -> their ranks -> MSER -> stretches to leave out

MSER leaves out so many first values that the standard error of the mean of the rest is least (White 1997, An effective
truncation heuristic for bias reduction in simulation output; in batches: White, Cobb and Spratt 2000, A comparison of
five steady-state truncation heuristics for simulation). It is applied to ranks: a server that stalls for two seconds is
a few extreme values, and MSER would leave out everything up to them, and so hide the stall. Among ranks they weigh no
more than other slow stretches, while a warm-up, which is one-sided for long, is still seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.record.windows import stretches

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Requests

_MOST_STRETCHES = 60
_LEAST_STRETCHES = 10
# The batch of MSER-5.
_LEAST_REQUESTS = 5


def warm_up_end(requests: Requests, end_s: float) -> float:
    """Seconds from the run's start; NaN where it does not end in the run's first half.

    Args:
        end_s: when the last request was due.
    """
    number = min(_MOST_STRETCHES, len(requests) // _LEAST_REQUESTS)
    if number < _LEAST_STRETCHES or end_s <= 0:
        return 0.0
    edges = np.linspace(0.0, end_s, number + 1)
    found = stretches(requests, edges)
    # Nothing answered of what was due is slower than anything that was.
    latency = np.where(np.isnan(found.latency) & (found.due > 0), np.inf, found.latency)
    cut = max(mser(ranks(latency)), mser(ranks(found.answered_share)))
    return float("nan") if cut >= number // 2 else float(edges[cut])


def mser(values: Floats) -> int:
    """How many first values to leave out: at most half of them, and that much means that it was not enough."""
    number = len(values)
    left = number - np.arange(number // 2 + 1)
    sums, squares = _suffix_sums(values)[: len(left)], _suffix_sums(values**2)[: len(left)]
    errors = (squares - sums**2 / left) / left**2
    return int(np.argmin(errors))


def ranks(values: Floats) -> Floats:
    """1 for the least; the mean rank where values are equal; the middle one for NaN."""
    known = ~np.isnan(values)
    _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    ranked = np.full(len(values), (known.sum() + 1) / 2)
    ranked[known] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranked


def _suffix_sums(values: Floats) -> Floats:
    sums: Floats = np.cumsum(values[::-1])[::-1]
    return sums
