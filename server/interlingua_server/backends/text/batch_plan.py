"""How a batch of texts is cut into calls to the network.

Triton batches texts; the network wants rectangles of token ids. The cut sorts the texts by length and finds,
by dynamic programming, the sub-batches that minimise

    sum over sub-batches of (call overhead + texts x longest text)

in units of padded tokens: the overhead is what one more call costs, worth so many tokens on this hardware.
No sub-batch holds more than the token budget, unless one text alone does, nor more texts than the network takes.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CallCost:
    """Seconds that one call to the network takes: `call_s + token_s * padded tokens`."""

    call_s: float
    token_s: float

    @property
    def overhead_tokens(self) -> float:
        """The fixed part of a call, in padded tokens."""
        return self.call_s / self.token_s

    def seconds(self, padded_tokens: int) -> float:
        return self.call_s + self.token_s * padded_tokens


def fit_call_cost(padded_tokens: Sequence[int], seconds: Sequence[float]) -> CallCost:
    """Least squares of the relative errors of measured calls; neither part goes below zero.

    Relative, because the line is no line: attention makes long calls longer than in proportion, and would push the
    fixed part, which decides about short ones, to nothing.

    Args:
        padded_tokens: texts x length of each measured call, at least two different values.
        seconds: what each call took.
    """
    weights = 1 / np.maximum(seconds, 1e-9)  # a clock may be too coarse to see a call at all
    slope, intercept = np.polyfit(padded_tokens, seconds, 1, w=weights)
    if intercept < 0:  # the line through the origin
        per_second = np.asarray(padded_tokens) * weights
        slope, intercept = per_second.sum() / (per_second * per_second).sum(), 0.0
    return CallCost(call_s=max(float(intercept), 0.0), token_s=max(float(slope), 1e-9))


def cut(lengths: Sequence[int], overhead: float, max_tokens: int, max_texts: int) -> list[list[int]]:
    """Cut texts into sub-batches of least total cost.

    Args:
        lengths: tokens of each text, at least 1 each.
        overhead: cost of one call, in padded tokens.
        max_tokens: token budget, the most padded tokens of a sub-batch of more than one text.
        max_texts: the most texts of a sub-batch.

    Returns:
        Sub-batches as positions into `lengths`, each sorted by length, in rising order of length.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    ordered = [lengths[row] for row in order]
    best = [0.0]  # best[i]: least cost of the first i texts
    first = [0]  # where the last sub-batch of that best cut starts
    for stop, longest in enumerate(ordered, start=1):
        width = min(stop, max_texts, max(max_tokens // longest, 1))
        start, least = _last_start(ordered, best, stop, width, overhead)
        best.append(least + overhead)
        first.append(start)
    batches: list[list[int]] = []
    stop = len(ordered)
    while stop:
        batches.append(order[first[stop] : stop])
        stop = first[stop]
    return batches[::-1]


def _last_start(ordered: list[int], best: list[float], stop: int, width: int, overhead: float) -> tuple[int, float]:
    """Where the sub-batch that ends at `stop` starts, the earliest of the best, and the cost without its overhead.

    Plain numbers, not arrays: a batch is small, and this runs before every call. Going back, each text more pads the
    texts before it to `longest`; once that costs more than a call, no earlier start is better, because the best cut up
    to a text is dearer than that up to an earlier one by at most a call that holds all texts in between.
    """
    longest, padded = ordered[stop - 1], 0
    pick, least = stop - 1, float("inf")
    for start in range(stop - 1, stop - width - 1, -1):
        padded += longest
        cost = best[start] + padded
        if cost <= least:
            pick, least = start, cost
        elif start and cost + longest - ordered[start - 1] - overhead > least:
            break
    return pick, least


def finish_times(calls: Sequence[float], lanes: int) -> list[float]:
    """When each call ends, in seconds from now, if `lanes` calls run at a time, started in the given order."""
    free = [0.0] * max(lanes, 1)
    ends = []
    for seconds in calls:
        ends.append(heapq.heappop(free) + seconds)
        heapq.heappush(free, ends[-1])
    return ends
