"""How latency and throughput go with what is asked, and where they cease to.

RunFigures of open loops -> LoadPoint ... -> Knee

The knee is the highest rate up to which every rate was kept up with (at least 95% of what was offered was answered) and
p99 stayed within twice that of the lowest rate. Both bounds are conventions: they say where a queue has formed, not
what is good enough, which an objective says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import RunFigures

KEPT_UP, SLOWER = 0.95, 2.0

_LEAST_RATES = 3


@dataclass(frozen=True, kw_only=True)
class LoadPoint:
    """One run at one rate.

    Attributes:
        rate: that was asked for; 0 where a log was replayed.
        offered, achieved: requests a second that were due, and that were answered.
        p50_s, p99_s: latency; NaN without an answer.
    """

    run: str
    state: str
    load: str
    rate: float
    offered: float
    achieved: float
    p50_s: float
    p99_s: float


@dataclass(frozen=True)
class Knee:
    """Attributes:
    run: at it, or the last of several at its rate.
    rate, offered: that was asked for, and requests a second that were due.
    is_last: no higher rate was tried: the knee lies here or beyond.
    """

    run: str
    rate: float
    offered: float
    is_last: bool


def load_curve(runs: Iterable[RunFigures]) -> list[LoadPoint]:
    """A point for each open-loop run that is used, by offered rate."""
    points = [_point(run) for run in runs if run.is_used and run.mode == "open"]
    return sorted(points, key=lambda point: (point.rate, point.offered))


def find_knee(points: Sequence[LoadPoint]) -> tuple[Knee | None, str]:
    """The knee, or why there is none. Several runs at one rate count with the median of each figure."""
    rates = sorted({point.rate for point in points if point.rate > 0})
    if len(rates) < _LEAST_RATES:
        return None, f"a knee needs {_LEAST_RATES} different rates, and there are {len(rates)} (--rates 5,10,20)"
    rungs = [[point for point in points if point.rate == rate] for rate in rates]
    bound = SLOWER * median(point.p99_s for point in rungs[0])
    kept: list[LoadPoint] = []
    for rung in rungs:
        if not _keeps_up(rung, bound):
            break
        kept = rung
    if not kept:
        share = f"{100 * KEPT_UP:g}%"
        return None, f"even at {rates[0]:g}/s less than {share} of what was offered was answered: ask for less"
    last = kept[-1]
    return Knee(last.run, last.rate, median(point.offered for point in kept), last.rate == rates[-1]), ""


def _keeps_up(rung: Sequence[LoadPoint], bound: float) -> bool:
    shares = [point.achieved / point.offered if point.offered else 0.0 for point in rung]
    slow = median(math.inf if math.isnan(point.p99_s) else point.p99_s for point in rung)
    return median(shares) >= KEPT_UP and slow <= bound


def _point(run: RunFigures) -> LoadPoint:
    return LoadPoint(
        run=run.name,
        state=run.state,
        load=run.load,
        rate=float(run.settings.get("rate") or 0.0),
        offered=run.summary.offered_rate,
        achieved=run.summary.achieved_rate,
        p50_s=run.percentile(50).seconds,
        p99_s=run.percentile(99).seconds,
    )
