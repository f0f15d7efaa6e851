"""The report on a terminal: every run's figures, and the details of the one that matters most.

LoadReport --> lines and tables
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from interlingua.display.terminal_table import terminal_table
from interlingua_loadtest.report import tables
from interlingua_loadtest.report.comparison_tables import comparison_grids, summary
from interlingua_loadtest.report.sentences import knee_sentence, run_remarks, search_sentence

if TYPE_CHECKING:
    from rich.console import RenderableType

    from interlingua.display.grid import Grid
    from interlingua_loadtest.report.model import LoadReport


def parts(report: LoadReport) -> Iterator[RenderableType]:
    """What is printed, piece by piece."""
    for warning in report.warnings:
        yield Text(f"warning: {warning}", style="yellow")
    yield terminal_table(tables.overview(report))
    yield terminal_table(tables.answers(report))
    yield from _remarks(report)
    yield Text(knee_sentence(report))
    for search in report.searches:
        yield Text(search_sentence(search))
    yield Text()
    for grid in _grids(report):
        if grid is not None:
            yield terminal_table(grid)
    if report.comparison is not None:
        yield Text(summary(report.comparison), style="bold")
        for grid in comparison_grids(report.comparison):
            yield terminal_table(grid)


def _grids(report: LoadReport) -> Iterator[Grid | None]:
    focus = report.focus
    yield tables.budget_table(report.used or report.runs)
    yield tables.groups(focus, "By language", focus.by_language)
    yield tables.groups(focus, "By tokens of the text", focus.by_length)
    yield tables.group_budgets(focus, "language")
    yield tables.group_budgets(focus, "tokens")
    yield tables.server(report.runs)
    yield tables.processes([focus])


def _remarks(report: LoadReport) -> Iterator[Text]:
    for run in report.runs:
        for remark in run_remarks(run):
            yield Text(f"{run.name}: {remark}", style="yellow")
