"""How a plan's figures are written.

requests a second, seconds, MiB, prices, shares --> text
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import Effect

ESTIMATED = "estimated, not measured"
_MIB_A_GIB = 1024.0


def rate(value: float) -> str:
    """Requests a second."""
    return f"{value:,.0f}/s" if value >= 100 else f"{value:.3g}/s"


def ms(seconds: float) -> str:
    """A latency in milliseconds."""
    return f"{1e3 * seconds:,.0f} ms" if math.isfinite(seconds) else "never"


def gib(mib: float) -> str:
    """An amount of memory."""
    return f"{mib / _MIB_A_GIB:.1f} GiB" if mib >= _MIB_A_GIB else f"{mib:.0f} MiB"


def money(value: float, currency: str) -> str:
    """A price: whole from 100 on, below 0.10 with two figures that count."""
    if abs(value) >= 100:
        return f"{value:,.0f} {currency}"
    return f"{value:.2f} {currency}" if abs(value) >= 0.1 or abs(value) < 1e-3 else f"{value:.2g} {currency}"


def percent(share: float) -> str:
    """A change, with its sign."""
    return f"{100 * share:+.1f}%"


def counted(instances: int, name: str) -> str:
    """3 x embedder"""
    return f"{instances} x {name}"


def replicas(count: int) -> str:
    """1 replica, 2 replicas"""
    return f"{count} replica{'' if count == 1 else 's'}"


def percent_money(effect: Effect, currency: str) -> str:
    """By how much a million requests cost more, replicas not rounded."""
    more = effect.per_million or 0.0
    return ("-" if more < 0 else "+") + money(abs(more), currency)
