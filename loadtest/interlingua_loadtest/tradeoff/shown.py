"""Figures of a trade-off as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_loadtest.tradeoff.records import SettingCost


def cost_text(cost: SettingCost) -> str:
    """The price where there is one, else core hours."""
    return f"{cost.price:.2f}" if cost.price is not None else f"{cost.cpu_s:,.0f} core seconds"


def rate_text(value: float) -> str:
    """Three digits that count."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
