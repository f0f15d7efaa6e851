"""Stretches of time that are taken for independent of one another: requests within one are not.

    a run's latencies --correlation--> length of a block --> the block of each request

Neighbouring requests share a queue, so that a thousand of them tell less than a thousand. What is drawn with
replacement, or counted for a variance, is therefore whole blocks of time: the block bootstrap without overlap
(Carlstein 1986, Annals of Statistics 14). A block is as long as five correlation times of the latencies' ranks, a
quarter of a second at least; there are 20 at least. Where that is too few for so slow a process it is said
(`Blocks.is_short`): then intervals are too narrow, and the run has to be longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.record.windows import relative_latency

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Ints, Requests
    from interlingua_loadtest.report.recorded_run import RecordedRun

_PIECE_S = 0.1
_CORRELATIONS, _SHORTEST_S, _LEAST = 5, 0.25, 20


@dataclass(frozen=True)
class Blocks:
    """The measured part of a run, cut.

    Attributes:
        start_s, seconds: of the measured part.
        number: of blocks.
        is_short: blocks are shorter than they should be.
    """

    start_s: float
    seconds: float
    number: int
    is_short: bool

    @classmethod
    def of(cls, run: RecordedRun, correlation_s: float | None = None) -> Blocks:
        """`correlation_s`: in place of the run's own."""
        own = correlation_time(run.measured, run.validity.warm_up_s, run.seconds)
        wanted = max(_CORRELATIONS * (own if correlation_s is None else correlation_s), _SHORTEST_S)
        number = max(int(run.seconds / wanted), _LEAST)
        return cls(run.validity.warm_up_s, run.seconds, number, run.seconds / number < 0.9 * wanted)

    @property
    def block_s(self) -> float:
        """Length of one."""
        return self.seconds / self.number

    def places(self, moments_s: Floats) -> Ints:
        """The block of each moment; those outside count for the first or the last."""
        places: Ints = np.floor((moments_s - self.start_s) / self.block_s).astype(np.int64)
        return places.clip(0, self.number - 1)


def correlation_time(requests: Requests, start_s: float, seconds: float) -> float:
    """Integrated autocorrelation time, in seconds, of how the latencies of each tenth of a second rank.

    Ranks, relative to the kind and depth of request, so that one stall does not make a run look slow to change. The
    sum over lags ends at the first that chance explains (Geyer 1992, Statistical Science 7; two standard errors).
    """
    latency = relative_latency(requests)
    known = ~np.isnan(latency)
    number = int(seconds / _PIECE_S)
    if known.sum() < 2 or number < 2 * _LEAST:
        return _PIECE_S
    ranks = np.argsort(np.argsort(latency[known], kind="stable"), kind="stable") / known.sum()
    places = ((requests.scheduled_s[known] - start_s) / _PIECE_S).astype(np.int64).clip(0, number - 1)
    pieces = np.bincount(places, ranks - ranks.mean(), number)
    variance = float((pieces * pieces).sum())
    time = 1.0
    for lag in range(1, number // 4):
        correlation = float((pieces[:-lag] * pieces[lag:]).sum()) / variance if variance else 0.0
        if correlation <= 2 / np.sqrt(number):
            break
        time += 2 * correlation
    return time * _PIECE_S
