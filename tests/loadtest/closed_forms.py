"""Waiting times of queues that have a formula; the simulator is checked against them.

    arrival rate, service time, servers --> mean wait, sojourn percentile            all in seconds

Arrivals are Poisson, one queue, first come first served. Sources: L. Kleinrock, Queueing Systems, volume 1 (1975),
sections 3.2 (M/M/1), 3.5 (M/M/m, Erlang's C formula) and 5.7 (M/G/1, of which M/D/1 is the case without variance).
"""

from __future__ import annotations

import math

from interlingua.base.errors import InputError


def mm1_mean_wait(rate: float, service_s: float) -> float:
    """Mean seconds in the queue, exponential service: rho s / (1 - rho). Raises InputError: it is overloaded."""
    load = _load(rate, service_s, 1)
    return load * service_s / (1 - load)


def mm1_sojourn_percentile(rate: float, service_s: float, percentile: float) -> float:
    """Seconds from arrival to departure that `percentile` of 100 stay below: -ln(1 - p/100) s / (1 - rho).

    The sojourn time is exponential with mean s / (1 - rho).

    Raises:
        InputError: it is overloaded, or the percentile is not from 0 up to, but without, 100.
    """
    if not 0 <= percentile < 100:
        raise InputError(f"percentile is {percentile:g}: give one from 0 up to, but without, 100")
    return -math.log1p(-percentile / 100) * service_s / (1 - _load(rate, service_s, 1))


def md1_mean_wait(rate: float, service_s: float) -> float:
    """Mean seconds in the queue, constant service: half of M/M/1's (Pollaczek-Khinchine). Raises as `mm1_mean_wait`."""
    return mm1_mean_wait(rate, service_s) / 2


def erlang_c(rate: float, service_s: float, servers: int) -> float:
    """Share of the arrivals that have to wait in M/M/c.

    By the recursion of Erlang's B formula, B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)) with a = rate x s, which does
    not overflow; then C = B / (1 - rho (1 - B)).

    Raises:
        InputError: it is overloaded.
    """
    load = _load(rate, service_s, servers)
    offered = rate * service_s
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked / (1 - load * (1 - blocked))


def mmc_mean_wait(rate: float, service_s: float, servers: int) -> float:
    """Mean seconds in the queue of M/M/c: C s / (c (1 - rho)). Raises InputError: it is overloaded."""
    waiting = erlang_c(rate, service_s, servers)
    return waiting * service_s / (servers * (1 - _load(rate, service_s, servers)))


def _load(rate: float, service_s: float, servers: int) -> float:
    """The share of time that a server is busy."""
    if rate <= 0 or service_s <= 0 or servers < 1:
        raise InputError(f"{rate:g} requests a second, {service_s:g} s each, {servers} servers: all must be above 0")
    load = rate * service_s / servers
    if load >= 1:
        raise InputError(
            f"{rate:g} requests a second of {service_s:g} s each keep {servers} servers {100 * load:.0f}% busy: "
            "the queue grows without end; lower the rate or add servers"
        )
    return load
