"""A percentile and its 95% interval.

latencies, the block of each -> the value at a rank, and the values at two ranks about it

The share of requests that are slower than the percentile has a standard error; the interval's ends are the latencies at
the percentile less and plus 1.96 of it (Woodruff 1952, Journal of the American Statistical Association 47: order
statistics). Were requests independent it would be the binomial's, sqrt(p (1 - p) / n); since neighbours wait together
it is taken from how that share differs between blocks of time (time_blocks.py), and never smaller than the binomial's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Ints, Mask

_Z = 1.959964


@dataclass(frozen=True)
class Percentile:
    """Attributes:
    percent: 0 to 100.
    seconds: that many percent were no slower; NaN without requests.
    low_s, high_s: ends of its 95% interval; NaN: there are too few requests to know that end.
    """

    percent: float
    seconds: float
    low_s: float
    high_s: float

    @property
    def name(self) -> str:
        """Its name, as in p99."""
        return f"p{self.percent:g}"


def percentiles(latency_s: Floats, places: Ints, percents: tuple[float, ...]) -> tuple[Percentile, ...]:
    """The percentiles of latencies [n], none NaN, that lie in blocks [n]."""
    values = np.sort(latency_s)
    return tuple(_percentile(values, latency_s, places, percent) for percent in percents)


def rank(percent: float, number: int) -> int:
    """The smallest that so many are no slower than, from 1; a hair is left for 99.9 * 1000 / 100."""
    return min(max(math.ceil(percent / 100 * number - 1e-9), 1), number)


def _percentile(values: Floats, latency_s: Floats, places: Ints, percent: float) -> Percentile:
    number = len(values)
    if not number:
        return Percentile(percent, math.nan, math.nan, math.nan)
    found = float(values[rank(percent, number) - 1])
    reach = _Z * math.sqrt(number * percent / 100 * (1 - percent / 100) * _design_effect(latency_s > found, places))
    low, high = math.floor(percent / 100 * number - reach), math.ceil(percent / 100 * number + reach)
    low_s = float(values[low - 1]) if low >= 1 else math.nan
    return Percentile(percent, found, low_s, float(values[high - 1]) if high <= number else math.nan)


def _design_effect(slower: Mask, places: Ints) -> float:
    """How many times the binomial variance of the share the blocks show; 1 at least."""
    share = float(slower.mean())
    blocks = int(places.max()) + 1
    if blocks < 2 or not 0 < share < 1:
        return 1.0
    off = np.bincount(places, slower - share, blocks)
    variance = float((off * off).sum()) * blocks / (blocks - 1)
    return max(variance / (len(slower) * share * (1 - share)), 1.0)
