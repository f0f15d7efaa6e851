"""The published embedder: which one it is, and a server on it for as long as something has to be embedded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua.errors import InputError

if TYPE_CHECKING:
    from client.embedder import Embedder
    from client.inference import InferenceClient

_START_TIMEOUT_S = 900.0  # an evaluation may run beside a training that has all the cores


class EmbeddingService(NamedTuple):
    """An embedder that is there when it is needed.

    Attributes:
        digest: of the vectors it makes; equal digests, equal vectors.
        connect: gives a client, for as long as it is wanted.
    """

    digest: str
    connect: Callable[[], AbstractContextManager[Embedder]]


def published_embedder(model_repository: Path, server: str | None = None) -> EmbeddingService:
    """The newest published embedder, which is what a server on this repository answers with.

    Args:
        server: host:port of one that runs already; None to start one when a vector is missing.

    Raises:
        InputError: no embedder is published.
    """
    from exporter.repository import ModelRepository
    from exporter.verify import published

    embedders = [found for found in published(ModelRepository(model_repository)) if found.role == "embedder"]
    if not embedders:
        raise InputError(f"{model_repository} has no published embedder: run `interlingua export` first")
    digest = max(embedders, key=lambda found: found.version).spec.digest
    return EmbeddingService(digest, partial(_client, model_repository, server, digest))


@contextmanager
def _client(model_repository: Path, server: str | None, digest: str) -> Iterator[InferenceClient]:
    from client.inference import InferenceClient
    from client.server_address import ServerAddress

    with (
        _address(model_repository, server) as address,
        InferenceClient.connect(ServerAddress.parse(address), digest=digest) as client,
    ):
        if client.identity.digest != digest:
            raise InputError(
                f"{address} embeds with {client.identity.model_id} ({client.identity.digest}), {model_repository} "
                f"has {digest}: name the server's own repository with --model-repository"
            )
        yield client


@contextmanager
def _address(model_repository: Path, server: str | None) -> Iterator[str]:
    if server is not None:
        yield server
        return
    from server.embedded import EmbeddedServer, ServerSettings
    from server.ports import free_ports

    grpc, http, metrics = free_ports(3)
    settings = ServerSettings(
        model_repository, grpc_port=grpc, http_port=http, metrics_port=metrics, start_timeout_s=_START_TIMEOUT_S
    )
    print(f"starting Triton on {model_repository} ...", file=sys.stderr)
    with EmbeddedServer(settings):
        yield settings.grpc_address
