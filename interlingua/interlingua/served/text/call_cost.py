"""What a call to a network costs, from a few that are timed.

CALIBRATION_LENGTHS --one text each, timed--> seconds --fit_call_cost--> CallCost --> where batches.py cuts
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.served.limits import CALIBRATION_LENGTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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


def measured_cost(seconds: Callable[[int], float], max_tokens: int) -> CallCost:
    """The cost that a service finds by timing its lone calls.

    Args:
        seconds: what a call of one text of so many tokens takes.
        max_tokens: longer texts are truncated to this.
    """
    lengths = [min(length, max_tokens) for length in sorted(CALIBRATION_LENGTHS, reverse=True)]
    return fit_call_cost(lengths, [seconds(length) for length in lengths])


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
