"""Figures as text: milliseconds with three digits, and a dash for what is not there.

seconds -> "12.3"; Percentile -> a cell with its interval
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, DASH
from interlingua.display.grid import Cell

if TYPE_CHECKING:
    from interlingua_loadtest.report.percentile_interval import Percentile

_DIGITS = 3


def digits(value: float, number: int = _DIGITS) -> str:
    """So many of them: 0.123, 12.3, 1234; at most three decimals."""
    if not math.isfinite(value):
        return ABSENT
    whole = len(f"{abs(value):.0f}")
    return f"{value:.{min(max(number - whole, 0), 3)}f}"


def milliseconds(seconds: float) -> str:
    """A duration in milliseconds, such as 12.3."""
    return digits(1e3 * seconds)


def rate(value: float) -> str:
    """Requests a second."""
    return ABSENT if not math.isfinite(value) else f"{value:.2f}"


def percent(share: float | None) -> str:
    """A share as 99.12%."""
    return ABSENT if share is None or not math.isfinite(share) else f"{100 * share:.2f}%"


def percentile_cell(found: Percentile) -> Cell:
    """Milliseconds, and the interval in small."""
    if not math.isfinite(found.seconds):
        return Cell(ABSENT)
    ends = (milliseconds(end) if math.isfinite(end) else "?" for end in (found.low_s, found.high_s))
    return Cell(milliseconds(found.seconds), DASH.join(ends))
