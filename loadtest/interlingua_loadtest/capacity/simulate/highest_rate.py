"""The highest rate at which a simulated server holds an SLO.

    Demand, ServerLayout, Slo --bisection over simulate(), once a seed--> HighestRate (mean, 95% interval)

Within one repeat all rates use the same draws, stretched in time, so that a higher rate differs by the rate alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua.base.plain import saved
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.capacity.simulate.timeline import Usage
from interlingua_loadtest.capacity.simulate.workload import FloatArray64
from interlingua_loadtest.rate_search.bisection import ImpossibleSloError, NotEnclosedError, bisect, enclose
from interlingua_loadtest.traffic import schedule

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.capacity.simulate.timeline import Timeline
    from interlingua_loadtest.record.slo import Slo

__all__ = ["Arrivals", "HighestRate", "ImpossibleSloError", "Runs", "check_possible", "highest_rate", "interval"]

Arrivals = Callable[[float, float, int], FloatArray64]
"""(requests a second, seconds, seed) -> moments of arrival."""

_LONE_REQUESTS = 200
_LONE_GAP_S = 3600.0
_STEP = 1.5


@dataclass(frozen=True, kw_only=True)
class Runs:
    """How a rate is tried.

    Attributes:
        requests: of one simulated run, about.
        seconds: of one run, in place of `requests`: to predict what a test of that duration will find.
        repeats: runs with draws of their own; at least 2 for an interval.
        warm_up: share of a run's requests that is not looked at.
        precision: relative width at which the bisection stops.
        arrivals: Poisson unless another process is wanted.
    """

    requests: int = 10_000
    seconds: float | None = None
    repeats: int = 5
    warm_up: float = 0.1
    precision: float = 0.01
    arrivals: Arrivals = schedule.poisson

    def try_rate(self, rate: float, demand: Demand, layout: ServerLayout, seed: int) -> Timeline:
        """One run. Raises InputError: nothing arrives in so short a time at this rate."""
        seconds = self.seconds or self.requests / rate
        arrived = self.arrivals(rate, seconds, seed)
        if len(arrived) == 0:
            raise InputError(f"at {rate:g} requests a second nothing arrives in {seconds:g} s: let a run last longer")
        return simulate(demand.draw(arrived, seed), layout, seed)


@saved
@dataclass(frozen=True, kw_only=True)
class HighestRate:
    """The highest rate that held.

    Attributes:
        rate: mean over the repeats, requests a second.
        low, high: its 95% interval (Student's t); equal to `rate` with one repeat.
        rates: of each repeat.
        usage: how busy each station was there, in the first repeat.
        busiest: the station that sets the limit.
        p50_s, p99_s: of the latency there, in the first repeat.
    """

    rate: float
    low: float
    high: float
    rates: tuple[float, ...]
    usage: dict[str, Usage]
    busiest: str
    p50_s: float
    p99_s: float


def highest_rate(demand: Demand, layout: ServerLayout, slo: Slo, runs: Runs | None = None) -> HighestRate:
    """Find it.

    Raises:
        ImpossibleSloError: not even lone requests are answered in time, so no rate holds the SLO.
        InputError: the demand asks for what the server does not have.
    """
    runs = runs or Runs()
    lone_s = check_possible(demand, layout, slo)
    rates: list[float] = []
    for seed in range(runs.repeats):
        guess = rates[-1] if rates else 0.5 / lone_s
        rates.append(_bisect(guess, demand, layout, slo, runs, seed))
    at = runs.try_rate(rates[0], demand, layout, 0)
    rate, low, high = interval(rates)
    return HighestRate(
        rate=rate,
        low=max(low, 0.0),
        high=high,
        rates=tuple(rates),
        usage=dict(at.usage),
        busiest=at.busiest(),
        p50_s=at.percentile(50, runs.warm_up),
        p99_s=at.percentile(99, runs.warm_up),
    )


def check_possible(demand: Demand, layout: ServerLayout, slo: Slo) -> float:
    """Mean seconds of a lone request. Raises ImpossibleSloError: lone requests miss the SLO already."""
    arrived = np.arange(_LONE_REQUESTS, dtype=np.float64) * _LONE_GAP_S
    alone = simulate(demand.draw(arrived, seed=0), layout)
    if not slo.holds(alone.answered_after()):
        took = alone.percentile(slo.percent)
        raise ImpossibleSloError(
            f"the SLO ({slo}) cannot be held at any rate: "
            + (
                f"p{slo.percent:g} of lone requests is {1e3 * took:.0f} ms already"
                if np.isfinite(took)
                else f"{100 * (1 - alone.goodput()):.0f}% of lone requests miss their deadline already"
            )
        )
    return max(float(alone.latency.mean()), 1e-9)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95% interval of the mean, by Student's t; without width for a single value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean, mean
    from scipy.stats import t

    half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def _bisect(guess: float, demand: Demand, layout: ServerLayout, slo: Slo, runs: Runs, seed: int) -> float:
    """From a guess, outwards until the rate is enclosed, then inwards; the rate that held."""

    def holds(rate: float) -> bool:
        return slo.holds(runs.try_rate(rate, demand, layout, seed).answered_after(runs.warm_up))

    try:
        low, high = enclose(holds, guess, step=_STEP)
    except NotEnclosedError as error:
        raise (InputError if error.held else ImpossibleSloError)(
            f"no limit was found between {error.low:g} and {error.high:g} requests a second: "
            + (
                "the server does no work"
                if error.held
                else f"the SLO ({slo}) is hardly above what a lone request takes"
            )
        ) from error
    return bisect(holds, low, high, precision=runs.precision)[0]
