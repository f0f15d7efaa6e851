"""How long a simulated run has to be.

A run that ends before the objective's limit is over cannot miss it, whatever the rate; one that lasts `_LIMITS` times
the limit takes a rate that is too high by 1 / `_LIMITS` for one that holds, and no more.

Demand, ServerLayout --all at once--> throughput --x limit--> Runs
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.capacity.simulate.simulator import simulate

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.capacity.simulate.highest_rate import Runs
    from interlingua_loadtest.record.slo import Slo

MOST_TEXTS = 60_000
"""Of a run, pairs included: beyond it a plan would take too long."""
_LIMITS = 20
_AT_ONCE = 500  # requests
_PERIODS = 5  # of bursts in a run


def runs_for(traffic: PlannedTraffic, demand: Demand, layout: ServerLayout, slo: Slo, runs: Runs) -> Runs:
    """With the traffic's arrivals, and as many requests as the objective and this server need.

    Bursts need a run of several periods besides, however many requests that is.
    """
    least = min(round(_LIMITS * slo.limit_s * throughput(demand, layout)), MOST_TEXTS // (1 + demand.depth))
    long_enough = replace(runs, requests=max(runs.requests, least), arrivals=traffic.process)
    if traffic.arrivals == "poisson":
        return long_enough
    return replace(long_enough, seconds=max(_PERIODS * traffic.burst.period_s, _LIMITS * slo.limit_s))


def throughput(demand: Demand, layout: ServerLayout) -> float:
    """Requests a second of many that come at once and have all the time they want: no rate above it is held."""
    workload = replace(demand, deadline_s=None).draw(np.zeros(_AT_ONCE), seed=0)
    return _AT_ONCE / max(float(simulate(workload, layout).finished.max()), 1e-9)
