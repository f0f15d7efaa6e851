"""What the blocking and the asyncio client share: the channel, its stub, and what was found at its end.

    HOST:PORT --Conversation, grpc or grpc.aio--> Connection: channel, stub, services

The requests go through the stubs that tritonclient generates from Triton's own protocol: its
`InferenceServerClient` hides the channel's state and an error's status, and both are needed to tell that a server
was restarted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

import grpc  # type: ignore[import-untyped]
from tritonclient.grpc import service_pb2_grpc

from interlingua.base.errors import ServerError
from interlingua.base.http_port import http_port_advice
from interlingua_client.triton.conversation import Conversation
from interlingua_client.triton.server_address import ServerAddress
from interlingua_client.triton.server_failures import RpcFailedError, ServerAwayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua.served.language_vectors import LanguageVectors
    from interlingua_client.deadline import Deadline
    from interlingua_client.embedder import EmbedderIdentity, Role
    from interlingua_client.token_encoder import EncoderIdentity
    from interlingua_client.triton.conversation_steps import Answer, Call, Steps
    from interlingua_client.triton.services import PinnedService, Services

_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A restarted server is found again within a second, rather than after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
_LOST = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.TRANSIENT_FAILURE)


class Wanted(TypedDict, total=False):
    """What is wanted of a server.

    Attributes:
        patience_s: how long a call waits for a server that went away after connecting; else 30 seconds.
        digest: the embedder wanted: its version is taken if the server has it, else the promoted one, else the highest.
        version: of the embedder, this one and no other.
        rerank_version: of the reranker, this one and no other; without it the promoted one, else the highest.
    """

    patience_s: float
    digest: str | None
    version: int | None
    rerank_version: int | None


class Connection:
    """A connection that one of the clients talks over."""

    _library: ClassVar[Any]
    """`grpc` or `grpc.aio`."""

    def __init__(self, server: str | ServerAddress, wanted: Wanted) -> None:
        """Is called by `connect` alone; nothing is sent yet."""
        address = server if isinstance(server, ServerAddress) else ServerAddress.parse(server)
        self._talk = Conversation(address, **wanted)
        self._channel = _channel(self._library, address)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    @property
    def services(self) -> Services:
        """What the server offers."""
        return self._talk.services

    @property
    def identity(self) -> EmbedderIdentity:
        """The server's embedder."""
        return self._talk.services.identity

    @property
    def language_vectors(self) -> LanguageVectors | None:
        """Where the server's embedder puts each language. Raises ServerError: what it says of that is damaged."""
        return self._talk.services.language_vectors

    @property
    def max_tokens(self) -> int:
        """How many tokens of a document the server's embedder reads, its prompt and special tokens included."""
        return self._talk.services.embed_document.spec.max_tokens

    def _encoding(self, role: Role) -> PinnedService:
        """The service that encodes a side. Raises ServerError: there is none."""
        service = self.services.encode(role)
        if service is None:
            raise ServerError(f"{self._talk.address.target} has no late-interaction reranker")
        return service

    @property
    def encoder(self) -> EncoderIdentity | None:
        """The server's reranker, where its sides can be encoded apart."""
        return self._talk.services.encoder

    def _infer(self, call: Call, deadline: Deadline | None) -> Steps[Answer]:
        """The steps of one call; a connection that was lost meanwhile puts the embedder in doubt."""
        if self._state() in _LOST:
            self._talk.doubt()
        return self._talk.infer(call, deadline)

    def _state(self) -> grpc.ChannelConnectivity:
        """The channel's state now."""
        raise NotImplementedError

    @contextmanager
    def _naming_http_ports(self) -> Iterator[None]:
        """Says of a server that is away that its port is one for HTTP, where it is."""
        try:
            yield
        except ServerAwayError as error:
            address = self._talk.address
            if advice := "" if address.tls else http_port_advice(address.target):
                raise ServerAwayError(advice) from error
            raise


def failed(error: Any) -> RpcFailedError:
    """gRPC's error as the conversation takes it."""
    if isinstance(error, RpcFailedError):
        return error
    return RpcFailedError(error.code().name, error.details() or "")


def _channel(library: Any, address: ServerAddress) -> Any:
    """A channel of `grpc` or `grpc.aio`."""
    if not address.tls:
        return library.insecure_channel(address.target, options=_CHANNEL_OPTIONS)
    try:
        roots = address.root_certificates.read_bytes() if address.root_certificates else None
    except OSError as error:
        raise ServerError(f"cannot read the certificates {address.root_certificates}: {error.strerror}") from error
    return library.secure_channel(address.target, grpc.ssl_channel_credentials(roots), options=_CHANNEL_OPTIONS)
