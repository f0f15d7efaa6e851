"""What the plan hangs on: one thing changed at a time, the highest rate found again.

Demand, ServerLayout --questions--> changed ones --planner.what_if--> RateChange --replicas, money--> Effect
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua_loadtest.capacity.plan.instances import instances_of, used_networks, used_services, with_instances
from interlingua_loadtest.capacity.plan.planner import demand_changes, replicas_for
from interlingua_loadtest.capacity.plan.records import Effect

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.planner import RateChange
    from interlingua_loadtest.capacity.plan.records import PlanCost
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.record.slo import Slo

LANGUAGE = "+10 points of "
INSTANCE = "another instance of "
CORE = "another core"
NO_DEADLINE = "no deadline"
DEADLINE = "a deadline at the objective"
CANDIDATE = "one more candidate"

Changed = dict[str, "tuple[Demand, ServerLayout]"]


def questions(demand: Demand, layout: ServerLayout, slo: Slo) -> Changed:
    """The usual ones (planner.demand_changes), another instance of each station in use, another core, the deadline."""
    asked = demand_changes(demand, layout)
    for station in (*used_networks(demand, layout), *used_services(demand, layout)):
        more = with_instances(layout, station, instances_of(layout)[station] + 1)
        asked[INSTANCE + station] = (demand, more)
    asked[CORE] = (demand, replace(layout, cores=layout.cores + 1))
    if demand.deadline_s is None:
        asked[DEADLINE] = (replace(demand, deadline_s=slo.limit_s), layout)
    else:
        asked[NO_DEADLINE] = (replace(demand, deadline_s=None), layout)
    return asked


def effect(
    change: RateChange, peak_rate: float, per_replica: float, cost: PlanCost | None, *, headroom: float, spare: int
) -> Effect:
    """What a change of a replica's highest rate means for the number of them, and for the price of a request."""
    rate = per_replica * (1 + change.relative)
    if rate <= 0:
        return Effect(change, 0, None)
    replicas = replicas_for(peak_rate, rate, headroom=headroom, spare=spare).count
    money = cost.per_million_exact * (1 / (1 + change.relative) - 1) if cost else None
    return Effect(change, replicas, money)


def costliest_language(effects: tuple[Effect, ...]) -> Effect | None:
    """The language whose growth lowers the rate most; None where there is one language, or none does."""
    languages = [one for one in effects if one.change.name.startswith(LANGUAGE) and one.change.relative < 0]
    return min(languages, key=lambda one: one.change.relative, default=None)


def find(effects: tuple[Effect, ...], name: str) -> Effect | None:
    """By the change's name."""
    return next((one for one in effects if one.change.name == name), None)
