"""The figures that a run ends with, all derived from its record.

Requests, the verdict's warm-up, an objective -> RunSummary -> lines for a terminal, or JSON
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.record.percentiles import LatencyHistogram
from interlingua_loadtest.record.record import STATUSES

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Requests
    from interlingua_loadtest.record.slo import Slo

_SEARCH = "search"
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True)
class Goodput:
    """Requests that met an objective, one by one, and whether all of them together did.

    Attributes:
        share: of those that were scheduled, answered within the limit; rate: of them a second.
        is_met: that share is large enough, and so is the share of those that were answered at all (Slo.holds).
    """

    slo: str
    share: float
    rate: float
    is_met: bool


@dataclass(frozen=True, kw_only=True)
class SearchReranking:
    """How the answered searches of a run were reranked.

    Attributes:
        by_stored: searches whose candidates were all compared by stored token vectors.
        by_pairs: whose candidates all went to the reranker as pairs.
        by_both: whose went both ways.
        not_reranked: with no candidate reranked.
        stored, pairs: candidates, of all searches.
    """

    by_stored: int
    by_pairs: int
    by_both: int
    not_reranked: int
    stored: int
    pairs: int

    @classmethod
    def of(cls, answered: Requests) -> SearchReranking | None:
        """None where nothing was searched."""
        searches = answered.where(answered.kind == _SEARCH)
        stored, pairs = searches.stored > 0, searches.pairs > 0
        if not len(searches):
            return None
        return cls(
            by_stored=int((stored & ~pairs).sum()),
            by_pairs=int((pairs & ~stored).sum()),
            by_both=int((stored & pairs).sum()),
            not_reranked=int((~stored & ~pairs).sum()),
            stored=int(searches.stored.sum()),
            pairs=int(searches.pairs.sum()),
        )

    def __str__(self) -> str:
        candidates = f"({self.stored} candidates compared by stored token vectors, {self.pairs} sent as pairs)"
        counts = {
            "by stored token vectors": self.by_stored,
            "as pairs": self.by_pairs,
            "both ways": self.by_both,
            "not reranked": self.not_reranked,
        }
        return f"searches: {', '.join(f'{count} {how}' for how, count in counts.items() if count)} {candidates}"


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """Figures of the measured part of a run: after the warm-up, before the end.

    Attributes:
        warm_up_s, seconds: what is left out at the beginning, and how long the rest is.
        scheduled: requests that were due in it.
        statuses: how many of them came to what; those that did not occur are there, too.
        offered_rate, achieved_rate: due, and answered, a second.
        latency_s, service_s: by percentile, of the answered ones; from the scheduled moment, and from sending.
        lag_s: by percentile, of the sent ones: what the generator was late.
        reranking: of the answered searches; None without any, and of records of before.
    """

    warm_up_s: float
    seconds: float
    scheduled: int
    statuses: dict[str, int]
    offered_rate: float
    achieved_rate: float
    latency_s: dict[str, float]
    service_s: dict[str, float]
    lag_s: dict[str, float]
    goodput: Goodput | None
    reranking: SearchReranking | None = None

    @classmethod
    def of(cls, requests: Requests, warm_up_s: float, end_s: float, slo: Slo | None) -> RunSummary:
        """`end_s`: nothing is due later; for requests that are all due at once, when the last one was answered."""
        measured = requests.where(requests.scheduled_s >= warm_up_s)
        seconds = max(end_s - warm_up_s, 1e-9)
        answered = measured.where(measured.answered)
        finished = requests.where(requests.answered & (requests.finished_s >= warm_up_s))
        counted = Counter(measured.status.tolist())
        sent = measured.lag_s[~np.isnan(measured.lag_s)]
        return cls(
            warm_up_s=warm_up_s,
            seconds=seconds,
            scheduled=len(measured),
            statuses={status: counted[status] for status in STATUSES},
            offered_rate=len(measured) / seconds,
            achieved_rate=int((finished.finished_s <= end_s).sum()) / seconds,
            latency_s=_percentiles(answered.latency_s),
            service_s=_percentiles(answered.service_s),
            lag_s=_percentiles(sent),
            goodput=_goodput(measured, seconds, slo) if slo else None,
            reranking=SearchReranking.of(answered),
        )


def _percentiles(seconds: Floats) -> dict[str, float]:
    # A request may be sent a hair before its time: clocks are read twice.
    histogram = LatencyHistogram.of(np.maximum(seconds, 0.0))
    return {
        f"p{percent:g}": value for percent, value in zip(PERCENTILES, histogram.percentiles(PERCENTILES), strict=True)
    }


def _goodput(requests: Requests, seconds: float, slo: Slo) -> Goodput:
    good = int(slo.met(requests).sum())
    share = good / len(requests) if len(requests) else float("nan")
    latency = np.where(requests.answered, requests.latency_s, np.inf)
    return Goodput(str(slo), share, good / seconds, bool(len(latency)) and slo.holds(latency))
