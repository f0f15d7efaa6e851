"""From traffic and machines to a plan.

PlannedTraffic, Demand, Hardware ..., PlanGoal --machine by machine--> HardwarePlan ... --> Plan
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.plan.index_size import index_size
from interlingua_loadtest.capacity.plan.machine_plan import PlanGoal, Step, plan_on
from interlingua_loadtest.capacity.plan.planner import replicas_for
from interlingua_loadtest.capacity.plan.records import Plan
from interlingua_loadtest.capacity.simulate.highest_rate import ImpossibleSloError

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.plan.hardware import Hardware
    from interlingua_loadtest.capacity.plan.index_size import IndexCosts
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
    from interlingua_loadtest.capacity.simulate.demand import Demand


def make_plan(
    traffic: PlannedTraffic,
    demand: Demand,
    machines: Sequence[Hardware],
    published: Published,
    wanted: PlanGoal,
    *,
    index_cost: IndexCosts | None = None,
    on_step: Step,
) -> Plan:
    """Plan for every machine.

    Args:
        demand: the traffic's, with token counts.
        index_cost: for a traffic that names its corpus.
        on_step: called with a line before each step.

    Raises:
        ImpossibleSloError: no machine holds the objective at any rate; the message says why for each.
        InputError: a price is for no machine, or the demand asks for what the server does not have.
    """
    _check(machines, wanted)
    growth = traffic.growth
    now = index_size(traffic, published, index_cost, 0)
    later = index_size(traffic, published, index_cost, growth.months)
    plans, impossible = [], {}
    for machine in machines:
        try:
            plans.append(plan_on(machine, traffic, demand, published, wanted, (now, later), on_step))
        except ImpossibleSloError as error:
            impossible[machine.name] = str(error)
    if not plans:
        raise ImpossibleSloError("; ".join(f"{name}: {reason}" for name, reason in impossible.items()))
    return Plan(
        traffic=traffic,
        slo=wanted.slo,
        headroom=wanted.headroom,
        spare=wanted.spare,
        currency=wanted.currency,
        tokens=mean_tokens(demand),
        hardware=tuple(plans),
        impossible=impossible,
        index_now=now,
        index_later=later,
    )


def _check(machines: Sequence[Hardware], wanted: PlanGoal) -> None:
    names = [machine.name for machine in machines]
    if unknown := [name for name in wanted.prices if name not in names]:
        raise InputError(f"there is a price for {', '.join(unknown)}, but the machines are {', '.join(names)}")
    # Anything above 0 will do for the rates: it is the others that are checked before long work begins.
    replicas_for(1.0, 1.0, headroom=wanted.headroom, spare=wanted.spare)


def mean_tokens(demand: Demand) -> dict[str, dict[str, float]]:
    """The mean tokens of a text, by what it is and its language."""
    samples = {"query": demand.query_tokens, "document": demand.document_tokens, "pair": demand.pair_tokens}
    if demand.one_side:
        samples["question for the reranker"] = samples.pop("pair")
    return {
        name: {tag: float(np.mean(np.asarray(counts))) for tag, counts in by_language.items()}
        for name, by_language in samples.items()
        if by_language
    }
