"""Is a run to be believed?

    Requests, Processes -> warm-up left out -> windows -> reasons why not, or none

Faults are of two sorts. Those of the generator (GENERATOR_FAULTS) make a run void: it did not ask what it says it
asked. The others say that it shows no steady state, as a server shows none that is asked more than it can do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np

from interlingua.base.plain import saved
from interlingua_loadtest.record.warm_up import warm_up_end
from interlingua_loadtest.record.windows import Window, stretches, windows

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Processes, Requests

FaultKind = Literal["short", "warm-up", "unsteady", "lag", "cpu", "clock", "unsent"]
GENERATOR_FAULTS: tuple[FaultKind, ...] = ("lag", "cpu", "clock", "unsent")

_LAST_WINDOWS, _MOST_WINDOWS = 3, 6
_PIECES = 5
# Of the studentised range of three means, 12 degrees of freedom, at 1% (Tukey 1949): what chance alone hardly does.
_BEYOND_CHANCE = 5.05


class Fault(NamedTuple):
    """Why a run is not to be believed."""

    kind: FaultKind
    reason: str


@dataclass(frozen=True, kw_only=True)
class ValidityBounds:
    """What is still taken.

    Attributes:
        window_s: least length of a window.
        window_requests: requests in a window, on average, at least.
        least_requests: after the warm-up.
        change: of throughput and latency between the last three windows, as a share (perf_analyzer's
            --stability-percentage is 10).
        lag_p99_s: of what the generator sent late.
        generator_cpu: of one core.
        unsent: share of the requests.
        clock_s: that clocks may be apart.
    """

    window_s: float = 5.0
    window_requests: int = 100
    least_requests: int = 100
    change: float = 0.10
    lag_p99_s: float = 0.010
    generator_cpu: float = 0.90
    unsent: float = 0.001
    clock_s: float = 0.001


@saved
@dataclass(frozen=True)
class Validity:
    """The verdict.

    Attributes:
        reasons: for a person, one a fault; none where the run is valid.
        warm_up_s: what is due earlier counts for nothing; where warm-up did not end, half of the run.
        windows: of the rest, in order.
        kinds: of the faults, in the order of the reasons.
    """

    DERIVED: ClassVar = ("is_void",)

    is_valid: bool
    reasons: tuple[str, ...]
    warm_up_s: float
    windows: tuple[Window, ...]
    kinds: tuple[FaultKind, ...] = ()

    @property
    def is_void(self) -> bool:
        """The generator is at fault: the run says nothing about the server."""
        return any(kind in GENERATOR_FAULTS for kind in self.kinds)


def judge(
    requests: Requests, processes: Processes, *, offline: bool = False, bounds: ValidityBounds | None = None
) -> Validity:
    """Judge a run by its record.

    Args:
        offline: all requests were due at once: there is no warm-up, no steady state, and late is no fault.
        bounds: other ones than the usual.
    """
    bounds = bounds or ValidityBounds()
    sound = requests.where(~np.isnan(requests.scheduled_s))
    end = _end(sound.finished_s if offline else sound.scheduled_s)
    warm_up = 0.0 if offline else warm_up_end(sound, end)
    start = end / 2 if np.isnan(warm_up) else warm_up
    measured = sound.where(sound.scheduled_s >= start)
    edges = np.array([start, end]) if offline else _edges(start, end, len(measured), bounds)
    found = windows(measured, processes, edges) if end > start else ()
    faults = [*_wrong_clocks(requests, bounds), *_unsent(measured, bounds), *_busy(found, processes, bounds)]
    if not offline:
        faults += [*_late(measured, bounds), *_short(measured, bounds)]
        faults += [Fault("warm-up", _WARM_UP)] if np.isnan(warm_up) else []
    if not offline and len(measured) >= bounds.least_requests:
        faults += _unsteady(measured, edges[-_LAST_WINDOWS - 1 :], bounds)
    return Validity(not faults, tuple(fault.reason for fault in faults), start, found, tuple(f.kind for f in faults))


def _end(moments: Floats) -> float:
    known = moments[~np.isnan(moments)]
    return float(known.max()) if len(known) else 0.0


_WARM_UP = "latency or throughput were still changing halfway through: the warm-up had not ended; run longer"


def _edges(start: float, end: float, number: int, bounds: ValidityBounds) -> Floats:
    """Three to six windows of equal length: the longer the run, the less do a queue's slow swings look like change."""
    by_requests = number / bounds.window_requests
    by_seconds = (end - start) / bounds.window_s
    return np.linspace(start, end, max(int(min(by_requests, by_seconds, _MOST_WINDOWS)), _LAST_WINDOWS) + 1)


def _short(requests: Requests, bounds: ValidityBounds) -> Iterator[Fault]:
    if len(requests) < bounds.least_requests:
        yield Fault("short", f"{len(requests)} requests after the warm-up are too few ({bounds.least_requests} needed)")


def _late(requests: Requests, bounds: ValidityBounds) -> Iterator[Fault]:
    lag = requests.lag_s[~np.isnan(requests.lag_s)]
    late = float(np.percentile(lag, 99)) if len(lag) else 0.0
    if late > bounds.lag_p99_s:
        yield Fault(
            "lag",
            f"the generator was late: 1% of the requests were sent {1e3 * late:.1f} ms after their time or later "
            f"({1e3 * bounds.lag_p99_s:g} ms are taken); use more workers, or ask for less",
        )


def _busy(found: tuple[Window, ...], processes: Processes, bounds: ValidityBounds) -> Iterator[Fault]:
    samples = processes.generator
    shares = [window.generator_cpu for window in found if not np.isnan(window.generator_cpu)]
    if len(samples) and shares and max(shares) > bounds.generator_cpu:
        yield Fault(
            "cpu",
            f"a process of the generator used {100 * max(shares):.0f}% of a core "
            f"({100 * bounds.generator_cpu:g}% are taken): it may have been the bottleneck; use more workers",
        )


def _unsent(requests: Requests, bounds: ValidityBounds) -> Iterator[Fault]:
    unsent = int((requests.status == "unsent").sum())
    if unsent > bounds.unsent * len(requests):
        yield Fault(
            "unsent",
            f"{unsent} of {len(requests)} requests were never sent ({100 * bounds.unsent:g}% are taken): "
            "all greenlets were waiting for answers; allow more at a time, or ask for less",
        )


def _wrong_clocks(requests: Requests, bounds: ValidityBounds) -> Iterator[Fault]:
    """Times before the run, answers before their request, requests before their time, and times that are missing."""
    scheduled, sent, finished = requests.scheduled_s, requests.sent_s, requests.finished_s
    with np.errstate(invalid="ignore"):
        early = (sent < scheduled - bounds.clock_s) | (finished < sent)
        negative = (scheduled < -bounds.clock_s) | (sent < -bounds.clock_s) | (finished < -bounds.clock_s)
    missing = np.isnan(scheduled) | (requests.answered & (np.isnan(sent) | np.isnan(finished)))
    missing |= (requests.status == "unsent") != np.isnan(sent)
    if wrong := int((early | negative | missing).sum()):
        yield Fault(
            "clock",
            f"{wrong} of {len(requests)} requests have times that cannot be: before the run, before what they follow, "
            "or missing",
        )


def _unsteady(requests: Requests, edges: Floats, bounds: ValidityBounds) -> Iterator[Fault]:
    """The last three windows differ by more than the bound, and by more than chance makes them differ."""
    fine = np.concatenate([np.linspace(a, b, _PIECES, endpoint=False) for a, b in itertools.pairwise(edges)])
    whole, pieces = stretches(requests, edges), stretches(requests, np.append(fine, edges[-1]))
    for name, values, parts in (
        ("latency", whole.latency, pieces.latency),
        ("throughput, as a share of what was asked,", whole.answered_share, pieces.answered_share),
    ):
        if np.isnan(values).any() or values.max() <= (1 + bounds.change) * values.min():
            continue
        if np.ptp(values) > _BEYOND_CHANCE * _standard_error(parts):
            change = 100 * (values.max() / max(values.min(), 1e-9) - 1)
            yield Fault(
                "unsteady",
                f"no steady state: {name} differs by {min(change, 1e4):.0f}% among the last three windows of "
                f"{edges[1] - edges[0]:.1f} s ({100 * bounds.change:g}% are taken); run longer, or ask for less",
            )


def _standard_error(parts: Floats) -> float:
    """The standard error of a window's value, from how its pieces differ."""
    table = parts.reshape(_LAST_WINDOWS, _PIECES)
    known = [row[~np.isnan(row)] for row in table]
    squares = sum(float(((row - row.mean()) ** 2).sum()) for row in known if len(row))
    freedom = sum(max(len(row) - 1, 0) for row in known)
    return float(np.sqrt(squares / freedom / _PIECES)) if freedom else float("inf")
