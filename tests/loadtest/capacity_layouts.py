"""Small servers whose times can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout, ServerLayout, ServiceLayout, TextCost
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel

TENTH = ServiceTimeModel(network="embedder", precision="fp32", threads=1, call_s=1.0, token_s=0.1)
"""A call costs a second, a padded token a tenth: the overhead is worth 10 tokens."""


def one_service(
    time: ServiceTimeModel = TENTH,
    *,
    instances: int = 1,
    network_instances: int = 1,
    cores: int = 100,
    max_batch: int = 4,
    max_batch_tokens: int = 32,
    max_tokens: int = 512,
    text: TextCost = TextCost(),  # noqa: B008
    handover_s: float = 0.0,
) -> ServerLayout:
    """`embed_query` alone, with as many outstanding calls as its network has instances."""
    service = ServiceLayout(
        network="embedder",
        instances=instances,
        max_batch=max_batch,
        max_batch_tokens=max_batch_tokens,
        max_tokens=max_tokens,
        outstanding_calls=network_instances,
        text=text,
        handover_s=handover_s,
    )
    return ServerLayout(
        services={"embed_query": service}, networks={"embedder": NetworkLayout(time, network_instances)}, cores=cores
    )


def queue(servers: int) -> ServerLayout:
    """A plain queue: no batches, no tokenizing, one token is 10 microseconds of service."""
    time = ServiceTimeModel(network="embedder", precision="fp32", threads=1, call_s=0.0, token_s=1e-5)
    huge = 10**9
    return one_service(
        time, instances=servers, network_instances=servers, max_batch=1, max_batch_tokens=huge, max_tokens=huge
    )


def whole_server(*, outstanding_calls: int = 2) -> ServerLayout:
    """All three services and both networks on two cores, with times like a small encoder's."""
    embedder = ServiceTimeModel(network="embedder", precision="fp32", threads=1, call_s=0.001, token_s=1e-4)
    reranker = replace(embedder, network="reranker")
    text = TextCost(batch_s=4e-4, text_s=1e-5, token_s=2e-6)
    services = {
        name: ServiceLayout(network=network, outstanding_calls=outstanding_calls, text=text)
        for name, network in (("embed_query", "embedder"), ("embed_document", "embedder"), ("rerank", "reranker"))
    }
    networks = {"embedder": NetworkLayout(embedder, 2), "reranker": NetworkLayout(reranker, 2)}
    return ServerLayout(services=services, networks=networks, cores=2, transport_s=0.001, between_s=0.002)
