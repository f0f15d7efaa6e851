"""The report on a terminal: the tables that decide, in reading order; the page has the others.

Report --> Grid ... --> a console, 100 columns wide
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from interlingua.display.terminal_table import terminal_table
from interlingua_evaluation.report import evidence_tables, quality_tables
from interlingua_evaluation.report.facts_tables import summary
from interlingua_evaluation.report.heat_maps import heat_map
from interlingua_evaluation.report.shown import system_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from interlingua.display.grid import Grid
    from interlingua_evaluation.report.model import Report

_POOLS_AT_ONCE = 13  # columns of the heat map that 100 characters hold


def show(report: Report, console: Console) -> None:
    """Print the report."""
    for part in parts(report):
        console.print(part, markup=False, highlight=False)


def parts(report: Report) -> Iterator[RenderableType]:
    """What is printed, piece by piece."""
    yield Text(summary(report), style="bold")
    yield terminal_table(quality_tables.headline(report))
    yield terminal_table(quality_tables.systems(report))
    for grid in _split(heat_map(report, system_of(report, report.best))):
        yield terminal_table(grid, narrow=True)
    yield from _comparisons(report)
    for found in (quality_tables.kinds(report), evidence_tables.bias(report)):
        if found is not None:
            yield terminal_table(found)
    yield terminal_table(evidence_tables.counts(report))
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


def _comparisons(report: Report) -> Iterator[RenderableType]:
    differences = evidence_tables.differences(report)
    if differences is None:
        return
    yield terminal_table(differences)
    for comparison in report.comparisons:
        for warning in comparison.warnings:
            yield Text(f"warning: {comparison.system}: {warning}", style="yellow")
        if comparison.system == report.best:
            yield terminal_table(evidence_tables.detectable(comparison))


def _findings(report: Report) -> Iterator[Text]:
    if not report.dataset.findings:
        yield Text("The dataset's checker found nothing.")
    for found in report.dataset.findings:
        examples = f" (as {', '.join(found.examples)})" if found.examples else ""
        style = "" if found.severity == "note" else "yellow"
        yield Text(f"{found.severity}: {found.kind}, {found.count} times: {found.message}{examples}", style=style)


def _advice(report: Report) -> Iterator[Text]:
    if report.advice:
        yield Text("What to do", style="bold")
    for advice in report.advice:
        yield Text(f"- {advice}")
