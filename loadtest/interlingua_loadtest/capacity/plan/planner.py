"""From one replica's highest rate to a plan: replicas, cost, and what the plan hangs on.

    HighestRate + peak rate, headroom, prices --> Replicas, cost per million
    HighestRate + other demands or layouts --> RateChange (what breaks first, what one more candidate costs, ...)

Replicas are taken to share the traffic evenly at random: Poisson arrivals split that way stay Poisson.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.simulate.highest_rate import (
    HighestRate,
    ImpossibleSloError,
    Runs,
    highest_rate,
    interval,
)

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.record.slo import Slo

HEADROOM = 0.3
_MILLION = 1e6
_HOUR_S = 3600.0


@dataclass(frozen=True)
class Replicas:
    """How many servers a rate needs.

    Attributes:
        count: the larger of the two below.
        for_headroom: so that each is loaded to at most 1 - headroom of its highest rate.
        for_loss: so that the others hold the peak when `spare` of them are away.
        load: share of its highest rate that each carries at the peak.
        load_after_loss: the same when `spare` are away.
    """

    count: int
    for_headroom: int
    for_loss: int
    load: float
    load_after_loss: float


@dataclass(frozen=True, kw_only=True)
class RateChange:
    """What a change of demand or layout does to the highest rate.

    Attributes:
        rate: the highest rate then.
        relative: rate over the rate without the change, minus 1; mean over the repeats, each compared with itself.
        low, high: its 95% interval.
        busiest: the station that sets the limit then.
    """

    name: str
    rate: float
    relative: float
    low: float
    high: float
    busiest: str

    @property
    def is_decided(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def replicas_for(peak_rate: float, per_replica: float, *, headroom: float = HEADROOM, spare: int = 1) -> Replicas:
    """Servers for a peak.

    Args:
        peak_rate: requests a second.
        per_replica: what one holds within the SLO; the interval's lower end is the careful choice.
        headroom: share of a replica's rate kept free at the peak, for what the model does not know.
        spare: replicas that may be away at the peak (1: N + 1); the rest then has no headroom left to keep.

    Raises:
        InputError: naming all that is out of its range.
    """
    faults = []
    if not (peak_rate > 0 and per_replica > 0):
        faults.append(f"peak {peak_rate:g} and rate of one replica {per_replica:g} must be above 0")
    if not 0 <= headroom < 1:
        faults.append(f"headroom is {headroom:g}, it must be from 0 up to, but without, 1")
    if spare < 0:
        faults.append(f"{spare} spare replicas: it must be 0 or more")
    if faults:
        raise InputError("; ".join(faults))
    for_headroom = _up(peak_rate / (per_replica * (1 - headroom)))
    for_loss = _up(peak_rate / per_replica) + spare
    count = max(for_headroom, for_loss)
    load = peak_rate / per_replica
    return Replicas(count, for_headroom, for_loss, load / count, load / (count - spare))


def cost_per_million(replicas: int, price_per_hour: float, mean_rate: float) -> float:
    """Price of a million requests, in the price's currency.

    Args:
        mean_rate: requests a second over the day, not at the peak: idle hours cost too.

    Raises:
        InputError: a number is out of its range.
    """
    if replicas < 1 or price_per_hour < 0 or not mean_rate > 0:
        raise InputError(
            f"{replicas} replicas at {price_per_hour:g} an hour for {mean_rate:g} requests a second: replicas and rate "
            "must be above 0, the price not below"
        )
    return replicas * price_per_hour / (mean_rate * _HOUR_S) * _MILLION


def peak_and_mean(hourly_rates: Mapping[int, float]) -> tuple[float, float]:
    """Peak and mean of a daily profile: requests a second in hours 0 to 23. Raises InputError: hours are wrong."""
    if set(hourly_rates) != set(range(24)) or min(hourly_rates.values()) < 0 or max(hourly_rates.values()) <= 0:
        raise InputError("a daily profile needs the hours 0 to 23, each with a rate of 0 or more, and one above 0")
    values = list(hourly_rates.values())
    return max(values), sum(values) / 24


def what_if(
    base: HighestRate,
    changes: Mapping[str, tuple[Demand, ServerLayout]],
    slo: Slo,
    runs: Runs | None = None,
) -> list[RateChange]:
    """The highest rate under each change, the worst first; a change that makes the SLO impossible has rate 0.

    Args:
        base: from `highest_rate` with the same `runs`: repeat by repeat the same draws are compared.
        changes: demand and layout by the change's name, as `demand_changes` makes them.

    Raises:
        InputError: `base` comes from another number of repeats, or a change asks for what its server does not have.
    """
    runs = runs or Runs()
    if len(base.rates) != runs.repeats:
        raise InputError(f"the base has {len(base.rates)} repeats, these runs {runs.repeats}: use the same")
    found = [_change(name, base, demand, layout, slo, runs) for name, (demand, layout) in changes.items()]
    return sorted(found, key=lambda change: change.relative)


def demand_changes(demand: Demand, layout: ServerLayout) -> dict[str, tuple[Demand, ServerLayout]]:
    """The usual questions: longer texts, one more candidate, a tenth more of each language."""
    changes = {"texts 10% longer": demand.longer(1.1)}
    if demand.depth and not demand.one_side:
        changes["one more candidate"] = demand.deeper(1)
    if len(demand.languages) > 1:
        changes |= {f"+10 points of {language}": demand.more_of(language, 0.1) for language in demand.languages}
    return {name: (changed, layout) for name, changed in changes.items()}


def _change(name: str, base: HighestRate, demand: Demand, layout: ServerLayout, slo: Slo, runs: Runs) -> RateChange:
    try:
        then = highest_rate(demand, layout, slo, runs)
    except ImpossibleSloError:
        return RateChange(name=name, rate=0.0, relative=-1.0, low=-1.0, high=-1.0, busiest="")
    ratios = np.array(then.rates) / np.array(base.rates) - 1
    relative, low, high = interval(ratios.tolist())
    return RateChange(name=name, rate=then.rate, relative=relative, low=low, high=high, busiest=then.busiest)


def _up(value: float) -> int:
    """Rounded up, but not for a rounding error's sake."""
    return max(math.ceil(value - 1e-9), 1)
