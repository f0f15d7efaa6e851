"""What a client says to its server, and what it does when the server is away; without any network in it.

    connect:  ReadConfig, AskReady ... -> Services, versions pinned
    infer:    Infer --- answered --> Answer
                 \\-- away --> Pause, ReadConfig (still the same embedder?), Infer again ...

Everything is a generator of steps: a blocking and an asyncio client carry the steps out (inference.py) and send
the replies back, or throw `RpcFailedError` in.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from client.backoff import Backoff
from client.deadline import Deadline
from client.services import ModelConfig, Published, Services
from interlingua.errors import DeadlineExceededError, RequestRejectedError, ServerError
from interlingua.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK

if TYPE_CHECKING:
    from client.embedder import FloatArray, IntArray, Role
    from client.server_address import ServerAddress

_T = TypeVar("_T")

# A few texts a request: Triton's batcher puts requests together as it likes, and one answer stays small.
_TEXTS_PER_REQUEST = 8
_ANSWER_WITHIN_S = 300.0

# Triton answers overload, and the services lateness and a failing network, with UNAVAILABLE too. Those are answers.
_ANSWERED_UNAVAILABLE = ("Exceeds maximum queue size", "Request timeout expired", "network ", "cancelled:")
_UNKNOWN_MODEL = (
    "unknown model",
    "is not found",
    "not found in",
    "has no available versions",
    "unknown version",
)


class ServerAwayError(ServerError):
    """There is no connection to the server."""


class EmbedderChangedError(ServerError):
    """The server came back with another embedder."""


class RpcFailedError(Exception):
    """A call failed: gRPC's status name and message. Thrown into the steps, never at users."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details


class Call(NamedTuple):
    """One inference request.

    Attributes:
        columns: texts by input name, all of one length.
    """

    service: Published
    columns: Mapping[str, Sequence[str]]


class Answer(NamedTuple):
    """What came back for one request.

    Attributes:
        values: float32 [n, D], or [n, 1] of a reranker.
        tokens: int64 [n], before truncation.
        stages_s: seconds in the queue, tokenizing and computing; None where the server does not say.
    """

    values: FloatArray
    tokens: IntArray
    stages_s: tuple[float, float, float] | None


class ReadConfig(NamedTuple):
    """Step: a model's configuration; the reply is a ModelConfig."""

    model: str
    timeout_s: float


class AskReady(NamedTuple):
    """Step: whether a version of a model is ready; the reply is a bool."""

    model: str
    version: int
    timeout_s: float


class Infer(NamedTuple):
    """Step: an inference request; the reply is an Answer."""

    call: Call
    deadline: Deadline | None
    timeout_s: float


class Pause(NamedTuple):
    """Step: let some time pass; there is no reply."""

    seconds: float


Step = ReadConfig | AskReady | Infer | Pause
Steps = Generator[Step, Any, _T]


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
        patience_s: float,
        digest: str | None = None,
        *,
        version: int | None = None,
        rerank_version: int | None = None,
    ) -> None:
        """Of the embedder, `digest` is taken if a version has it, else the promoted version, else the highest.

        `version` and `rerank_version` ask for just these, and connecting fails where they are not ready.
        """
        self.address = address
        self.doubtful = False
        self._patience_s = patience_s
        self._wanted_digest = digest
        self._version, self._rerank_version = version, rerank_version

    # -- connecting ------------------------------------------------------------------------------------------

    def connect(self) -> Steps[None]:
        """Find the services; fails at once when the server is away."""
        query = yield from self._required(EMBED_QUERY)
        document = yield from self._required(EMBED_DOCUMENT)
        version = yield from self._embed_version(query, document)
        rerank = yield from self._rerank()
        self.services = Services(Published.of(query, version), Published.of(document, version), rerank)
        self.doubtful = False

    def _required(self, model: str) -> Steps[ModelConfig]:
        config = yield from self._config(model)
        if config is None:
            raise ServerError(f"{self.address.target} serves no {model}: publish one with `interlingua export`")
        return config

    def _embed_version(self, query: ModelConfig, document: ModelConfig) -> Steps[int]:
        """A version that is ready in both services: the wanted one, else the promoted one, else the highest."""
        of_query, of_document = query.specs(), document.specs()
        ready = yield from self._ready_versions((query, document), set(of_query) & set(of_document))
        if not ready:
            raise ServerError(
                f"{self.address.target} has no version of {EMBED_QUERY} and {EMBED_DOCUMENT} that is ready: "
                "look at the server's log"
            )
        wanted = [version for version in ready if of_query[version].digest == self._wanted_digest]
        version = wanted[0] if wanted and self._version is None else self._chosen(query, ready, self._version)
        if of_query[version].digest != of_document[version].digest:
            raise ServerError(
                f"{EMBED_QUERY} and {EMBED_DOCUMENT} version {version} belong to different embedders "
                f"({of_query[version].digest} and {of_document[version].digest}): export the model again"
            )
        return version

    def _rerank(self) -> Steps[Published | None]:
        config = yield from self._config(RERANK)
        if config is None:
            return None
        ready = yield from self._ready_versions((config,), config.specs())
        if not ready and self._rerank_version is None:
            return None
        return Published.of(config, self._chosen(config, ready, self._rerank_version))

    def _chosen(self, model: ModelConfig, ready: Sequence[int], wanted: int | None) -> int:
        """The version wanted, else the one that was promoted, else the highest."""
        if wanted is None:
            promoted = model.current
            return promoted if promoted is not None and promoted in ready else ready[0]
        if wanted not in ready:
            there = ", ".join(str(version) for version in sorted(ready)) or "none"
            raise ServerError(
                f"{self.address.target} has no version {wanted} of {model.name} that is ready, but {there}: "
                f"load it with `interlingua publish {wanted}`"
            )
        return wanted

    def _ready_versions(self, models: Sequence[ModelConfig], versions: Iterable[int]) -> Steps[list[int]]:
        """Those of the versions that are ready in all the models, highest first."""
        ready = []
        for version in sorted(versions, reverse=True):
            for model in models:
                if not (yield from self._is_ready(model.name, version)):
                    break
            else:
                ready.append(version)
        return ready

    def _config(self, model: str, deadline: Deadline | None = None) -> Steps[ModelConfig | None]:
        """The configuration, or None where the server does not have the model."""
        try:
            config: ModelConfig = yield ReadConfig(model, _time_left(deadline))
        except RpcFailedError as error:
            if _is_unknown_model(error):
                return None
            raise self._translated(error, deadline) from error
        return config

    def _is_ready(self, model: str, version: int) -> Steps[bool]:
        try:
            return bool((yield AskReady(model, version, _time_left(None))))
        except RpcFailedError as error:
            if _is_unknown_model(error):
                return False
            raise self._translated(error, None) from error

    # -- asking ----------------------------------------------------------------------------------------------

    def embed_calls(self, texts: Sequence[str], role: Role) -> list[Call]:
        """The requests that embed some texts."""
        service = self.services.embed(role)
        if role == "document":
            # The service refuses what it could not use anyhow; the network reads the beginning alone.
            texts = [shortened(text, service.spec.max_text_bytes) for text in texts]
        return [Call(service, {"text": part}) for part in _split(texts, service.max_batch)]

    def rerank_calls(self, query: str, documents: Sequence[str]) -> list[Call]:
        """The requests that score some documents against one query.

        Raises:
            ServerError: the server has no reranker.
        """
        service = self.services.rerank
        if service is None:
            raise ServerError(f"{self.address.target} serves no {RERANK}")
        texts = [shortened(document, service.spec.max_text_bytes) for document in documents]
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
            answer: Answer = yield Infer(call, deadline, _time_left(deadline))
        except RpcFailedError as error:
            raise self._translated(error, deadline) from error
        return answer

    def _check_unchanged(self, deadline: Deadline | None) -> Steps[None]:
        """Refuse to go on with another embedder behind the same address."""
        mine = self.services.embed_query
        config = yield from self._config(EMBED_QUERY, deadline)
        spec = config.specs().get(mine.version) if config else None
        if spec is None or spec.digest != mine.spec.digest:
            raise EmbedderChangedError(
                f"{self.address.target} came back with another embedder: {EMBED_QUERY} version {mine.version} had "
                f"digest {mine.spec.digest}, now {'it is ' + spec.digest if spec else 'there is none'}. Connect again."
            )
        self.doubtful = False

    def _translated(self, error: RpcFailedError, deadline: Deadline | None) -> ServerError:
        """gRPC's error as one of ours."""
        target, details = self.address.target, error.details
        if error.code == "DEADLINE_EXCEEDED":
            if deadline is None:
                return ServerError(f"{target} gave no answer in {_ANSWER_WITHIN_S:.0f} s")
            return DeadlineExceededError("deadline: it passed before the server answered")
        if "deadline:" in details:
            return DeadlineExceededError(details[details.index("deadline:") :])
        if error.code == "UNAVAILABLE" and not details.startswith(_ANSWERED_UNAVAILABLE):
            return ServerAwayError(
                f"cannot reach a server at {target} ({details}): start one with `interlingua serve`, or name another "
                "with --server"
            )
        if error.code == "UNIMPLEMENTED":
            return ServerError(f"{target} does not answer like a Triton: {details}")
        return RequestRejectedError(f"{target} refused a request: {details or error.code}")


def shortened(text: str, max_bytes: int) -> str:
    """The text's beginning that has at most so many bytes in UTF-8."""
    if 4 * len(text) <= max_bytes:
        return text
    return text.encode()[:max_bytes].decode(errors="ignore")


def _split(texts: Sequence[str], max_batch: int) -> list[Sequence[str]]:
    size = min(_TEXTS_PER_REQUEST, max_batch)
    return [texts[start : start + size] for start in range(0, len(texts), size)]


def _time_left(deadline: Deadline | None) -> float:
    if deadline is None:
        return _ANSWER_WITHIN_S
    return min(deadline.require_time("the request was sent"), _ANSWER_WITHIN_S)


def _is_unknown_model(error: RpcFailedError) -> bool:
    return error.code == "NOT_FOUND" or any(words in error.details for words in _UNKNOWN_MODEL)
