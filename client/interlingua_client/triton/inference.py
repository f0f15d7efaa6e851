"""Carries a conversation with Triton out over gRPC; the client's only file that imports tritonclient.

    texts -> requests of a few texts -> many in flight -> answers, in order -> vectors

The requests go through the stubs that tritonclient generates from Triton's own protocol: its
`InferenceServerClient` hides the channel's state and an error's status, and both are needed to tell that a server
was restarted.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import grpc  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2, service_pb2_grpc

from interlingua.base.errors import ServerError
from interlingua.served.graph_names import DEADLINE, SENT, STAGES, TOKENS
from interlingua.served.limits import REQUESTS_IN_FLIGHT
from interlingua_client.embedder import Embedded, EmbedderIdentity, Reranked, Role, ServiceTimes
from interlingua_client.triton.conversation import Conversation
from interlingua_client.triton.conversation_steps import Answer, AskReady, Call, Infer, Pause, ReadConfig, Step, Steps
from interlingua_client.triton.server_address import ServerAddress
from interlingua_client.triton.server_failures import RpcFailedError
from interlingua_client.triton.services import ModelConfig, PinnedService, Services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from interlingua_client.deadline import Deadline

_T = TypeVar("_T")

_STAGE_PARAMETERS = ("queue_us", "tokenize_us", "compute_us")
_DTYPES = {"FP32": "<f4", "INT32": "<i4", "INT64": "<i8"}
_CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A restarted server is found again within a second, rather than after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
_LOST = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.TRANSIENT_FAILURE)


class _Flight(NamedTuple):
    """A request on its way, and the steps that wait for its answer."""

    steps: Steps[Answer]
    future: Any


class InferenceClient:
    """Blocking client of one server; a context manager, safe to use from several threads.

    Under gevent (Locust), call `grpc.experimental.gevent.init_gevent()` before connecting.
    """

    def __init__(self, conversation: Conversation) -> None:
        """Is called by `connect` alone."""
        self._talk = conversation
        self._channel = _channel(grpc, conversation.address)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._channel.subscribe(self._on_connectivity)

    @classmethod
    def connect(
        cls,
        server: str | ServerAddress,
        *,
        patience_s: float = 30.0,
        digest: str | None = None,
        version: int | None = None,
        rerank_version: int | None = None,
    ) -> InferenceClient:
        """Find the services of a server and pin their versions.

        Args:
            server: as `ServerAddress.parse` reads it.
            patience_s: how long a call waits for a server that went away after connecting.
            digest: the embedder wanted: its version is taken if the server has it, else the promoted one, else the
                highest.
            version: of the embedder, this one and no other.
            rerank_version: of the reranker, this one and no other; without it the promoted one, else the highest.

        Raises:
            ServerError: the server is away, or does not serve what is needed.
        """
        talk = Conversation(_address(server), patience_s, digest, version=version, rerank_version=rerank_version)
        client = cls(talk)
        try:
            client._run(client._talk.connect())
        except BaseException:
            client.close()
            raise
        return client

    def __enter__(self) -> InferenceClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.unsubscribe(self._on_connectivity)
        self._channel.close()

    @property
    def services(self) -> Services:
        """What the server offers."""
        return self._talk.services

    @property
    def identity(self) -> EmbedderIdentity:
        """The server's embedder."""
        return self._talk.services.identity

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:
        """Vectors of any number of texts.

        Raises:
            DeadlineExceededError: the answer is not there in time.
            RequestRejectedError: the server does not take a text.
            ServerAwayError: it could not be reached within the client's patience.
        """
        started = time.monotonic()
        return _embedded(self._asked(self._talk.embed_calls(texts, role), deadline), self.services.embed(role), started)

    def embed_batches(self, batches: Iterable[Sequence[str]], role: Role) -> Iterator[Embedded]:
        """One answer a batch, in order, while the requests of the next batches are on their way."""
        sizes: deque[int] = deque()

        def calls() -> Iterator[Call]:
            for batch in batches:
                made = self._talk.embed_calls(batch, role)
                sizes.append(len(made))
                yield from made

        started, parts = time.monotonic(), []
        for answer in self._answers(calls(), None):
            parts.append(answer)
            if len(parts) == sizes[0]:
                sizes.popleft()
                yield _embedded(parts, self.services.embed(role), started)
                started, parts = time.monotonic(), []

    def rerank(self, query: str, documents: Sequence[str], deadline: Deadline | None = None) -> Reranked:
        """Scores of documents against a query; raises as `embed` does, and ServerError without a reranker."""
        started = time.monotonic()
        return _reranked(self._asked(self._talk.rerank_calls(query, documents), deadline), started)

    def _asked(self, calls: Sequence[Call], deadline: Deadline | None) -> list[Answer]:
        """All answers, in order; one call is made in this thread, which saves the wake-up of another."""
        if len(calls) == 1:
            return [self._run(self._talk.infer(calls[0], deadline))]
        return list(self._answers(calls, deadline))

    def _answers(self, calls: Iterable[Call], deadline: Deadline | None) -> Iterator[Answer]:
        """Answers in the order of the calls, with a bounded number of requests in flight.

        A source of calls that fails is raised after the answers to what it gave.
        """
        flights: deque[_Flight] = deque()
        failure: Exception | None = None
        source = iter(calls)
        try:
            while True:
                try:
                    flights.append(self._take_off(self._talk.infer(next(source), deadline)))
                except StopIteration:
                    break
                except Exception as error:
                    failure = error
                    break
                while flights and (len(flights) >= REQUESTS_IN_FLIGHT or flights[0].future.done()):
                    yield self._land(flights.popleft())
            while flights:
                yield self._land(flights.popleft())
        finally:
            for flight in flights:
                flight.future.cancel()
        if failure is not None:
            raise failure

    def _take_off(self, steps: Steps[Answer]) -> _Flight:
        """Carry the steps out up to the inference itself, and leave that on its way."""
        step = next(steps)
        while not isinstance(step, Infer):
            step = _advance(steps, partial(self._perform, step))
        return _Flight(steps, self._stub.ModelInfer.future(_infer_request(step), timeout=step.timeout_s))

    def _land(self, flight: _Flight) -> Answer:
        """Wait for a request in flight; if it failed, go on with its steps here."""
        return self._run(flight.steps, lambda: _read_answer(flight.future.result()))

    def _run(self, steps: Steps[_T], pending: Callable[[], Any] | None = None) -> _T:
        """Carry all steps out; `pending` gets the reply of a step that is already under way."""
        try:
            step = _advance(steps, pending) if pending else next(steps)
            while True:
                step = _advance(steps, partial(self._perform, step))
        except StopIteration as end:
            value: _T = end.value
            return value

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        method, request, read = _rpc(step)
        return read(getattr(self._stub, method)(request, timeout=step.timeout_s))

    def _on_connectivity(self, state: Any) -> None:
        if state in _LOST:
            self._talk.doubtful = True


def _advance(steps: Steps[_T], perform: Callable[[], Any]) -> Step:
    """Give the steps the reply, or the failure, of the last one; the next one."""
    try:
        reply = perform()
    except grpc.RpcError as error:
        return steps.throw(_failed(error))
    return steps.send(reply)


class AsyncInferenceClient:
    """`InferenceClient` for asyncio, without threads; belongs to the event loop it was connected in."""

    def __init__(self, conversation: Conversation) -> None:
        """Is called by `connect` alone."""
        self._talk = conversation
        self._channel = _channel(grpc.aio, conversation.address)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    @classmethod
    async def connect(
        cls,
        server: str | ServerAddress,
        *,
        patience_s: float = 30.0,
        digest: str | None = None,
        version: int | None = None,
        rerank_version: int | None = None,
    ) -> AsyncInferenceClient:
        """Connects as `InferenceClient.connect` does."""
        talk = Conversation(_address(server), patience_s, digest, version=version, rerank_version=rerank_version)
        client = cls(talk)
        try:
            await client._run(client._talk.connect())
        except BaseException:
            await client.close()
            raise
        return client

    async def __aenter__(self) -> AsyncInferenceClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    @property
    def services(self) -> Services:
        """What the server offers."""
        return self._talk.services

    @property
    def identity(self) -> EmbedderIdentity:
        """The server's embedder."""
        return self._talk.services.identity

    async def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:
        """Embeds as `InferenceClient.embed` does."""
        started = time.monotonic()
        answers = await self._answers(self._talk.embed_calls(texts, role), deadline)
        return _embedded(answers, self.services.embed(role), started)

    async def rerank(self, query: str, documents: Sequence[str], deadline: Deadline | None = None) -> Reranked:
        """Reranks as `InferenceClient.rerank` does."""
        started = time.monotonic()
        return _reranked(await self._answers(self._talk.rerank_calls(query, documents), deadline), started)

    async def _answers(self, calls: Sequence[Call], deadline: Deadline | None) -> list[Answer]:
        if self._channel.get_state() in _LOST:
            self._talk.doubtful = True
        if len(calls) == 1:
            return [await self._run(self._talk.infer(calls[0], deadline))]
        gate = asyncio.Semaphore(REQUESTS_IN_FLIGHT)

        async def answer(call: Call) -> Answer:
            async with gate:
                return await self._run(self._talk.infer(call, deadline))

        tasks = [asyncio.create_task(answer(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _run(self, steps: Steps[_T]) -> _T:
        try:
            step = next(steps)
            while True:
                try:
                    reply = await self._perform(step)
                except grpc.RpcError as error:
                    step = steps.throw(_failed(error))
                else:
                    step = steps.send(reply)
        except StopIteration as end:
            value: _T = end.value
            return value

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        method, request, read = _rpc(step)
        return read(await getattr(self._stub, method)(request, timeout=step.timeout_s))


# -- protocol ------------------------------------------------------------------------------------------------


def _address(server: str | ServerAddress) -> ServerAddress:
    return server if isinstance(server, ServerAddress) else ServerAddress.parse(server)


def _channel(library: Any, address: ServerAddress) -> Any:
    """A channel of `grpc` or `grpc.aio`."""
    if not address.tls:
        return library.insecure_channel(address.target, options=_CHANNEL_OPTIONS)
    try:
        roots = address.root_certificates.read_bytes() if address.root_certificates else None
    except OSError as error:
        raise ServerError(f"cannot read the certificates {address.root_certificates}: {error.strerror}") from error
    return library.secure_channel(address.target, grpc.ssl_channel_credentials(roots), options=_CHANNEL_OPTIONS)


def _failed(error: Any) -> RpcFailedError:
    return RpcFailedError(error.code().name, error.details() or "")


def _rpc(step: ReadConfig | AskReady | Infer) -> tuple[str, Any, Callable[[Any], Any]]:
    """Method, request message, and what reads the reply."""
    if isinstance(step, ReadConfig):
        return "ModelConfig", service_pb2.ModelConfigRequest(name=step.model), _read_config
    if isinstance(step, AskReady):
        request = service_pb2.ModelReadyRequest(name=step.model, version=str(step.version))
        return "ModelReady", request, lambda reply: reply.ready
    return "ModelInfer", _infer_request(step), _read_answer


def _read_config(reply: Any) -> ModelConfig:
    config = reply.config
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    return ModelConfig(
        config.name, parameters, config.max_batch_size, frozenset(output.name for output in config.output)
    )


def _infer_request(step: Infer) -> Any:
    """The message, stamped with the time: made anew for every attempt."""
    service = step.call.service
    request = service_pb2.ModelInferRequest(model_name=service.name, model_version=str(service.version))
    request.parameters[SENT].int64_param = round(1e6 * time.time())
    if step.deadline is not None:
        request.parameters[DEADLINE].int64_param = step.deadline.epoch_ms()
    for name, texts in step.call.columns.items():
        request.inputs.add(name=name, datatype="BYTES", shape=[len(texts), 1])
        request.raw_input_contents.append(_bytes_tensor(texts))
    for name in sorted(service.outputs):
        request.outputs.add(name=name)
    return request


def _bytes_tensor(texts: Sequence[str]) -> bytes:
    """Triton's BYTES: each element after its length as a little-endian u32."""
    encoded = [text.encode(errors="surrogatepass") for text in texts]
    return b"".join(struct.pack("<I", len(raw)) + raw for raw in encoded)


def _read_answer(reply: Any) -> Answer:
    tensors: dict[str, npt.NDArray[Any]] = {}
    for output, raw in zip(reply.outputs, reply.raw_output_contents, strict=True):
        tensors[output.name] = np.frombuffer(raw, _DTYPES[output.datatype]).reshape(tuple(output.shape))
    values = tensors.get("embedding", tensors.get("score"))
    if values is None or TOKENS not in tensors:
        raise ServerError(f"{reply.model_name} answered with {sorted(tensors)}: not a service of Interlingua's")
    return Answer(
        values.astype(np.float32, copy=False),
        tensors[TOKENS].reshape(-1).astype(np.int64),
        _stages(tensors.get(STAGES), reply.parameters),
    )


def _stages(tensor: npt.NDArray[Any] | None, parameters: Any) -> tuple[float, float, float] | None:
    """Seconds in the queue, tokenizing and computing, from wherever the server puts them."""
    if tensor is not None and tensor.size >= 3:
        queue, tokenize, compute = (1e-6 * float(value) for value in tensor.reshape(-1)[:3])
        return queue, tokenize, compute
    if all(name in parameters for name in _STAGE_PARAMETERS):
        queue, tokenize, compute = (1e-6 * parameters[name].int64_param for name in _STAGE_PARAMETERS)
        return queue, tokenize, compute
    return None


def _embedded(answers: Sequence[Answer], service: PinnedService, started: float) -> Embedded:
    times = _times(answers, started)
    if not answers:
        empty = np.empty((0, service.spec.dimension), np.float32)
        return Embedded(empty, np.empty(0, np.int64), np.empty(0, np.bool_), times)
    tokens = np.concatenate([answer.tokens for answer in answers])
    vectors = np.concatenate([answer.values for answer in answers])
    return Embedded(vectors, tokens, tokens > service.spec.max_tokens, times)


def _reranked(answers: Sequence[Answer], started: float) -> Reranked:
    scores = [answer.values.reshape(-1) for answer in answers]
    tokens = [answer.tokens for answer in answers]
    return Reranked(
        np.concatenate([np.empty(0, np.float32), *scores]),
        _times(answers, started),
        np.concatenate([np.empty(0, np.int64), *tokens]),
    )


def _times(answers: Sequence[Answer], started: float) -> ServiceTimes:
    total = time.monotonic() - started
    reported = [answer.stages_s for answer in answers if answer.stages_s]
    if not reported:
        return ServiceTimes(total)
    slowest = max(reported, key=sum)
    return ServiceTimes(total, *slowest, network_s=max(total - sum(slowest), 0.0))
