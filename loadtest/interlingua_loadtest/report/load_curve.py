"""How latency and throughput go with what is asked, and where they cease to.

RunFigures of open loops -> LoadPoint ... -> Knee

The knee is the highest rate up to which every rate was kept up with (at least 95% of what was offered was answered) and
p99 stayed within twice that of the lowest rate. Both bounds are conventions: they say where a queue has formed, not
what is good enough, which an objective says. It is stated where the runs bear it: up to it each rate has a steady
state, a hundred answers and a p99 whose interval is within the bound; the next rate's whole interval is beyond.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import RunFigures

KEPT_UP, SLOWER = 0.95, 2.0

_LEAST_RATES = 3
_LEAST_ANSWERS = 100  # of fewer the largest is the p99


@dataclass(frozen=True, kw_only=True)
class LoadPoint:
    """One run at one rate.

    Attributes:
        rate: that was asked for; 0 where a log was replayed.
        offered, achieved: requests a second that were due, and that were answered.
        p50_s, p99_s: latency; NaN without an answer.
        p99_low_s, p99_high_s: ends of its 95% interval; NaN where an end is not known.
        answered: requests; None where nobody counted.
    """

    run: str
    state: str
    load: str
    rate: float
    offered: float
    achieved: float
    p50_s: float
    p99_s: float
    p99_low_s: float = math.nan
    p99_high_s: float = math.nan
    answered: int | None = None


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
    kept = list(itertools.takewhile(lambda rung: _keeps_up(rung, bound), rungs))
    if not kept:
        share = f"{100 * KEPT_UP:g}%"
        return None, f"even at {rates[0]:g}/s less than {share} of what was offered was answered: ask for less"
    doubts = [doubt for rung in kept if (doubt := _doubt(rung, bound))]
    if len(kept) < len(rungs) and not _is_beyond(rungs[len(kept)], bound):
        doubts.append(f"at {rates[len(kept)]:g}/s the interval of p99 reaches both sides of {1e3 * bound:.0f} ms")
    if doubts:
        return None, f"it cannot be told from these runs, {doubts[0]}: run longer"
    last = kept[-1][-1]
    return Knee(last.run, last.rate, median(point.offered for point in kept[-1]), last.rate == rates[-1]), ""


def _keeps_up(rung: Sequence[LoadPoint], bound: float) -> bool:
    shares = [point.achieved / point.offered if point.offered else 0.0 for point in rung]
    slow = median(math.inf if math.isnan(point.p99_s) else point.p99_s for point in rung)
    return median(shares) >= KEPT_UP and slow <= bound


def _doubt(rung: Sequence[LoadPoint], bound: float) -> str:
    """Why it is not known that a rate is kept up with."""
    rate = f"at {rung[0].rate:g}/s"
    if all(point.state == "not steady" for point in rung):
        return f"{rate} they show no steady state"
    answers = [point.answered for point in rung if point.answered is not None]
    if answers and sum(answers) < _LEAST_ANSWERS:
        return f"{rate} {sum(answers)} requests were answered, of which the slowest is the p99"
    high = _median(point.p99_high_s for point in rung)
    return f"{rate} the interval of p99 reaches {1e3 * high:.0f} ms" if high > bound else ""


def _is_beyond(rung: Sequence[LoadPoint], bound: float) -> bool:
    """Whether a rate is certainly not kept up with; without an interval its p99 is taken at its word."""
    if median(point.achieved / point.offered if point.offered else 0.0 for point in rung) < KEPT_UP:
        return True
    return not _median(point.p99_low_s for point in rung) <= bound


def _median(values: Iterable[float]) -> float:
    """The median of those that are known; NaN where none is."""
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan


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
        p99_low_s=run.percentile(99).low_s,
        p99_high_s=run.percentile(99).high_s,
        answered=round(run.answered_share * run.summary.scheduled) if run.summary.scheduled else 0,
    )
