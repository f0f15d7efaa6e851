"""The server that is loaded: one that runs already, or one that is started for the runs.

--server host:port | --model-repository -> Target: address, metrics page, process, what it serves
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from interlingua.base.errors import InputError
from interlingua_client.triton.server_address import ServerAddress
from interlingua_loadtest.run.process_samples import listening_process
from interlingua_loadtest.run.triton_statistics import METRICS_PORT

if TYPE_CHECKING:
    from interlingua_client.triton.services import Services
    from interlingua_loadtest.traffic.run_settings import RunSettings

_SERVER_NICENESS = 5
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
# Several requests, on their way together: each instance gets one.
_WAKING_TEXT, _WAKING_TEXTS = "good morning", 64


@dataclass(frozen=True)
class Target:
    """Where requests go.

    Attributes:
        server: host:port.
        metrics_url: of Triton's metrics page; None where nobody knows.
        pid: of the server's first process; None where it is not on this machine.
        repository: what it serves, as far as that is known.
    """

    server: str
    metrics_url: str | None
    pid: int | None
    repository: Path | None
    address: ServerAddress = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", ServerAddress.parse(self.server))

    def follow(self) -> Callable[[], int | None]:
        """What tells the server's first process at each moment: another one where it was started again meanwhile."""
        known = self.pid

        def find() -> int | None:
            nonlocal known
            if known is not None and not psutil.pid_exists(known):
                known = listening_process(int(self.address.target.rpartition(":")[2])) or known
            return known

        return find


@contextmanager
def started(repository: Path) -> Iterator[Target]:
    """A server on free ports, for as long as it is needed, that gives way to the generator.

    Raises:
        ServerError: it does not start.
    """
    from interlingua_server.embedded import EmbeddedServer, ServerSettings
    from interlingua_server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics)
    with EmbeddedServer(settings) as server:
        _give_way(server.pid)
        yield Target(settings.grpc_address, f"http://127.0.0.1:{metrics}/metrics", server.pid, repository)


def _give_way(pid: int | None) -> None:
    """Put a server behind the generator, which otherwise sends late when both want the same cores."""
    with suppress(psutil.Error, OSError):
        top = psutil.Process(pid)
        for process in (top, *top.children(recursive=True)):
            for thread in process.threads():
                os.setpriority(os.PRIO_PROCESS, thread.id, _SERVER_NICENESS)


def running(server: str, metrics_url: str | None, repository: Path | None) -> Target:
    """One that somebody else started; raises InputError for what is no address."""
    host, _, port = ServerAddress.parse(server).target.rpartition(":")
    pid = listening_process(int(port)) if host in _LOOPBACK else None
    return Target(server, metrics_url or f"http://{host}:{METRICS_PORT}/metrics", pid, repository)


def require_fit(target: Target, settings: RunSettings) -> dict[str, Any]:
    """Refuse a run that could not be made, and wake up what the run asks; what the server serves, for the record.

    Raises:
        InputError: there is no reranker, or the index is not of the server's embedder.
        ServerError: the server is away, or does not answer.
    """
    from interlingua_client.triton.inference import InferenceClient

    kinds = set(settings.shares)
    with InferenceClient.connect(target.server, patience_s=0.0) as client:
        services = client.services
        _require_reranker(services, settings, kinds)
        if "search" in kinds:
            _require_index(settings.index, target.server)
        # An instance of a service measures its network with its first texts: that is no matter of the run.
        texts = [_WAKING_TEXT] * _WAKING_TEXTS
        if kinds & {"embed_query", "search"}:
            client.embed(texts, "query")
        if "embed_document" in kinds:
            client.embed(texts, "document")
        if services.rerank is not None and kinds & {"rerank", "search"}:
            client.rerank(_WAKING_TEXT, texts)
    published = [service for service in (services.embed_query, services.embed_document, services.rerank) if service]
    return {
        f"{service.name}/{service.version}": {
            "model_id": service.spec.model_id,
            "precision": service.spec.precision,
            "digest": service.spec.digest,
        }
        for service in published
    }


def _require_reranker(services: Services, settings: RunSettings, kinds: set[str]) -> None:
    reranks = "rerank" in kinds or ("search" in kinds and settings.depth.strip() != "0")
    if reranks and services.rerank is None:
        raise InputError("the server has no reranker: publish one with `interlingua export`, or search with --depth 0")


def _require_index(index: str, server: str) -> None:
    from interlingua_client.search.retriever import Retriever

    Retriever.open(index, server=server, patience_s=0.0, load_detector=False).close()
