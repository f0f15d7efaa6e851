"""The published models: which they are, and a server on them for as long as something has to be asked.

model repository --read--> PublishedModels --LiveServer--> Triton, started when first needed --> InferenceClient
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua.served.service import ServiceSpec
    from interlingua_client.embedder import Embedder
    from interlingua_client.inference import InferenceClient

_START_TIMEOUT_S = 900.0  # an evaluation may run beside a training that has all the cores


class EmbeddingService(NamedTuple):
    """An embedder that is there when it is needed.

    Attributes:
        digest: of the vectors it makes; equal digests, equal vectors.
        connect: gives a client, for as long as it is wanted.
    """

    digest: str
    connect: Callable[[], AbstractContextManager[Embedder]]


class PublishedModels(NamedTuple):
    """The newest published versions, which are what a server on this repository answers with."""

    repository: Path
    embedder: ServiceSpec
    reranker: ServiceSpec | None


def published_models(model_repository: Path) -> PublishedModels:
    """Read from the repository.

    Raises:
        InputError: no embedder is published.
    """
    from interlingua.repository.model_repository import ModelRepository
    from interlingua.repository.published import published

    newest = {
        found.role: found for found in sorted(published(ModelRepository(model_repository)), key=lambda f: f.version)
    }
    if "embedder" not in newest:
        raise InputError(f"{model_repository} has no published embedder: run `interlingua export` first")
    reranker = newest.get("reranker")
    return PublishedModels(model_repository, newest["embedder"].spec, reranker.spec if reranker else None)


class LiveServer:
    """A context manager that connects to a server, or starts one, when somebody first asks for its client."""

    def __init__(self, models: PublishedModels, server: str | None = None) -> None:
        """`server` is host:port of one that runs already; None to start one when it is needed."""
        self._models, self._server = models, server
        self._opened = ExitStack()
        self._client: InferenceClient | None = None

    def __enter__(self) -> LiveServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._client = None
        self._opened.close()

    def client(self) -> InferenceClient:
        """Connected to the models that were published.

        Raises:
            InputError: the server has others.
            ServerError: it is away, or does not start.
        """
        if self._client is None:
            self._client = self._connect()
        return self._client

    def embedding(self) -> EmbeddingService:
        """Its embedder."""

        @contextmanager
        def connect() -> Iterator[Embedder]:
            yield self.client()

        return EmbeddingService(self._models.embedder.digest, connect)

    def _connect(self) -> InferenceClient:
        from interlingua_client.inference import InferenceClient
        from interlingua_client.server_address import ServerAddress

        address, wanted = self._address(), self._models.embedder.digest
        connection = InferenceClient.connect(ServerAddress.parse(address), digest=wanted)
        client = self._opened.enter_context(connection)
        if client.identity.digest != wanted:
            raise InputError(
                f"{address} embeds with {client.identity.model_id} ({client.identity.digest}), "
                f"{self._models.repository} has {wanted}: name the server's own repository with --model-repository"
            )
        return client

    def _address(self) -> str:
        if self._server is not None:
            return self._server
        from interlingua_server.embedded import EmbeddedServer, ServerSettings
        from interlingua_server.ports import free_ports

        grpc, http, metrics = free_ports(3)
        settings = ServerSettings(
            model_repository=self._models.repository,
            grpc_port=grpc,
            http_port=http,
            metrics_port=metrics,
            start_timeout_s=_START_TIMEOUT_S,
        )
        print(f"starting Triton on {self._models.repository} ...", file=sys.stderr)
        self._opened.enter_context(EmbeddedServer(settings))
        return settings.grpc_address


def published_embedder(model_repository: Path, server: str | None = None) -> EmbeddingService:
    """The newest published embedder, with a server for each connection.

    Args:
        server: host:port of one that runs already; None to start one when a vector is missing.

    Raises:
        InputError: no embedder is published.
    """
    models = published_models(model_repository)

    @contextmanager
    def connect() -> Iterator[Embedder]:
        with LiveServer(models, server) as live:
            yield live.client()

    return EmbeddingService(models.embedder.digest, connect)
