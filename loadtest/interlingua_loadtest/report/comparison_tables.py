"""A comparison as tables, a rung each.

LoadComparison --> Grid ..., and a sentence on what is decided
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, digits
from interlingua.display.grid import Cell, Grid, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_loadtest.report.model import LoadComparison, Rung
    from interlingua_loadtest.report.statistics.figure_differences import Difference


def comparison_grids(comparison: LoadComparison) -> Iterator[Grid]:
    """One for each load."""
    for rung in comparison.rungs:
        header = ("figure", "before", "now", "difference", "ratio", "verdict")
        title = f"At {rung.load}: {', '.join(rung.after)} against {', '.join(rung.before)} of {comparison.against}"
        yield Grid(title, header, tuple(_row(entry) for entry in rung.differences), notes=_notes(rung))


def summary(comparison: LoadComparison) -> str:
    """How much is decided, and how much chance alone would decide."""
    alone = f" Only on one side: {', '.join(comparison.unmatched)}." if comparison.unmatched else ""
    return (
        f"{comparison.decided} of {comparison.figures} figures differ by more than chance makes one differ; where "
        f"nothing differs, about {0.05 * comparison.figures:.1f} of them would all the same.{alone}"
    )


def _notes(rung: Rung) -> tuple[str, ...]:
    how = f"95% intervals from {rung.blocks} blocks of {rung.block_s:.2f} s (block bootstrap)."
    return (how, *(f"Warning: {warning}." for warning in rung.warnings))


def _row(entry: Difference) -> tuple[Cell, ...]:
    name, factor = _unit(entry.figure)
    values = [digits(factor * value) for value in (entry.before, entry.after)]
    sign = "+" if entry.difference > 0 else ""
    difference = Cell(sign + digits(factor * entry.difference), _interval(factor * entry.low, factor * entry.high))
    ratio = Cell(digits(entry.ratio), _interval(entry.ratio_low, entry.ratio_high))
    return row(name, *values, difference, ratio, Cell(entry.verdict, strong=entry.is_decided))


def _unit(figure: str) -> tuple[str, float]:
    if figure in ("answered", "goodput"):
        return f"{figure}, %", 100.0
    return (f"{figure}, 1/s", 1.0) if figure == "achieved rate" else (f"{figure}, ms", 1e3)


def _interval(low: float, high: float) -> str:
    return ABSENT if math.isnan(low) or math.isnan(high) else f"{digits(low)} to {digits(high)}"
