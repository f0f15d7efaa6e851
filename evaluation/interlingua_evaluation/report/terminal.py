"""The report on a terminal: the tables that decide, in reading order; the page has the others.

Report --> Grid ... --> a console, 100 columns wide
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.display.grid import Line, Style
from interlingua_evaluation.report import evidence_tables, quality_tables
from interlingua_evaluation.report.facts_tables import summary
from interlingua_evaluation.report.heat_maps import heat_map

if TYPE_CHECKING:
    from interlingua.display.grid import Grid
    from interlingua.display.terminal import Part
    from interlingua_evaluation.report.model import Report

_POOLS_AT_ONCE = 13  # columns of the heat map that 100 characters hold


def parts(report: Report) -> Iterator[Part]:
    """What is printed, piece by piece."""
    yield Line(summary(report), "strong")
    yield quality_tables.headline(report)
    yield quality_tables.systems(report)
    for grid in _split(heat_map(report, report.system(report.best))):
        yield replace(grid, is_narrow=True)
    yield from _comparisons(report)
    for found in (quality_tables.kinds(report), evidence_tables.bias(report)):
        if found is not None:
            yield found
    yield evidence_tables.counts(report)
    yield from _findings(report)
    yield from _advice(report)


def _split(grid: Grid) -> Iterator[Grid]:
    """The table in pieces of so many pools; its notes are below the last."""
    for first in range(1, len(grid.header), _POOLS_AT_ONCE):
        last = first + _POOLS_AT_ONCE
        yield replace(
            grid,
            header=(grid.header[0], *grid.header[first:last]),
            rows=tuple((cells[0], *cells[first:last]) for cells in grid.rows),
            notes=grid.notes if last >= len(grid.header) else (),
        )


def _comparisons(report: Report) -> Iterator[Part]:
    differences = evidence_tables.differences(report)
    if differences is None:
        return
    yield differences
    for comparison in report.comparisons:
        for warning in comparison.warnings:
            yield Line(f"warning: {comparison.system}: {warning}", "warning")
        if comparison.system == report.best:
            yield evidence_tables.detectable(comparison)


def _findings(report: Report) -> Iterator[Line]:
    if not report.dataset.findings:
        yield Line("The dataset's checker found nothing.")
    for found in report.dataset.findings:
        examples = f" (as {', '.join(found.examples)})" if found.examples else ""
        style: Style = "" if found.severity == "note" else "warning"
        yield Line(f"{found.severity}: {found.kind}, {found.count} times: {found.message}{examples}", style=style)


def _advice(report: Report) -> Iterator[Line]:
    if report.advice:
        yield Line("What to do", "strong")
    for advice in report.advice:
        yield Line(f"- {advice}")
