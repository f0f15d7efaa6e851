"""A comparison of two reports for a terminal.

ReportComparison --> averages | kinds of query | pairs that changed --> Grid ... --> lines
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, number, signed
from interlingua.display.grid import Cell, Grid, Line, Style, row
from interlingua_evaluation.report.changes.comparison import ReportComparison, changed
from interlingua_evaluation.report.differences import SORT_NAMES

if TYPE_CHECKING:
    from interlingua.display.terminal import Part
    from interlingua_evaluation.report.changes.list_changes import Change, Verdict

_HEADER = ("before", "after", "difference", "95% interval", "verdict", "groups", "would show it")
_STYLES: dict[Verdict, Style] = {"better": "good", "worse": "bad"}
_PAIRS_SHOWN = 12


def show(comparison: ReportComparison) -> Iterator[Part]:
    """Everything, in reading order; the verdict comes last."""
    yield Line(f"before: {comparison.before}, {comparison.system_before}")
    yield Line(f"after:  {comparison.after}, {comparison.system_after}")
    tolerance = f", tolerance {comparison.tolerance:g}" if comparison.tolerance else ""
    yield Line(f"{comparison.measure}, {comparison.shared} lists in both, {comparison.groups} groups{tolerance}")
    for warning in comparison.warnings:
        yield Line(f"warning: {warning}", "warning")
    yield averages(comparison)
    if comparison.kinds:
        yield kinds(comparison)
    yield pairs(comparison)
    yield from _outcome(comparison)


def averages(comparison: ReportComparison) -> Grid:
    """Same, across, mixed."""
    rows = tuple(row(SORT_NAMES[sort], *_cells(change)) for sort, change in comparison.averages.items())
    return Grid("Averages over language pairs", ("pairs", *_HEADER), rows)


def kinds(comparison: ReportComparison) -> Grid:
    """The same by kind of query."""
    rows = tuple(
        row(kind, sort, *_cells(change))
        for kind, by_sort in comparison.kinds.items()
        for sort, change in by_sort.items()
    )
    return Grid("By kind of query", ("kind", "pairs", *_HEADER), rows, names=2)


def pairs(comparison: ReportComparison) -> Grid:
    """The pairs that are better or worse, and the largest of the others."""
    order = sorted(comparison.pairs.items(), key=lambda item: (_is_open(item[1]), -abs(item[1].difference)))
    decided = sum(not _is_open(change) for change in comparison.pairs.values())
    shown = order[: max(decided, _PAIRS_SHOWN)]
    left = len(order) - len(shown)
    notes = (
        "Verdicts are corrected for the number of pairs: one whose interval excludes 0 can still be undecided.",
        *([f"{left} more pairs, undecided or equal, differ by less; --json has them all."] if left else ()),
    )
    rows = tuple(row(str(pair), *_cells(change)) for pair, change in shown)
    return Grid(f"Language pairs: {_counted(comparison.pairs.values())}", ("pairs", *_HEADER), rows, notes=notes)


def _cells(change: Change) -> Iterable[Cell | str]:
    yield from map(number, (change.before, change.after))
    yield signed(change.difference)
    yield f"{signed(change.low)} to {signed(change.high)}"
    yield Cell(change.verdict, strong=change.verdict in _STYLES)
    yield str(change.groups)
    yield str(change.groups_needed or ABSENT) if change.verdict == "undecided" else ""


def _outcome(comparison: ReportComparison) -> Iterator[Line]:
    for verdict, style in _STYLES.items():
        names = changed(comparison, verdict)
        yield Line(f"{verdict}: {', '.join(names) or 'none'}", style=style if names else "")
    yield Line("a real regression" if comparison.regression else "no real regression", "strong")


def _is_open(change: Change) -> bool:
    return change.verdict not in _STYLES


def _counted(changes: Iterable[Change]) -> str:
    verdicts = [change.verdict for change in changes]
    return ", ".join(f"{verdicts.count(name)} {name}" for name in ("better", "worse", "undecided", "equal"))
