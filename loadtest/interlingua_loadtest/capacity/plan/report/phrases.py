"""How a plan speaks of its figures.

requests a second, seconds, numbers of things, a change's price --> text
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from interlingua.display import figures

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import Effect

ESTIMATED = "estimated, not measured"


def rate(value: float) -> str:
    """Requests a second."""
    return f"{figures.rate(value)}/s"


def ms(seconds: float) -> str:
    """A latency in milliseconds."""
    return f"{1e3 * seconds:,.0f} ms" if math.isfinite(seconds) else "never"


def counted(instances: int, name: str) -> str:
    """3 x embedder"""
    return f"{instances} x {name}"


def replicas(count: int) -> str:
    """1 replica, 2 replicas"""
    return f"{count} replica{'' if count == 1 else 's'}"


def percent_money(effect: Effect, currency: str) -> str:
    """By how much a million requests cost more, replicas not rounded."""
    more = effect.per_million or 0.0
    return ("-" if more < 0 else "+") + figures.money(abs(more), currency)
