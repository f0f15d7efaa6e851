"""Figures as text: three decimals, and a dash for what is not there or is no number.

Estimate --> "0.712" and its interval, from and to --> Cell
"""

from __future__ import annotations

import math
from typing import Protocol

from interlingua.display.grid import Cell

ABSENT = DASH = "\N{EN DASH}"


class Estimate(Protocol):
    """An average with its 95% interval."""

    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def number(value: float | None, decimals: int = 3) -> str:
    """A figure, such as 0.712."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def signed(value: float | None) -> str:
    """A difference, such as +0.031."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:+.3f}"


def share(value: float | None) -> str:
    """A share, such as 31.2%."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:.1%}"


def figure_cell(figure: Estimate | None) -> Cell:
    """A mean, and its interval in small."""
    if figure is None or not math.isfinite(figure.mean):
        return Cell(ABSENT)
    return Cell(number(figure.mean), f"{number(figure.low)}{DASH}{number(figure.high)}")
