"""The report on a terminal: every run's figures, and the details of the one that matters most.

LoadReport --> lines and tables
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.grid import Line
from interlingua_loadtest.report import tables
from interlingua_loadtest.report.comparison_tables import comparison_grids, summary
from interlingua_loadtest.report.sentences import knee_sentence, run_remarks, search_sentence

if TYPE_CHECKING:
    from interlingua.display.grid import Grid
    from interlingua.display.terminal import Part
    from interlingua_loadtest.report.model import LoadReport


def parts(report: LoadReport) -> Iterator[Part]:
    """What is printed, piece by piece."""
    for warning in report.warnings:
        yield Line(f"warning: {warning}", "warning")
    yield tables.overview(report)
    yield tables.answers(report)
    if searched := tables.reranking(report.runs):
        yield searched
    yield from _remarks(report)
    yield Line(knee_sentence(report))
    for search in report.searches:
        yield Line(search_sentence(search))
    yield Line()
    for grid in _grids(report):
        if grid is not None:
            yield grid
    if report.comparison is not None:
        yield Line(summary(report.comparison), "strong")
        for grid in comparison_grids(report.comparison):
            yield grid


def _grids(report: LoadReport) -> Iterator[Grid | None]:
    focus = report.focus
    yield tables.budget_table(report.used or report.runs)
    yield tables.groups(focus, "By language", focus.by_language)
    yield tables.groups(focus, "By tokens of the text", focus.by_length)
    yield tables.group_budgets(focus, "language")
    yield tables.group_budgets(focus, "tokens")
    yield tables.server(report.runs)
    yield tables.processes([focus])


def _remarks(report: LoadReport) -> Iterator[Line]:
    for run in report.runs:
        for remark in run_remarks(run):
            yield Line(f"{run.name}: {remark}", "warning")
