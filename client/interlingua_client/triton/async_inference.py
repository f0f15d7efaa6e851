"""The client for asyncio: carries a conversation with Triton out over gRPC, as inference.py does, without threads."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

import grpc  # type: ignore[import-untyped]

from interlingua.base.errors import ServerError
from interlingua.served.limits import REQUESTS_IN_FLIGHT
from interlingua_client.token_encoder import QuerySides
from interlingua_client.triton.connection import Connection, failed
from interlingua_client.triton.conversation_steps import Answer, Call, Pause, Step, Steps
from interlingua_client.triton.messages import counted, embedded, encoded, reranked, rpc_of
from interlingua_client.triton.server_failures import RpcFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from interlingua_client.deadline import Deadline
    from interlingua_client.embedder import Embedded, Reranked, Role
    from interlingua_client.token_encoder import EncodedTexts
    from interlingua_client.triton.connection import Wanted
    from interlingua_client.triton.server_address import ServerAddress

_T = TypeVar("_T")


class AsyncInferenceClient(Connection):
    """`InferenceClient` for asyncio, without threads; belongs to the event loop it was connected in."""

    _library = grpc.aio

    @classmethod
    async def connect(cls, server: str | ServerAddress, **wanted: Unpack[Wanted]) -> AsyncInferenceClient:
        """Connects as `InferenceClient.connect` does."""
        client = cls(server, wanted)
        try:
            with client._naming_http_ports():
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

    async def is_outdated(self) -> bool:
        """Asks as `InferenceClient.is_outdated` does."""
        try:
            return await self._run(self._talk.has_other_reranker())
        except ServerError:
            return False

    async def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:
        """Embeds as `InferenceClient.embed` does."""
        started = time.monotonic()
        answers = await self._answers(self._talk.embed_calls(texts, role), deadline)
        return embedded(answers, self.services.embed(role), started)

    async def count_tokens(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> list[int]:
        """Counts as `InferenceClient.count_tokens` does."""
        return counted(await self._answers(self._talk.count_calls(texts, role), deadline))

    async def rerank(self, query: str, documents: Sequence[str], deadline: Deadline | None = None) -> Reranked:
        """Reranks as `InferenceClient.rerank` does."""
        started = time.monotonic()
        return reranked(await self._answers(self._talk.rerank_calls(query, documents), deadline), started)

    async def query_sides(self, query: str, deadline: Deadline | None = None) -> QuerySides:
        """Asks for both sides as `InferenceClient.query_sides` does."""
        side = asyncio.ensure_future(self._encoded(query, deadline))
        try:
            vector = await self.embed([query], "query", deadline)
            return QuerySides(vector, await side)
        finally:
            side.cancel()

    async def _encoded(self, query: str, deadline: Deadline | None) -> EncodedTexts | ServerError:
        started = time.monotonic()
        try:
            answers = await self._answers(self._talk.encode_calls([query], "query"), deadline)
            return encoded(answers, self._encoding("query"), started)
        except ServerError as error:
            return error

    async def _answers(self, calls: Sequence[Call], deadline: Deadline | None) -> list[Answer]:
        if len(calls) == 1:
            return [await self._run(self._infer(calls[0], deadline))]
        gate = asyncio.Semaphore(REQUESTS_IN_FLIGHT)

        async def answer(call: Call) -> Answer:
            async with gate:
                return await self._run(self._infer(call, deadline))

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
                except (grpc.RpcError, RpcFailedError) as error:
                    step = steps.throw(failed(error))
                else:
                    step = steps.send(reply)
        except StopIteration as end:
            value: _T = end.value
            return value

    def _state(self) -> grpc.ChannelConnectivity:
        return self._channel.get_state()

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        method, request, read = rpc_of(step)
        return read(await getattr(self._stub, method)(request, timeout=step.timeout_s))
