"""What a client says to its server, and what it does when the server is away; without any network in it.

    connect:  ReadConfig, AskReady ... -> Services, versions pinned
    infer:    Infer --- answered --> Answer
                |-- late, by another clock --> Infer again, with the server's time
                |-- busy --> Pause, as long as it says, Infer again
                |-- away --> Pause, ReadConfig (still the same model?), Infer again ...
                 \\-- failed with its batch --> Infer once more, in a batch of its own

Everything is a generator of steps: a blocking and an asyncio client carry the steps out (inference.py,
async_inference.py) and send the replies back, or throw `RpcFailedError` in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.served.graph_names import TOKENS
from interlingua.served.limits import TEXTS_PER_REQUEST
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_client.deadline import Deadline
from interlingua_client.triton.backoff import Backoff
from interlingua_client.triton.conversation_steps import Answer, Call, Infer, Pause, Steps, time_left
from interlingua_client.triton.server_clock import ServerClock
from interlingua_client.triton.server_failures import (
    BatchFailedError,
    EmbedderChangedError,
    RpcFailedError,
    ServerAwayError,
    ServerBusyError,
    translated,
)
from interlingua_client.triton.service_search import ServiceSearch

if TYPE_CHECKING:
    from interlingua_client.embedder import Role
    from interlingua_client.triton.server_address import ServerAddress
    from interlingua_client.triton.services import Services


class Conversation:
    """What one client knows of its server.

    Attributes:
        services: what was found when connecting.
        clock: the server's, as late requests show it.
    """

    services: Services

    def __init__(
        self,
        address: ServerAddress,
        patience_s: float = 30.0,
        digest: str | None = None,
        *,
        version: int | None = None,
        rerank_version: int | None = None,
    ) -> None:
        """Asks the embedder's version that has `digest`, else the promoted one, else the highest.

        `version` and `rerank_version` ask for just these, and connecting fails where they are not ready.
        """
        self.address = address
        self._doubted: frozenset[str] = frozenset()
        self.clock = ServerClock()
        self._patience_s = patience_s
        self._search = ServiceSearch(address, digest, version, rerank_version)

    # -- connecting ------------------------------------------------------------------------------------------

    def connect(self) -> Steps[None]:
        """Find the services; fails at once when the server is away, and waits for models that it is loading."""
        backoff = self._backoff(None)
        while True:
            try:
                found: Services | ServerError = yield from self._search.services()
            except ServerAwayError:
                raise
            except ServerError as error:
                found = error
            is_loading = yield from self._search.is_loading()
            pause = backoff.pause_s() if is_loading else None
            if pause is None:
                break
            yield Pause(pause)
        if isinstance(found, ServerError) and is_loading:
            raise ServerAwayError(
                f"{self.address.target} is starting, or loads a model again: not all of its models are ready yet "
                "(see its log if they never are)"
            ) from found
        if isinstance(found, ServerError):
            raise found
        self.services = found
        self._doubted = frozenset()

    def has_other_reranker(self) -> Steps[bool]:
        """Whether connecting anew would find another reranker. Raises ServerError: the server is away."""
        found = yield from self._search.reranker()
        return found is not None and found != self.services.rerank

    def doubt(self) -> None:
        """There may be other models behind the address now."""
        self._doubted = frozenset({EMBED_QUERY, RERANK} if self.services.rerank else {EMBED_QUERY})

    # -- asking ----------------------------------------------------------------------------------------------

    def embed_calls(self, texts: Sequence[str], role: Role) -> list[Call]:
        """The requests that embed some texts."""
        service = self.services.embed(role)
        if role == "document":
            # The service refuses what it could not use anyhow; the network reads the beginning alone.
            texts = [service.spec.shortened(text) for text in texts]
        return [Call(service, {"text": part}) for part in _split(texts, service.max_batch)]

    def count_calls(self, texts: Sequence[str], role: Role) -> list[Call]:
        """The requests that count some texts' own tokens: whole batches, since nothing is computed."""
        service = self.services.embed(role)
        if role == "document":
            texts = [service.spec.shortened(text) for text in texts]
        parts = [texts[start : start + service.max_batch] for start in range(0, len(texts), service.max_batch)]
        return [Call(service, {"text": part}, frozenset({TOKENS})) for part in parts]

    def rerank_calls(self, query: str, documents: Sequence[str]) -> list[Call]:
        """The requests that score some documents against one query.

        Raises:
            ServerError: the server has no reranker.
        """
        service = self.services.rerank
        if service is None:
            raise ServerError(f"{self.address.target} serves no {RERANK}")
        texts = [service.spec.shortened(document) for document in documents]
        parts = _split(texts, service.max_batch)
        return [Call(service, {"query": [query] * len(part), "document": part}) for part in parts]

    def encode_calls(self, texts: Sequence[str], role: Role) -> list[Call]:
        """The requests that encode some texts token by token.

        Raises:
            ServerError: the server has no reranker whose sides can be encoded apart.
        """
        service = self.services.encode(role)
        if service is None:
            raise ServerError(f"{self.address.target} has no late-interaction reranker")
        if role == "document":
            texts = [service.spec.shortened(text) for text in texts]
        return [Call(service, {"text": part}) for part in _split(texts, service.max_batch)]

    def infer(self, call: Call, deadline: Deadline | None = None) -> Steps[Answer]:
        """Send one request until it is answered, is refused, or patience ends."""
        backoff: Backoff | None = None
        asked = call
        while True:
            try:
                answer = yield from self._attempt(asked, deadline)
                return answer if asked is call else answer.first(call.size)
            except BatchFailedError:
                if asked is not call or self._patience_s <= 0:
                    raise
                asked = call.alone()
                continue
            except (ServerAwayError, ServerBusyError) as error:
                if isinstance(error, ServerAwayError):
                    self.doubt()
                backoff = backoff or self._backoff(deadline)
                pause = backoff.pause_s(error.again_s if isinstance(error, ServerBusyError) else 0.0)
                if pause is None:
                    raise error
            yield Pause(pause)

    def _backoff(self, deadline: Deadline | None) -> Backoff:
        """Patience begins with the first failure: a slow answer does not use it up."""
        patience = Deadline.after(self._patience_s)
        return Backoff(min(patience, deadline) if deadline else patience)

    def _attempt(self, call: Call, deadline: Deadline | None) -> Steps[Answer]:
        family = EMBED_QUERY if call.service.name in (EMBED_QUERY, EMBED_DOCUMENT) else RERANK
        if family in self._doubted:
            yield from self._check_unchanged(family, deadline)
        is_second = False
        while True:
            clock_s, sent_s = self.clock.offset_s, time.time()
            try:
                answer: Answer = yield Infer(call, deadline, time_left(deadline), clock_s)
                if not len(answer.values) == len(answer.tokens) == call.size:
                    raise RpcFailedError("INTERNAL", f"the answer is damaged (of {len(answer.tokens)} texts)")
                return answer
            except RpcFailedError as error:
                wrong = self.clock.shows_wrong(error.details, clock_s, sent_s, time.time())
                if is_second or not wrong:
                    raise translated(error, self.address.target, deadline) from error
            is_second = True  # with the right time on it

    def _check_unchanged(self, family: str, deadline: Deadline | None) -> Steps[None]:
        """Refuse to go on with another model behind the same address."""
        mine = self.services.rerank if family == RERANK else self.services.embed_query
        config = yield from self._search.config(family, deadline)
        if mine is None or config is None:
            raise ServerAwayError(f"{self.address.target} has no {family} now: it may be loading it; see its log")
        spec = config.specs().get(mine.version)
        if spec is None or spec.digest != mine.spec.digest:
            raise EmbedderChangedError(
                f"{self.address.target} came back with another model: {family} version {mine.version} had "
                f"digest {mine.spec.digest}, now {'it is ' + spec.digest if spec else 'there is none'}. Connect again."
            )
        self._doubted -= {family}


def _split(texts: Sequence[str], max_batch: int) -> list[Sequence[str]]:
    size = min(TEXTS_PER_REQUEST, max_batch)
    return [texts[start : start + size] for start in range(0, len(texts), size)]
