"""The plan on one kind of machine.

Hardware, Demand, PlanGoal --instances, highest rate--> replicas, latency, memory, cost, effects, outlook
    --> HardwarePlan
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from interlingua_loadtest.capacity.plan.hardware import assumptions_of
from interlingua_loadtest.capacity.plan.instances import best_instances, instances_of
from interlingua_loadtest.capacity.plan.outlook import outlook
from interlingua_loadtest.capacity.plan.planner import HEADROOM, cost_per_million, replicas_for, what_if
from interlingua_loadtest.capacity.plan.records import HardwarePlan, IndexSize, PlanCost, RatePoint
from interlingua_loadtest.capacity.plan.replica_memory import memory_of
from interlingua_loadtest.capacity.plan.run_length import runs_for
from interlingua_loadtest.capacity.plan.sensitivity import effect, questions
from interlingua_loadtest.capacity.simulate.highest_rate import Runs, highest_rate
from interlingua_loadtest.traffic.request_kinds import SEARCH

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.plan.hardware import Hardware
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
    from interlingua_loadtest.capacity.plan.planner import Replicas
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.record.slo import Slo

HOURS_A_MONTH = 8766 / 12
_CURVE = (0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0, 1.1)  # of the highest rate
_SEARCH_PRECISION = 0.03

Step = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class PlanGoal:
    """What the plan has to hold.

    Attributes:
        headroom, spare: as planner.replicas_for.
        prices: of a replica for an hour, by the machine's name.
        runs: the effort of a simulation.
    """

    slo: Slo
    headroom: float = HEADROOM
    spare: int = 1
    prices: Mapping[str, float] = field(default_factory=dict)
    currency: str = "EUR"
    runs: Runs = field(default_factory=lambda: Runs(requests=2000, repeats=3, precision=0.02))


def cost_of(price: float | None, replicas: Replicas, per_replica: float, traffic: PlannedTraffic) -> PlanCost | None:
    """None without a price."""
    if price is None:
        return None
    exact = traffic.peak_rate / per_replica
    return PlanCost(
        per_hour=price,
        per_month=replicas.count * price * HOURS_A_MONTH,
        per_million=cost_per_million(replicas.count, price, traffic.mean_rate),
        per_million_exact=exact * cost_per_million(1, price, traffic.mean_rate),
    )


def point(rate: float, demand: Demand, layout: ServerLayout, runs: Runs) -> RatePoint:
    """Latency of one replica at a rate, in one run."""
    timeline = runs.try_rate(rate, demand, layout, 0)
    return RatePoint(rate, timeline.percentile(50, runs.warm_up), timeline.percentile(99, runs.warm_up))


def plan_on(
    machine: Hardware,
    traffic: PlannedTraffic,
    demand: Demand,
    published: Published,
    wanted: PlanGoal,
    index: tuple[IndexSize | None, IndexSize | None],
    on_step: Step,
) -> HardwarePlan:
    """Plans a traffic on one kind of machine.

    Args:
        index: now and at the horizon; None where no corpus was given.
        on_step: called with a line before each step.

    Raises:
        ImpossibleSloError: it holds the objective at no rate.
        InputError: the demand asks for what the server does not have, or the card is too small.
    """
    slo = wanted.slo
    searches = SEARCH in traffic.kinds
    ann_now, ann_later = (size.query_s if size and searches else 0.0 for size in index)
    on_step(f"{machine.name}: numbers of instances")
    exported = replace(machine.layout, between_s=machine.layout.between_s + ann_now)
    short = replace(
        runs_for(traffic, demand, exported, slo, wanted.runs),
        repeats=1,
        precision=max(_SEARCH_PRECISION, wanted.runs.precision),
    )
    chosen = best_instances(demand, exported, slo, short)
    layout = chosen.layout
    runs = runs_for(traffic, demand, layout, slo, wanted.runs)
    on_step(f"{machine.name}: the highest rate")
    highest = highest_rate(demand, layout, slo, runs)
    per_replica = max(highest.low, min(highest.rates))  # of few repeats the interval may reach far below all of them
    replicas = replicas_for(traffic.peak_rate, per_replica, headroom=wanted.headroom, spare=wanted.spare)
    cost = cost_of(wanted.prices.get(machine.name), replicas, per_replica, traffic)
    on_step(f"{machine.name}: what the plan hangs on")
    changes = what_if(highest, questions(demand, layout, slo), slo, runs)
    later_rate = per_replica
    if ann_later > ann_now:
        later = replace(layout, between_s=layout.between_s + ann_later - ann_now)
        later_rate *= what_if(highest, {"later": (demand, later)}, slo, runs)[0].relative + 1
    return HardwarePlan(
        name=machine.name,
        origin=machine.profile.origin,
        described=machine.described,
        assumptions=assumptions_of(machine),
        instances=instances_of(layout),
        exported=instances_of(machine.layout),
        tried=chosen.tried,
        highest=highest,
        per_replica=per_replica,
        replicas=replicas,
        at_peak=point(traffic.peak_rate / replicas.count, demand, layout, runs),
        after_loss=point(traffic.peak_rate / (replicas.count - wanted.spare), demand, layout, runs),
        curve=tuple(point(share * highest.rate, demand, layout, runs) for share in _CURVE),
        memory=memory_of(machine, layout, published),
        cost=cost,
        effects=tuple(
            effect(change, traffic.peak_rate, per_replica, cost, headroom=wanted.headroom, spare=wanted.spare)
            for change in changes
        ),
        outlook=outlook(traffic, replicas.count, per_replica, later_rate, headroom=wanted.headroom, spare=wanted.spare),
        ann_s=ann_now,
    )
