"""A server on the published models for as long as something has to be asked.

Published --LiveServer--> Triton, started when first needed --> InferenceClient
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.errors import InputError
from interlingua.served.service import EMBED_DOCUMENT

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_client.embedder import Embedder
    from interlingua_client.triton.inference import InferenceClient

_START_TIMEOUT_S = 900.0  # an evaluation may run beside a training that has all the cores


class EmbeddingService(NamedTuple):
    """An embedder that is there when it is needed.

    Attributes:
        digest: of the vectors it makes; equal digests, equal vectors.
        connect: gives a client, for as long as it is wanted.
        language_vectors: as they are published with the model, which offsets are drawn to; "" without.
    """

    digest: str
    connect: Callable[[], AbstractContextManager[Embedder]]
    language_vectors: str = ""

    @classmethod
    def of(cls, models: Published, connect: Callable[[], AbstractContextManager[Embedder]]) -> EmbeddingService:
        """The newest published embedder's. Raises InputError: there is none."""
        newest = models.required("embedder")
        return cls(newest.spec.digest, connect, newest.specs[EMBED_DOCUMENT].language_vectors)


class LiveServer:
    """A context manager that connects to a server, or starts one, when somebody first asks for its client."""

    def __init__(self, models: Published, server: str | None = None) -> None:
        """`server` is host:port of one that runs already; None to start one when it is needed.

        Raises:
            InputError: no embedder is published.
        """
        self._models, self._digest, self._server = models, models.embedder.digest, server
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
        """The evaluated server's embedder."""

        @contextmanager
        def connect() -> Iterator[Embedder]:
            yield self.client()

        return EmbeddingService.of(self._models, connect)

    def _connect(self) -> InferenceClient:
        from interlingua_client.triton.inference import InferenceClient
        from interlingua_client.triton.server_address import ServerAddress

        address, wanted = self._address(), self._digest
        connection = InferenceClient.connect(ServerAddress.parse(address), digest=wanted)
        client = self._opened.enter_context(connection)
        if client.identity.digest != wanted:
            raise InputError(
                f"{address} embeds with {client.identity.model_id} ({client.identity.digest}), "
                f"{self._models.root} has {wanted}: name the server's own repository with --model-repository"
            )
        return client

    def _address(self) -> str:
        if self._server is not None:
            return self._server
        from interlingua_server.embedded import EmbeddedServer, ServerSettings
        from interlingua_server.ports import free_ports

        grpc, http, metrics = free_ports(3)
        settings = ServerSettings(
            model_repository=self._models.root,
            grpc_port=grpc,
            http_port=http,
            metrics_port=metrics,
            start_timeout_s=_START_TIMEOUT_S,
        )
        print(f"starting Triton on {self._models.root} ...", file=sys.stderr)
        self._opened.enter_context(EmbeddedServer(settings))
        return settings.grpc_address


def published_embedder(models: Published, server: str | None = None) -> EmbeddingService:
    """The newest published embedder, with a server for each connection.

    Args:
        server: host:port of one that runs already; None to start one when a vector is missing.

    Raises:
        InputError: no embedder is published.
    """

    @contextmanager
    def connect() -> Iterator[Embedder]:
        with LiveServer(models, server) as live:
            yield live.client()

    return EmbeddingService.of(models, connect)
