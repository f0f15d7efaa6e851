"""How long a number of replicas lasts.

yearly growth, replicas, one's rate --> Outlook: the months in which headroom, spare, objective go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from interlingua_loadtest.capacity.plan.planner import replicas_for
from interlingua_loadtest.capacity.plan.records import Outlook

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic

_HAIR = 1e-9


def outlook(
    traffic: PlannedTraffic, count: int, per_replica: float, later_rate: float, *, headroom: float, spare: int
) -> Outlook:
    """Month by month, up to the horizon.

    Args:
        per_replica: requests a second of one, now.
        later_rate: the same at the horizon, where the index has grown; 0 where it no longer holds the objective. In
            between it is taken to fall evenly.
    """
    growth = traffic.growth

    def first(holds: Callable[[float, float], bool]) -> int | None:
        for month in range(1, growth.months + 1):
            peak = traffic.peak_rate * growth.traffic_factor(month)
            rate = per_replica + (later_rate - per_replica) * month / growth.months
            if not holds(peak * (1 - _HAIR), rate):
                return month
        return None

    peak = traffic.peak_rate * growth.traffic_factor(growth.months)
    return Outlook(
        headroom_gone=first(lambda peak, rate: peak <= count * rate * (1 - headroom)),
        spare_gone=first(lambda peak, rate: peak <= (count - spare) * rate),
        objective_missed=first(lambda peak, rate: peak <= count * rate),
        peak_rate=peak,
        replicas=replicas_for(peak, later_rate, headroom=headroom, spare=spare).count if later_rate > 0 else 0,
    )
