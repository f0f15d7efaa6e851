"""The settings as a table, the cheapest first.

Tradeoff --> Grid --> terminal, page
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, figure_cell, rate
from interlingua.display.grid import Cell, Grid, row
from interlingua_evaluation.measures.gains import DEFAULT, FORMULAS
from interlingua_evaluation.report.changes.thresholds import WORST
from interlingua_loadtest.tradeoff.records import SCOPES

if TYPE_CHECKING:
    from interlingua_loadtest.tradeoff.records import PlacedSetting, SettingCost, Tradeoff

_FAILURES = 2


def settings_grid(found: Tradeoff) -> Grid:
    """One line a setting."""
    priced = any(one.cost and one.cost.price is not None for one in found.rows)
    unit = "price" if priced else "core s"
    header = ("", "setting", "front", "holds", *_scope_names(), "searches/s", "p99 ms", f"{unit}\nper million")
    title = f"nDCG@10 ({FORMULAS[DEFAULT]}) on {found.dataset} against cost on {found.hardware}, within {found.slo}"
    numbers = {one.setting.name: str(number) for number, one in enumerate(found.rows, start=1)}
    rows = tuple(_row(one, numbers, cheapest=one is found.cheapest) for one in found.rows)
    return Grid(title, header, rows, notes=found.notes, names=4)


def _scope_names() -> tuple[str, ...]:
    return tuple("worst pair" if scope == WORST else scope for scope in SCOPES)


def _row(one: PlacedSetting, numbers: Mapping[str, str], *, cheapest: bool) -> tuple[Cell, ...]:
    name = Cell(one.setting.name, strong=cheapest)
    quality = [_quality(one, scope) for scope in SCOPES]
    return row(numbers[one.setting.name], name, _front(one, numbers), _holds(one), *quality, *_cost(one.cost))


def _quality(one: PlacedSetting, scope: str) -> Cell:
    cell = figure_cell(one.setting.quality(scope))
    pair = one.setting.worst if scope == WORST else None
    return cell if pair is None else cell._replace(small=str(pair), title=cell.small)


def _front(one: PlacedSetting, numbers: Mapping[str, str]) -> Cell:
    if one.cost is None:
        return Cell(ABSENT)
    if one.on_front:
        return Cell("yes", strong=True)
    apart = "" if one.told_apart else "not told apart"
    return Cell(f"no: {numbers[one.dominated_by]}", apart, title=f"{one.dominated_by} is no dearer and no worse")


def _holds(one: PlacedSetting) -> Cell:
    if one.cost is None:
        return Cell("not the SLO", one.impossible.rpartition(": ")[2])
    if not one.failures:
        return Cell("yes")
    more = len(one.failures) - _FAILURES
    return Cell(", ".join(one.failures[:_FAILURES]), f"and {more} more" if more > 0 else "")


def _cost(cost: SettingCost | None) -> list[Cell]:
    if cost is None:
        return [Cell(ABSENT)] * 3
    interval = f"{rate(cost.low)} to {rate(cost.high)}"
    each = f"{cost.cpu_s:,.0f}" if cost.price is None else f"{cost.price:.2f}"
    return [Cell(rate(cost.rate), interval), Cell(f"{1e3 * cost.p99_s:.0f}"), Cell(each)]
