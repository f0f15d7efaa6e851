"""A run in stretches of equal length.

    Requests, edges -> of each stretch: how many were due, how many were answered, and how long those took

Latencies of different kinds of requests are made comparable: each is divided by the median of its kind and depth, so
that a stretch with more searches in it is not taken for a slower one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Ints, Processes, Requests


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of a run.

    Attributes:
        start_s, end_s: seconds from the run's start.
        offered, throughput: requests a second that were due in it, and that were answered in it.
        latency_s: median of those due in it that were answered; NaN without one.
        generator_cpu: cores used by the busiest process of the generator, on average; NaN unknown.
    """

    start_s: float
    end_s: float
    offered: float
    throughput: float
    latency_s: float
    generator_cpu: float


@dataclass(frozen=True, eq=False)
class Stretches:
    """Figures of n stretches, arrays [n].

    Attributes:
        edges: [n + 1], seconds.
        due: requests scheduled in each.
        answered: answers that came in each.
        latency: median of latencies relative to their kind, of those due; NaN without one.
    """

    edges: Floats
    due: Ints
    answered: Ints
    latency: Floats

    @property
    def answered_share(self) -> Floats:
        """Answers that came in each, over what was due in it; NaN where nothing was."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share: Floats = self.answered / self.due
        return np.where(self.due > 0, share, np.nan)


def stretches(requests: Requests, edges: Floats) -> Stretches:
    """Stretches between neighbouring edges, which ascend; what lies outside is left out, but for the last edge."""
    answered = requests.answered
    finished = requests.finished_s[answered]
    return Stretches(
        edges,
        np.histogram(requests.scheduled_s, edges)[0],
        np.histogram(finished[~np.isnan(finished)], edges)[0],
        _medians(relative_latency(requests)[answered], requests.scheduled_s[answered], edges),
    )


def relative_latency(requests: Requests) -> Floats:
    """Latency over the median latency of the same kind and depth; NaN where there was no answer."""
    latency = np.where(requests.answered, requests.latency_s, np.nan)
    keys = np.char.add(requests.kind, np.char.add("/", requests.depth.astype(np.str_)))
    for key in np.unique(keys):
        rows = keys == key
        if known := int((~np.isnan(latency[rows])).sum()):
            middle = np.sort(latency[rows])[known // 2]
            latency[rows] /= max(middle, 1e-9)
    return latency


def windows(requests: Requests, processes: Processes, edges: Floats) -> tuple[Window, ...]:
    """The windows as stretches, in plain units."""
    found = stretches(requests, edges)
    answered = requests.answered
    latencies = _medians(requests.latency_s[answered], requests.scheduled_s[answered], edges)
    generator = processes.generator
    return tuple(
        Window(
            start_s=float(start),
            end_s=float(end),
            offered=float(found.due[row] / (end - start)),
            throughput=float(found.answered[row] / (end - start)),
            latency_s=float(latencies[row]),
            generator_cpu=_busiest(generator, start, end),
        )
        for row, (start, end) in enumerate(itertools.pairwise(edges))
    )


def _busiest(processes: Processes, start: float, end: float) -> float:
    """Mean CPU share of the process whose mean is highest; NaN without a sample."""
    inside = (processes.time_s >= start) & (processes.time_s < end) & ~np.isnan(processes.cpu_share)
    pids, shares = processes.pid[inside], processes.cpu_share[inside]
    return max((float(shares[pids == pid].mean()) for pid in np.unique(pids)), default=float("nan"))


def _medians(values: Floats, moments: Floats, edges: Floats) -> Floats:
    place = np.searchsorted(edges, moments, side="right") - 1
    place[moments == edges[-1]] = len(edges) - 2
    parts = (values[place == row] for row in range(len(edges) - 1))
    return np.array([np.median(part) if len(part) else np.nan for part in parts])
