"""How many instances of each service and network a replica should have: a small search.

ServerLayout --one station after the other, a few numbers each, one short simulated bisection--> the best ServerLayout

Networks come first, each number of them alone and with as many instances of the services that call them; then services.
A number is taken when it raises the highest rate by more than `GAIN`. So at most 6 layouts for a network and 3 for a
service: it may miss a better combination, and it does not take long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from interlingua.served.service import EMBED_QUERY, RERANK
from interlingua_loadtest.capacity.simulate.highest_rate import ImpossibleSloError, highest_rate
from interlingua_loadtest.traffic.request_kinds import SEARCH

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.capacity.simulate.highest_rate import Runs
    from interlingua_loadtest.record.slo import Slo

GAIN = 0.05
SERVICE_INSTANCES = (1, 2, 4)
DEVICE_INSTANCES = (1, 2)
_CPU = "cpu"


@dataclass(frozen=True)
class Chosen:
    """What the search found.

    Attributes:
        tried: layouts.
    """

    layout: ServerLayout
    tried: int


def instances_of(layout: ServerLayout) -> dict[str, int]:
    """By network and service."""
    networks = {name: network.instances for name, network in layout.networks.items()}
    return networks | {name: service.instances for name, service in layout.services.items()}


def with_instances(layout: ServerLayout, station: str, instances: int) -> ServerLayout:
    """So many of a network or a service; services keep as many calls under way as their network can take."""
    from interlingua.repository.triton_config import Placement

    if station in layout.services:
        service = replace(layout.services[station], instances=instances)
        return replace(layout, services={**layout.services, station: service})
    network = replace(layout.networks[station], instances=instances)
    kind = "cpu" if network.device == _CPU else "gpu"
    calls = Placement(kind, instances, network.time.threads).outstanding_calls  # type: ignore[arg-type]
    services = {
        name: replace(service, outstanding_calls=calls) if service.network == station else service
        for name, service in layout.services.items()
    }
    return replace(layout, networks={**layout.networks, station: network}, services=services)


def used_services(demand: Demand, layout: ServerLayout) -> list[str]:
    """The services that the demand asks for."""
    asked = {kind for kind, share in demand.kinds.items() if share > 0}
    if SEARCH in asked:
        asked |= {EMBED_QUERY} | ({RERANK} if demand.depth else set())
    return [name for name in layout.services if name in asked]


def used_networks(demand: Demand, layout: ServerLayout) -> list[str]:
    """The networks that the demand's services call."""
    called = {layout.services[name].network for name in used_services(demand, layout)}
    return [name for name in layout.networks if name in called]


def best_instances(demand: Demand, layout: ServerLayout, slo: Slo, runs: Runs) -> Chosen:
    """Searches for the best number.

    Raises:
        ImpossibleSloError: no layout that was tried holds the SLO at any rate.
        InputError: the demand asks for what the server does not have.
    """
    best, refused = 0.0, None
    try:
        best = highest_rate(demand, layout, slo, runs).rate
    except ImpossibleSloError as error:
        refused = error
    tried = 1
    for station in (*used_networks(demand, layout), *used_services(demand, layout)):
        chosen = layout
        for other in layouts(demand, layout, station):
            tried += 1
            rate = _rate(demand, other, slo, runs)
            if rate > best * (1 + GAIN):
                best, chosen = rate, other
        layout = chosen
    if refused is not None and best == 0:
        raise refused
    return Chosen(layout, tried)


def layouts(demand: Demand, layout: ServerLayout, station: str) -> list[ServerLayout]:
    """To try: other numbers of a station's instances, and of a network also with as many of its services'."""
    found = []
    for instances in numbers(layout, station):
        other = with_instances(layout, station, instances)
        found.append(other)
        for name in used_services(demand, layout):
            service = other.services[name]
            if service.network == station and service.instances < instances:
                other = with_instances(other, name, instances)
        if other is not found[-1]:
            found.append(other)
    return found


def numbers(layout: ServerLayout, station: str) -> list[int]:
    """Numbers of instances to try, ascending, without the one there is: on CPUs one, half and all of the threads."""
    if station in layout.services:
        tried = set(SERVICE_INSTANCES)
    elif layout.networks[station].device != _CPU:
        tried = set(DEVICE_INSTANCES)
    else:
        full = max(layout.cores // layout.networks[station].time.threads, 1)
        tried = {1, max(full // 2, 1), full}
    return sorted(tried - {instances_of(layout)[station]})


def _rate(demand: Demand, layout: ServerLayout, slo: Slo, runs: Runs) -> float:
    try:
        return highest_rate(demand, layout, slo, runs).rate
    except ImpossibleSloError:
        return 0.0
