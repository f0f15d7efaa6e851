"""Figures as text: three decimals, and a dash for what is not there or is no number.

Estimate --> "0.712" and its interval, from and to --> Cell
"""

from __future__ import annotations

import math
from typing import Protocol

from interlingua.display.grid import Cell

ABSENT = DASH = "\N{EN DASH}"
_MIB_A_GIB = 1024.0


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


def share(value: float | None, decimals: int = 1) -> str:
    """A share, such as 31.2%."""
    return ABSENT if value is None or not math.isfinite(value) else f"{value:.{decimals}%}"


def signed_share(value: float) -> str:
    """A change with its sign, such as +3.1%."""
    return f"{value:+.1%}"


def digits(value: float, number: int = 3) -> str:
    """So many of them: 0.123, 12.3, 1234; at most three decimals."""
    if not math.isfinite(value):
        return ABSENT
    whole = len(f"{abs(value):.0f}")
    return f"{value:.{min(max(number - whole, 0), 3)}f}"


def milliseconds(seconds: float) -> str:
    """Milliseconds of so many seconds, such as 12.3."""
    return digits(1e3 * seconds)


def rate(value: float) -> str:
    """Requests a second: 1,234; three digits below 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def gib(mib: float) -> str:
    """1.5 GiB; MiB below one."""
    return f"{mib / _MIB_A_GIB:.1f} GiB" if mib >= _MIB_A_GIB else f"{mib:.0f} MiB"


def money(value: float, currency: str) -> str:
    """A price: whole from 100 on, below 0.10 with two figures that count."""
    if abs(value) >= 100:
        return f"{value:,.0f} {currency}"
    return f"{value:.2f} {currency}" if abs(value) >= 0.1 or abs(value) < 1e-3 else f"{value:.2g} {currency}"


def figure_cell(figure: Estimate | None) -> Cell:
    """A mean, and its interval in small."""
    if figure is None or not math.isfinite(figure.mean):
        return Cell(ABSENT)
    return Cell(number(figure.mean), f"{number(figure.low)}{DASH}{number(figure.high)}")
