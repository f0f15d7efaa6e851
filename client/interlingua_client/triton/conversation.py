"""What a client says to its server, and what it does when the server is away; without any network in it.

    connect:  ReadConfig, AskReady ... -> Services, versions pinned
    infer:    Infer --- answered --> Answer
                 \\-- away --> Pause, ReadConfig (still the same embedder?), Infer again ...

Everything is a generator of steps: a blocking and an asyncio client carry the steps out (inference.py,
async_inference.py) and send the replies back, or throw `RpcFailedError` in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.served.limits import TEXTS_PER_REQUEST
from interlingua.served.service import EMBED_QUERY, RERANK
from interlingua_client.deadline import Deadline
from interlingua_client.triton.backoff import Backoff
from interlingua_client.triton.conversation_steps import Answer, Call, Infer, Pause, Steps, time_left
from interlingua_client.triton.server_failures import EmbedderChangedError, RpcFailedError, ServerAwayError, translated
from interlingua_client.triton.service_search import ServiceSearch

if TYPE_CHECKING:
    from interlingua_client.embedder import Role
    from interlingua_client.triton.server_address import ServerAddress
    from interlingua_client.triton.services import Services


class Conversation:
    """What one client knows of its server.

    Attributes:
        services: what was found when connecting.
        doubtful: the connection was lost since the embedder was last checked.
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
        self.doubtful = False
        self._patience_s = patience_s
        self._search = ServiceSearch(address, digest, version, rerank_version)

    # -- connecting ------------------------------------------------------------------------------------------

    def connect(self) -> Steps[None]:
        """Find the services; fails at once when the server is away."""
        self.services = yield from self._search.services()
        self.doubtful = False

    # -- asking ----------------------------------------------------------------------------------------------

    def embed_calls(self, texts: Sequence[str], role: Role) -> list[Call]:
        """The requests that embed some texts."""
        service = self.services.embed(role)
        if role == "document":
            # The service refuses what it could not use anyhow; the network reads the beginning alone.
            texts = [service.spec.shortened(text) for text in texts]
        return [Call(service, {"text": part}) for part in _split(texts, service.max_batch)]

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

    def infer(self, call: Call, deadline: Deadline | None = None) -> Steps[Answer]:
        """Send one request until it is answered, is refused, or patience ends."""
        backoff: Backoff | None = None
        while True:
            try:
                return (yield from self._attempt(call, deadline))
            except ServerAwayError as error:
                self.doubtful = True
                backoff = backoff or self._backoff(deadline)
                pause = backoff.pause_s()
                if pause is None:
                    raise error
            yield Pause(pause)

    def _backoff(self, deadline: Deadline | None) -> Backoff:
        """Patience begins with the first failure: a slow answer does not use it up."""
        patience = Deadline.after(self._patience_s)
        return Backoff(min(patience, deadline) if deadline else patience)

    def _attempt(self, call: Call, deadline: Deadline | None) -> Steps[Answer]:
        if self.doubtful:
            yield from self._check_unchanged(deadline)
        try:
            answer: Answer = yield Infer(call, deadline, time_left(deadline))
        except RpcFailedError as error:
            raise translated(error, self.address.target, deadline) from error
        return answer

    def _check_unchanged(self, deadline: Deadline | None) -> Steps[None]:
        """Refuse to go on with another embedder behind the same address."""
        mine = self.services.embed_query
        config = yield from self._search.config(EMBED_QUERY, deadline)
        spec = config.specs().get(mine.version) if config else None
        if spec is None or spec.digest != mine.spec.digest:
            raise EmbedderChangedError(
                f"{self.address.target} came back with another embedder: {EMBED_QUERY} version {mine.version} had "
                f"digest {mine.spec.digest}, now {'it is ' + spec.digest if spec else 'there is none'}. Connect again."
            )
        self.doubtful = False


def _split(texts: Sequence[str], max_batch: int) -> list[Sequence[str]]:
    size = min(TEXTS_PER_REQUEST, max_batch)
    return [texts[start : start + size] for start in range(0, len(texts), size)]
