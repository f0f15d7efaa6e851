"""The figures of two samples of blocks, their differences, and whether chance makes as much.

BlockSample, BlockSample --draws of both--> Difference ...

Blocks of both sides are drawn independently of each other, and the interval is that of the difference over all draws.
Percentile intervals of few blocks are too narrow; their levels are widened to Student's t (Hesterberg 2015, The
American Statistician 69, the expanded percentile interval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.report.statistics.block_bootstrap import PERCENTS

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats
    from interlingua_loadtest.report.statistics.block_bootstrap import BlockSample

DRAWS = 1000

_SEED = 20260101
_BEYOND = 10  # requests slower than a percentile, for its interval to mean anything
_LATENCIES = tuple(f"p{percent:g}" for percent in PERCENTS)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One figure of both sides.

    Attributes:
        before, after: seconds, requests a second, or a share.
        difference, ratio: after less, and over, before; with 95% intervals.
        verdict: better, worse, undecided, equal, or unknown where there is too little to say.
    """

    figure: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    verdict: str

    @property
    def is_decided(self) -> bool:
        """It is more than chance makes it."""
        return self.verdict in ("better", "worse")


def figure_differences(before: BlockSample, after: BlockSample, *, is_timed: bool) -> list[Difference]:
    """After less before; `is_timed`: requests came over a time, so that it can be cut into blocks."""
    random = np.random.default_rng(_SEED)
    drawn = [sample.drawn(DRAWS, random) for sample in (before, after)]
    observed = [sample.observed() for sample in (before, after)]
    tail = _tail(min(before.number, after.number))
    fewest = min(before.answered, after.answered)
    return [
        _difference(
            name,
            (observed[0][name], observed[1][name]),
            (drawn[0][name], drawn[1][name]),
            tail if is_timed and _is_enough(name, fewest) else math.nan,
        )
        for name in observed[0]
    ]


def _is_enough(name: str, requests: int) -> bool:
    return name not in _LATENCIES or requests * (100 - float(name[1:])) / 100 >= _BEYOND


def _tail(blocks: int) -> float:
    """The share of draws beyond each end of a 95% interval."""
    from scipy import stats

    return float(stats.norm.cdf(-math.sqrt(blocks / (blocks - 1)) * stats.t.ppf(0.975, blocks - 1)))


def _difference(name: str, pair: tuple[float, float], draws: tuple[Floats, Floats], tail: float) -> Difference:
    before, after = pair
    low, high = _ends(draws[1] - draws[0], tail)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio_low, ratio_high = _ends(draws[1] / draws[0], tail)
    ratio = after / before if before else math.nan
    verdict = _verdict(low, high, lower_is_better=name in _LATENCIES)
    return Difference(
        figure=name,
        before=before,
        after=after,
        difference=after - before,
        low=low,
        high=high,
        ratio=ratio,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        verdict=verdict,
    )


def _ends(values: Floats, tail: float) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if math.isnan(tail) or not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, (tail, 1 - tail))
    return float(low), float(high)


def _verdict(low: float, high: float, *, lower_is_better: bool) -> str:
    if math.isnan(low):
        return "unknown"
    if low == high == 0:
        return "equal"
    if low <= 0 <= high:
        return "undecided"
    return "better" if (high < 0) == lower_is_better else "worse"
