"""Differences as text, and averages in the order in which they are shown.

Estimate of a difference --> its sign, a mark where its interval excludes 0, the interval --> Cell
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, Estimate, signed
from interlingua.display.grid import Cell
from interlingua_evaluation.significance.bootstrap import Interval

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Breakdown, Figure

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
