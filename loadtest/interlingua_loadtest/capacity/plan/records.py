"""What a plan says, as records: the terminal, the page and JSON show the same ones.

make_plan.py --> Plan --> sentences.py, tables.py, page.py, JSON
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from interlingua.base.plain import plain, saved
from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
from interlingua_loadtest.capacity.plan.planner import RateChange, Replicas
from interlingua_loadtest.capacity.plan.replica_memory import Memory
from interlingua_loadtest.capacity.simulate.highest_rate import HighestRate
from interlingua_loadtest.record.slo import Slo

FORMAT = 1


@dataclass(frozen=True)
class RatePoint:
    """One simulated run of a replica: requests a second, seconds."""

    rate: float
    p50_s: float
    p99_s: float


@dataclass(frozen=True)
class PlanCost:
    """In the plan's currency.

    Attributes:
        per_hour: of one replica, as given.
        per_month: of all replicas.
        per_million: requests, at the day's mean rate, all replicas running all day.
        per_million_exact: with replicas not rounded up and none to spare: what changes are compared by.
    """

    per_hour: float
    per_month: float
    per_million: float
    per_million_exact: float


@saved
@dataclass(frozen=True)
class Effect:
    """A change (planner.py), and what it means for the plan.

    Attributes:
        replicas: that the peak would need then; 0 where no number of them would do.
        per_million: by how much a million requests, unrounded, would cost more; None without a price, or where no
            number of replicas would do.
    """

    change: RateChange
    replicas: int
    per_million: float | None


@dataclass(frozen=True)
class Outlook:
    """How long the plan lasts as the traffic grows; months from now, None: not within the horizon.

    Attributes:
        headroom_gone: when the replicas' headroom is less than was asked for.
        spare_gone: when the others no longer hold the peak with the spare ones away.
        objective_missed: when all of them together miss the objective.
        peak_rate, replicas: at the horizon.
    """

    DERIVED: ClassVar = ("breaks",)

    headroom_gone: int | None
    spare_gone: int | None
    objective_missed: int | None
    peak_rate: float
    replicas: int

    @property
    def breaks(self) -> int | None:
        """The first month in which what was asked for no longer holds."""
        months = [month for month in (self.headroom_gone, self.spare_gone) if month is not None]
        return min(months, default=None)


@dataclass(frozen=True, kw_only=True)
class IndexSize:
    """An index of so many documents; build and query on one core.

    Attributes:
        outside: what of it lies beyond the measurements; "" for nothing.
    """

    documents: int
    dimension: int
    memory_mib: float
    build_s: float
    query_s: float
    outside: str


@saved
@dataclass(frozen=True, kw_only=True)
class HardwarePlan:
    """The plan on one kind of machine.

    Attributes:
        origin: of its service times: measured or estimated.
        instances: by service and network, as the search chose; `exported` as the repository has them.
        tried: layouts that were simulated for that.
        per_replica: what one is counted with: the lower end of `highest`'s interval, or its lowest repeat if that is
            more.
        at_peak, after_loss: of a replica at the peak, with all replicas and with the spare ones away.
        curve: a replica's latency by its rate.
        effects: the worst first.
        ann_s: of a search's time, the candidates', on the searching client.
    """

    name: str
    origin: str
    described: str
    assumptions: tuple[str, ...]
    instances: Mapping[str, int]
    exported: Mapping[str, int]
    tried: int
    highest: HighestRate
    per_replica: float
    replicas: Replicas
    at_peak: RatePoint
    after_loss: RatePoint
    curve: tuple[RatePoint, ...]
    memory: Memory
    cost: PlanCost | None
    effects: tuple[Effect, ...]
    outlook: Outlook
    ann_s: float


@saved
@dataclass(frozen=True, kw_only=True)
class Plan:
    """For all machines.

    Attributes:
        tokens: mean tokens of a text by what it is and its language.
        impossible: why the objective cannot be held, by the machine's name.
        index_now, index_later: today's and the horizon's; None where no corpus was given.
    """

    traffic: PlannedTraffic
    slo: Slo
    headroom: float
    spare: int
    currency: str
    tokens: Mapping[str, Mapping[str, float]]
    hardware: tuple[HardwarePlan, ...]
    impossible: Mapping[str, str]
    index_now: IndexSize | None
    index_later: IndexSize | None

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not finite, as the latency of requests that were never answered, is null."""
        return {"format": FORMAT, **plain(self)}
