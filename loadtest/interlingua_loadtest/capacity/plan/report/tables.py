"""The tables of a plan, for the terminal and the page.

Plan --> Grid: machines beside each other; what the plan hangs on
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.display.figures import gib, money, signed_share
from interlingua.display.grid import Cell, Grid, row
from interlingua_loadtest.capacity.plan.report.phrases import ESTIMATED, ms, percent_money, rate

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import HardwarePlan, Plan

_MACHINES = ("", "replicas", "rate of one", "load", "p50", "p99", "p99 after loss", "memory of one", "breaks in month")
_EFFECTS = ("", "rate of one", "95% interval", "replicas", "limit")


def machines(plan: Plan) -> Grid:
    """One row a machine."""
    priced = any(one.cost for one in plan.hardware)
    return Grid(
        f"What {rate(plan.traffic.peak_rate)} within {plan.slo} needs",
        _MACHINES + (("a month", "a million") if priced else ()),
        tuple(_machine(plan, one, priced=priced) for one in plan.hardware),
        notes=tuple(f"{one.name}: {ESTIMATED}." for one in plan.hardware if one.origin != "measured"),
    )


def _machine(plan: Plan, one: HardwarePlan, *, priced: bool) -> tuple[Cell, ...]:
    prices: tuple[str, ...] = ("", "") if priced else ()
    if one.cost:
        prices = (money(one.cost.per_month, plan.currency), money(one.cost.per_million, plan.currency))
    return row(
        Cell(one.name, one.origin),
        Cell(str(one.replicas.count), strong=True),
        Cell(rate(one.highest.rate), f"{rate(one.highest.low)} to {rate(one.highest.high)}"),
        f"{one.replicas.load:.0%}",
        ms(one.at_peak.p50_s),
        ms(one.at_peak.p99_s),
        ms(one.after_loss.p99_s),
        Cell(gib(one.memory.total_mib), "measured" if one.memory.is_measured else "estimated"),
        str(one.outlook.breaks or "none"),
        *prices,
    )


def effects(plan: Plan, one: HardwarePlan) -> Grid:
    """What the plan hangs on, the worst first."""
    return Grid(
        f"{one.name}: what the plan hangs on",
        _EFFECTS + (("a million",) if one.cost else ()),
        tuple(
            row(
                effect.change.name,
                Cell(signed_share(effect.change.relative), strong=effect.change.is_decided),
                f"{signed_share(effect.change.low)} to {signed_share(effect.change.high)}",
                str(effect.replicas) if effect.replicas else "impossible",
                effect.change.busiest,
                *([percent_money(effect, plan.currency) if effect.per_million is not None else ""] if one.cost else []),
            )
            for effect in one.effects
        ),
        notes=("An interval without 0 says that the change matters.",)
        + ((f"Of a model whose service times are {ESTIMATED}.",) if one.origin != "measured" else ()),
    )
