"""One run of a search for the highest rate, and what it says about its rate.

    Offer --a run--> Requests, RunSummary, Validity -> Try -> Verdict

Of the faults that validity.py names, those of the generator make a run void: it says nothing of the server, unless it
was the server that kept every greenlet waiting. A run without a steady state that missed the objective has missed it:
that is what an overloaded server looks like. One that held it so far decides nothing, because a queue may still be
growing; nor does one of too few requests, however they fared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from interlingua_loadtest.record.validity import GENERATOR_FAULTS, FaultKind

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Requests
    from interlingua_loadtest.record.run_summary import RunSummary
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.record.validity import Validity

Verdict = Literal["held", "missed", "undecided", "void", "interrupted"]

# Faults that a server brings about which leaves all greenlets waiting.
_OF_A_FULL_GENERATOR = ("lag", "unsent")


class Offer(NamedTuple):
    """What a run is to offer: requests a second, for so many seconds; `lone` ones come evenly, far from each other."""

    rate: float
    seed: int
    seconds: float
    lone: bool = False


@dataclass(frozen=True, kw_only=True)
class Try:
    """What came of one run. Durations are in seconds, and None where there was no such answer.

    Attributes:
        rate, seed, seconds, lone: what was offered.
        folder: of the run's record.
        requests: in its measured part, which all other figures are of; statuses: what they came to.
        held: they held the objective.
        p50_s, p99_s, mean_s: of those that were answered.
        objective_s: what as many of 100 as the objective names were answered within, unanswered ones counted.
        goodput: share that was answered within the objective's limit.
        kinds, reasons: what speaks against the run.
        verdict: what it says about the rate.
    """

    rate: float
    seed: int
    seconds: float
    lone: bool
    folder: str
    requests: int
    statuses: dict[str, int]
    held: bool
    p50_s: float | None
    p99_s: float | None
    mean_s: float | None
    objective_s: float | None
    goodput: float | None
    kinds: tuple[FaultKind, ...]
    reasons: tuple[str, ...]
    verdict: Verdict

    @classmethod
    def of(
        cls,
        offer: Offer,
        requests: Requests,
        summary: RunSummary,
        validity: Validity,
        slo: Slo,
        *,
        folder: str,
        in_flight: int,
        interrupted: bool = False,
    ) -> Try:
        """From a run's record. `in_flight`: requests that one worker has under way at most."""
        measured = requests.where(requests.scheduled_s >= validity.warm_up_s)
        good = summary.goodput
        held = bool(good and good.is_met)
        kinds = validity.kinds
        if not held and _left_waiting(requests, measured, slo, in_flight):
            faults = tuple(kind for kind in kinds if kind not in _OF_A_FULL_GENERATOR)
        else:
            faults = kinds
        latency = measured.latency_s[measured.answered]
        return cls(
            **offer._asdict(),
            folder=folder,
            requests=len(measured),
            statuses={status: count for status, count in summary.statuses.items() if count},
            held=held,
            p50_s=_known(summary.latency_s["p50"]),
            p99_s=_known(summary.latency_s["p99"]),
            mean_s=float(latency.mean()) if len(latency) else None,
            objective_s=_known(_within(measured, slo.percent)),
            goodput=_known(good.share) if good else None,
            kinds=kinds,
            reasons=validity.reasons,
            verdict="interrupted" if interrupted else verdict_of(faults, held=held),
        )

    @property
    def answered(self) -> int:
        """Requests with an answer, if a degraded one."""
        return self.statuses.get("ok", 0) + self.statuses.get("degraded", 0)


def verdict_of(faults: tuple[FaultKind, ...], *, held: bool) -> Verdict:
    """What a run says about its rate, by the faults that it has."""
    if set(faults) & set(GENERATOR_FAULTS):
        return "void"
    if "short" in faults:
        return "undecided"
    if not held:
        return "missed"
    return "undecided" if faults else "held"


def _left_waiting(requests: Requests, measured: Requests, slo: Slo, in_flight: int) -> bool:
    """Whether all greenlets of a worker waited at once, and what was sent missed the objective counted from sending.

    Then it was the server that was late first. Without either, the generator was.
    """
    sent = measured.where(~np.isnan(measured.sent_s))
    service = np.where(sent.answered, sent.service_s, np.inf)
    if not len(service) or slo.holds(service):
        return False
    return any(
        _most_under_way(requests.where(requests.worker == worker)) >= in_flight for worker in set(requests.worker)
    )


def _most_under_way(requests: Requests) -> int:
    sent = np.sort(requests.sent_s[~np.isnan(requests.sent_s)])
    finished = np.sort(requests.finished_s[~np.isnan(requests.finished_s)])
    under_way = np.arange(1, len(sent) + 1) - np.searchsorted(finished, sent, side="right")
    return int(under_way.max(initial=0))


def _within(requests: Requests, percent: float) -> float:
    """Seconds that `percent` of 100 requests were answered within; infinite if too few were answered at all."""
    latency = np.sort(np.where(requests.answered, requests.latency_s, np.inf))
    # A hair is left for 0.99 x 300, as in Slo.holds.
    rank = max(math.ceil(percent / 100 * len(latency) - 1e-9), 1)
    return float(latency[rank - 1]) if len(latency) else math.nan


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
