"""What a simulated server consists of: its networks, its services, its cores.

Published + HardwareProfile --> ServerLayout
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.families import ROLES, family_of
from interlingua.served.limits import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, OUTSTANDING_CALLS
from interlingua.served.service import outstanding_calls
from interlingua_loadtest.capacity.profile.measured_network import SERVICES

if TYPE_CHECKING:
    from interlingua.repository.published import Published, PublishedVersion
    from interlingua.repository.triton_model import TritonModel
    from interlingua.served.service import ServiceSpec
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel

_SERVICES = [name for role in ROLES for name in family_of(role).services]


@dataclass(frozen=True)
class TextCost:
    """Seconds of one core that a service spends on a batch before and after its network calls.

    Attributes:
        batch_s: for every batch: Triton's call into the service and back.
        text_s: for every text: reading it, wrapping its tokens, answering.
        token_s: for every token: tokenizing.
    """

    batch_s: float = 0.0
    text_s: float = 0.0
    token_s: float = 0.0


@dataclass(frozen=True)
class NetworkLayout:
    """A network as served.

    Attributes:
        instances: calls that run at a time; a further one waits (the networks have no dynamic batching).
        device: "cpu" for the server's cores, anything else for a device of that name.
    """

    time: ServiceTimeModel
    instances: int
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class ServiceLayout:
    """A text service as served, by its parameters.

    Attributes:
        network: the key of its network.
        instances: batches that are under way at a time.
        max_batch: texts of a batch.
        handover_s: seconds that a call is on its way to the network and back, keeping nothing busy.
        arrival_s: seconds of one core that a request costs before it can wait for a batch: Triton's, and its client's
            where that shares the cores.
        cut: (seconds of a call, of a padded token) that the service cuts batches by; None: as it would measure them.
    """

    network: str
    instances: int = 2
    max_batch: int = MAX_BATCH_TEXTS
    max_batch_tokens: int = MAX_BATCH_TOKENS
    max_tokens: int = 512
    outstanding_calls: int = OUTSTANDING_CALLS
    text: TextCost = TextCost()
    handover_s: float = 0.0
    arrival_s: float = 0.0
    cut: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class ServerLayout:
    """One replica.

    Attributes:
        services: by name (embed_query, embed_document, rerank).
        networks: by the name that services call them by.
        cores: of the CPU.
        slowdown: (busy threads, times as long) on these cores, measured; empty: cores do not hinder one another.
        transport_s: seconds of a request on its way to the server and back.
        between_s: seconds of a search between the query's vector and the reranking: candidates and their texts.
    """

    services: Mapping[str, ServiceLayout]
    networks: Mapping[str, NetworkLayout]
    cores: int
    slowdown: tuple[tuple[int, float], ...] = ()
    transport_s: float = 0.0
    between_s: float = 0.0

    def __post_init__(self) -> None:
        """Raises InputError: a service calls a network that is not there, or a number is none."""
        faults = [
            f"{name} calls {service.network}, which is not there"
            for name, service in self.services.items()
            if service.network not in self.networks
        ]
        numbers = [self.cores, *(network.instances for network in self.networks.values())]
        for service in self.services.values():
            numbers += [service.instances, service.max_batch, service.max_batch_tokens, service.outstanding_calls]
        if min(numbers) < 1:
            faults.append("instances, cores, batch sizes and outstanding calls must be at least 1")
        if faults:
            raise InputError(f"server layout: {'; '.join(faults)}")

    @classmethod
    def of(
        cls, published: Published, profile: HardwareProfile, cores: int | None = None, *, with_clients: bool = False
    ) -> ServerLayout:
        """The server that `interlingua serve` makes of the newest versions, on the profile's hardware.

        Args:
            cores: in place of the profile's.
            with_clients: the clients run on the same cores, as in a load test on one machine.

        Raises:
            InputError: the repository has no services, or the profile no measurement of one of its networks in its
                precision and thread count.
        """
        newest = published.newest_versions()
        if not newest:
            raise InputError(f"{published.root} holds none of {', '.join(_SERVICES)}: run `interlingua export` first")
        services = {
            name: _service(found.models[name], spec, profile, with_clients=with_clients)
            for found in newest
            for name, spec in found.specs.items()
        }
        networks = {found.network.name: _network(found, profile) for found in newest}
        return cls(
            services=services,
            networks=networks,
            cores=cores or profile.cores,
            slowdown=((1, 1.0), (profile.cores, profile.busy))
            if profile.busy
            else busy_threads([network.time for network in networks.values() if network.device == "cpu"]),
            transport_s=max(profile.costs(name).transport_s for name in services),
        )


def busy_threads(models: list[ServiceTimeModel]) -> tuple[tuple[int, float], ...]:
    """What the models measured with calls at once, by busy threads; where two measured the same, their mean."""
    factors: dict[int, list[float]] = {}
    for model in models:
        for calls, factor in model.slowdown:
            factors.setdefault(calls * model.threads, []).append(factor)
    return tuple((threads, sum(values) / len(values)) for threads, values in sorted(factors.items()))


def _service(service: TritonModel, spec: ServiceSpec, profile: HardwareProfile, *, with_clients: bool) -> ServiceLayout:
    costs = profile.costs(service.name)
    return ServiceLayout(
        network=spec.network,
        instances=service.instances,
        max_batch=service.max_batch,
        max_batch_tokens=spec.max_batch_tokens,
        max_tokens=spec.max_tokens,
        outstanding_calls=outstanding_calls(service.parameters),
        text=TextCost(costs.batch_s, costs.text_s, costs.token_s) if costs.token_s else profile.text,
        handover_s=costs.handover_s,
        arrival_s=costs.request_s + (costs.client_s if with_clients else 0.0),
        cut=(costs.cut_call_s, costs.cut_token_s) if costs.cut_token_s else None,
    )


def _network(found: PublishedVersion, profile: HardwareProfile) -> NetworkLayout:
    network = found.network
    model = profile.find(network.name, found.precision, network.threads)
    call_s = profile.costs(SERVICES[network.name]).call_s
    return NetworkLayout(replace(model, call_s=model.call_s + call_s), network.instances, network.kind)
