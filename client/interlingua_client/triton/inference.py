"""The blocking client of one server: carries a conversation with Triton out over gRPC.

texts -> requests of a few texts -> many in flight -> answers, in order -> vectors
"""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import grpc  # type: ignore[import-untyped]
from grpc._common import CYGRPC_CONNECTIVITY_STATE_TO_CHANNEL_CONNECTIVITY as _STATES  # type: ignore[import-untyped]

from interlingua.base.errors import ServerError
from interlingua.served.limits import REQUESTS_IN_FLIGHT
from interlingua_client.token_encoder import QuerySides
from interlingua_client.triton.connection import Connection, failed
from interlingua_client.triton.conversation_steps import Answer, Call, Infer, Pause, Step, Steps
from interlingua_client.triton.messages import counted, embedded, encoded, infer_request, read_answer, reranked, rpc_of
from interlingua_client.triton.server_failures import RpcFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Unpack

    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.deadline import Deadline
    from interlingua_client.embedder import Embedded, Reranked, Role
    from interlingua_client.token_encoder import EncodedTexts
    from interlingua_client.triton.connection import Wanted
    from interlingua_client.triton.server_address import ServerAddress

_T = TypeVar("_T")


class _Flight(NamedTuple):
    """A request on its way, and the steps that wait for its answer."""

    steps: Steps[Answer]
    future: Any


class InferenceClient(Connection):
    """Blocking client of one server; a context manager, safe to use from several threads.

    Under gevent (Locust), call `grpc.experimental.gevent.init_gevent()` before connecting.
    """

    _library = grpc

    @classmethod
    def connect(cls, server: str | ServerAddress, **wanted: Unpack[Wanted]) -> InferenceClient:
        """Find the services of a server and pin their versions.

        Args:
            server: as `ServerAddress.parse` reads it.
            wanted: patience_s, digest, version and rerank_version (connection.py).

        Raises:
            ServerError: the server is away, or does not serve what is needed.
        """
        client = cls(server, wanted)
        try:
            with client._naming_http_ports():
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
        self._channel.close()

    def is_outdated(self) -> bool:
        """Whether another reranker was promoted since it connected; False where the server does not say."""
        try:
            return self._run(self._talk.has_other_reranker())
        except ServerError:
            return False

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:
        """Vectors of any number of texts.

        Raises:
            DeadlineExceededError: the answer is not there in time.
            RequestRejectedError: the server does not take a text.
            ServerAwayError: it could not be reached within the client's patience.
        """
        started = time.monotonic()
        return embedded(self._asked(self._talk.embed_calls(texts, role), deadline), self.services.embed(role), started)

    def embed_batches(self, batches: Iterable[Sequence[str]], role: Role) -> Iterator[Embedded]:
        """One answer a batch, in order, while the requests of the next batches are on their way."""
        for parts, started in self._in_batches(self._talk.embed_calls(batch, role) for batch in batches):
            yield embedded(parts, self.services.embed(role), started)

    def count_tokens(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> list[int]:
        """Tokens of each text alone, without the service's prompt and special tokens, and without truncation.

        Nothing is computed. Of a document beyond the service's bytes its beginning is counted. Raises as `embed` does.
        """
        return counted(self._asked(self._talk.count_calls(texts, role), deadline))

    def encode(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> EncodedTexts:
        """Token vectors of any number of texts; raises as `embed` does, and ServerError without such a reranker."""
        started, calls = time.monotonic(), self._talk.encode_calls(texts, role)
        return encoded(self._asked(calls, deadline), self._encoding(role), started)

    def encode_documents(self, batches: Iterable[Sequence[str]]) -> Iterator[list[TokenVectors]]:
        """One answer a batch, in order, as `embed_batches` gives them. Raises as `encode`."""
        for parts, started in self._in_batches(self._talk.encode_calls(batch, "document") for batch in batches):
            yield encoded(parts, self._encoding("document"), started).texts

    def query_sides(self, query: str, deadline: Deadline | None = None) -> QuerySides:
        """A query's vector and its token vectors, asked for side by side. Raises as `embed`."""
        started, flight = time.monotonic(), None
        try:
            flight = self._take_off(self._infer(self._talk.encode_calls([query], "query")[0], deadline))
        except ServerError as error:
            return QuerySides(self.embed([query], "query", deadline), error)
        try:
            vector = self.embed([query], "query", deadline)
        except BaseException:
            flight.future.cancel()
            raise
        try:
            return QuerySides(vector, encoded([self._land(flight)], self._encoding("query"), started))
        except ServerError as error:
            return QuerySides(vector, error)

    def _in_batches(self, batches: Iterable[Sequence[Call]]) -> Iterator[tuple[list[Answer], float]]:
        """Answers batch by batch, and when waiting for them began; batches are drawn ahead of their answers."""
        sizes: deque[int] = deque()

        def calls() -> Iterator[Call]:
            for made in batches:
                sizes.append(len(made))
                yield from made

        started: float = time.monotonic()
        parts: list[Answer] = []
        for answer in self._answers(calls(), None):
            parts.append(answer)
            if len(parts) == sizes[0]:
                sizes.popleft()
                yield parts, started
                started, parts = time.monotonic(), []

    def rerank(self, query: str, documents: Sequence[str], deadline: Deadline | None = None) -> Reranked:
        """Scores of documents against a query; raises as `embed` does, and ServerError without a reranker."""
        started = time.monotonic()
        return reranked(self._asked(self._talk.rerank_calls(query, documents), deadline), started)

    def _asked(self, calls: Sequence[Call], deadline: Deadline | None) -> list[Answer]:
        """All answers, in order; one call is made in this thread, which saves the wake-up of another."""
        if len(calls) == 1:
            return [self._run(self._infer(calls[0], deadline))]
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
                    flights.append(self._take_off(self._infer(next(source), deadline)))
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
        return _Flight(steps, self._stub.ModelInfer.future(infer_request(step), timeout=step.timeout_s))

    def _land(self, flight: _Flight) -> Answer:
        """Wait for a request in flight; if it failed, go on with its steps here."""
        return self._run(flight.steps, lambda: read_answer(flight.future.result()))

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
        method, request, read = rpc_of(step)
        return read(getattr(self._stub, method)(request, timeout=step.timeout_s))

    def _state(self) -> grpc.ChannelConnectivity:
        # gRPC's `subscribe` would tell it late, and its thread fails aloud on a channel that is closed early.
        return _STATES[self._channel._channel.check_connectivity_state(False)]


def _advance(steps: Steps[_T], perform: Callable[[], Any]) -> Step:
    """Give the steps the reply, or the failure, of the last one; the next one."""
    try:
        reply = perform()
    except (grpc.RpcError, RpcFailedError) as error:
        return steps.throw(failed(error))
    return steps.send(reply)
