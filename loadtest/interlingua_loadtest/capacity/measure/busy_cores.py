"""How much slower everything gets when all cores are busy, fitted to a server with many callers.

    closed loops of several sizes, measured and simulated --bisection on the factor--> one factor a loop -> their mean

Calls in one process, two at a time, do not show it: a server's processes also push one another off their cores and out
of their caches. The factor is what makes the simulated throughput that of the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
from interlingua_loadtest.capacity.simulate.simulator import closed_loop_rate
from interlingua_loadtest.capacity.simulate.traffic_tokens import demand_of_run

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.capacity.simulate.workload import Workload
    from interlingua_loadtest.traffic.run_settings import RunSettings

_SECONDS = 10.0  # simulated
_REQUESTS = 1000
_MOST = 2.0
_PRECISION = 0.005


def fit_busy(
    profile: HardwareProfile,
    published: Published,
    loops: Mapping[str, Mapping[int, float]],
    settings: Mapping[str, RunSettings],
) -> float:
    """Times as long, 1 to 2, that work takes while all cores are busy.

    Args:
        loops: answers a second, by service and number of callers.
        settings: what each service was asked.

    Raises:
        InputError: the profile is not of that repository.
    """
    layout = ServerLayout.of(published, profile, with_clients=True)
    factors = []
    for service, rates in loops.items():
        demand = demand_of_run(settings[service], published)
        workload = demand.draw(np.arange(_REQUESTS, dtype=np.float64), 0)
        factors += [busy_factor(layout, workload, callers, rate) for callers, rate in rates.items()]
    return float(np.exp(np.mean(np.log(factors))))


def busy_factor(layout: ServerLayout, workload: Workload, callers: int, measured: float) -> float:
    """The factor, 1 to 2, with which so many callers get `measured` answers a second."""
    low, high = 1.0, _MOST
    while high - low > _PRECISION:
        middle = (low + high) / 2
        slower = replace(layout, slowdown=((1, 1.0), (layout.cores, middle)))
        if closed_loop_rate(workload, slower, callers, _SECONDS) > measured:
            low = middle
        else:
            high = middle
    return low
