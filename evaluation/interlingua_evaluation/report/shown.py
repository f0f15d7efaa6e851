"""Differences as text, and the parts of a report by name.

Estimate of a difference --> its sign, a mark where its interval excludes 0, the interval --> Cell
Report, name --> the figures of a system | its comparison with the baseline | its languages
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, Estimate, signed
from interlingua.display.grid import Cell
from interlingua_evaluation.significance.bootstrap import Interval
from interlingua_evaluation.systems.candidate_lists import MIXED

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Breakdown, Comparison, Figure, MeasureFigures, Report, SystemFigures

SORT_NAMES = {"same": "same language", "across": "across languages", "mixed": "mixed pool"}
MARK = "*"


def difference_cell(figure: Estimate | None) -> Cell:
    """A difference with its sign, marked and strong where its interval excludes 0."""
    if figure is None or not math.isfinite(figure.mean):
        return Cell(ABSENT)
    real = verdict(figure) in ("better", "worse")
    interval = f"{signed(figure.low)} to {signed(figure.high)}"
    return Cell(signed(figure.mean) + (MARK if real else ""), interval, strong=real)


def verdict(difference: Estimate | None) -> str:
    """What a difference's interval says, in one word."""
    if difference is None or not math.isfinite(difference.mean):
        return ABSENT
    interval = Interval(difference.mean, difference.low, difference.high)
    if interval.is_better:
        return "better"
    if interval.is_worse:
        return "worse"
    return "equal" if interval.low == interval.high == 0 else "undecided"


def by_sort(breakdown: Breakdown | None) -> Iterator[Figure | None]:
    """Same, across, mixed."""
    for name in SORT_NAMES:
        yield None if breakdown is None else getattr(breakdown, name)


def system_of(report: Report, name: str) -> SystemFigures:
    """The figures of one system."""
    return next(system for system in report.systems if system.name == name)


def comparison_of(report: Report, name: str) -> Comparison | None:
    """One system's comparison with the baseline; None for the baseline itself."""
    return next((comparison for comparison in report.comparisons if comparison.system == name), None)


def languages_of(report: Report, figures: MeasureFigures) -> tuple[list[str], list[str]]:
    """Query languages and pools of its pairs, in the dataset's order; the mixed pool comes last."""
    order = [counts.language for counts in report.dataset.languages]
    asked = sorted({pair.asked for pair in figures.pairs}, key=lambda tag: _place(order, tag))
    pools = sorted({pair.pool for pair in figures.pairs}, key=lambda tag: _place(order, tag))
    return asked, pools


def _place(order: list[str], tag: str) -> tuple[bool, int, str]:
    return tag == MIXED, order.index(tag) if tag in order else len(order), tag
