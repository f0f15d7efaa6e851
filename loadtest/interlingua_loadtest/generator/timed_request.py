"""One request, asked and timed.

    Ask, scheduled moment -> InferenceClient or Retriever -> what came of it -> Outcome -> record

Every process of the generator has one `Asker`. Nothing here knows Locust: it is called from whatever greenlet or
thread is spare.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from interlingua.base.errors import DeadlineExceededError, InputError, RequestRejectedError, ServerError
from interlingua_client.deadline import Deadline
from interlingua_client.triton.inference import InferenceClient
from interlingua_client.triton.server_failures import ServerAwayError
from interlingua_loadtest.record.record import Outcome

if TYPE_CHECKING:
    from interlingua_client.embedder import ServiceTimes
    from interlingua_client.search.results import SearchResult
    from interlingua_client.search.retriever import Retriever
    from interlingua_loadtest.traffic.request_stream import Ask

_HITS = 10
_NO_INDEX = "searching needs an index: make one with `interlingua index`"
_NO_STAGES = dict.fromkeys(
    ("queue_s", "tokenize_s", "compute_s", "network_s", "ann_s", "documents_s", "language_s", "rerank_s"), math.nan
)
# The first that fits names a request that failed, and says more about it.
_REASONS = {
    "rejected": (
        ("overloaded:", "queue full"),
        ("maximum queue size", "queue full"),
        ("invalid text", "invalid"),
        ("network ", "network"),
        ("incomplete string data", "batch"),
        ("", "other"),
    ),
    "away": (
        ("Stub process", "process ended"),
        ("unknown model", "model loading"),
        ("not ready", "model loading"),
        ("", "no connection"),
    ),
}
_FAILURES: tuple[tuple[type[Exception], str, str], ...] = (
    (DeadlineExceededError, "deadline", ""),
    (RequestRejectedError, "rejected", ""),
    (ServerAwayError, "away", ""),
    (ServerError, "error", "server"),
    (InputError, "error", "input"),
)


class RunClock:
    """Seconds from the run's start, by the monotonic clock."""

    def __init__(self, start: float) -> None:
        """`start` is an instant of `time.monotonic()`; it may lie ahead."""
        self.start = start

    @classmethod
    def at(cls, epoch: float) -> RunClock:
        """The run starts at a Unix time, which several processes agreed on."""
        return cls(time.monotonic() + (epoch - time.time()))

    def now(self) -> float:
        return time.monotonic() - self.start


@dataclass(frozen=True)
class _Answer:
    """What came of one request.

    Attributes:
        detail: kind of an error; never a text.
        tokens: of the texts sent; -1 unknown.
        pairs, stored: documents reranked as pairs, and by stored token vectors.
        stages: seconds; see `Outcome`.
    """

    status: str
    detail: str = ""
    _: KW_ONLY
    tokens: int = -1
    pairs: int = 0
    stored: int = 0
    stages: dict[str, float] | None = None


UNANSWERED = "unanswered"
_UNANSWERED = _Answer("error", UNANSWERED)


class Arrival(NamedTuple):
    """Something to be asked, and when, in seconds from the run's start; NaN: whenever somebody is free."""

    scheduled_s: float
    ask: Ask


class Asker:
    """The connections of one process; gives every outcome to `record`."""

    def __init__(
        self,
        server: str,
        *,
        index: str = "",
        deadline_s: float | None = None,
        worker: int = 0,
        record: Callable[[Outcome], None],
    ) -> None:
        """Connects to the server.

        Args:
            server: host:port.
            index: folder; "" where nothing is searched.
            deadline_s: seconds after its scheduled moment in which a request wants its answer.
            worker: number of this process.

        Raises:
            InputError: there is no such index, or it is of another embedder than the server's.
            ServerError: the server is away, or serves something else.
        """
        self.clock = RunClock(time.monotonic())
        self.worker = worker
        self._deadline_s = deadline_s
        self._record = record
        # Without patience: a client that tries again would hide that the server was away.
        self._client = InferenceClient.connect(server, patience_s=0.0)
        self._retriever: Retriever | None = None
        if index:
            from interlingua_client.search.retriever import Retriever

            self._retriever = Retriever.open(Path(index), server=server, patience_s=0.0)

    def require(self, kind: str) -> None:
        """Raises InputError where such requests cannot be answered."""
        if kind == "rerank" and self._client.services.rerank is None:
            raise InputError("the server has no reranker: publish one with `interlingua export`")
        if kind == "search" and self._retriever is None:
            raise InputError(_NO_INDEX)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        if self._retriever is not None:
            self._retriever.close()

    def send(self, arrival: Arrival) -> Outcome:
        """Ask, wait, record. A request that its greenlet is killed over was sent and never answered."""
        ask, sent = arrival.ask, self.clock.now()
        scheduled = sent if math.isnan(arrival.scheduled_s) else arrival.scheduled_s
        answer, finished = _UNANSWERED, math.nan
        try:
            answer = self._answered(ask, scheduled)
            finished = self.clock.now()
        finally:
            outcome = self._outcome(ask, scheduled, sent, finished, answer)
            self._record(outcome)
        return outcome

    def give_up(self, arrival: Arrival) -> Outcome:
        """Record a request that could not be sent before the run's end."""
        outcome = self._outcome(arrival.ask, arrival.scheduled_s, math.nan, math.nan, _Answer("unsent"))
        self._record(outcome)
        return outcome

    def _outcome(self, ask: Ask, scheduled: float, sent: float, finished: float, answer: _Answer) -> Outcome:
        return Outcome(
            number=ask.number,
            kind=ask.kind,
            language=ask.language,
            query_kind=ask.query_kind,
            depth=ask.depth,
            scheduled_s=scheduled,
            sent_s=sent,
            finished_s=finished,
            status=answer.status,
            detail=answer.detail,
            tokens=answer.tokens,
            pairs=answer.pairs,
            stored=answer.stored,
            worker=self.worker,
            **(answer.stages or _NO_STAGES),
        )

    def _answered(self, ask: Ask, scheduled: float) -> _Answer:
        try:
            return self._ask(ask, scheduled)
        except Exception as error:
            for type_, status, detail in _FAILURES:
                if isinstance(error, type_):
                    return _Answer(status, detail or _reason(status, str(error)))
            return _Answer("error", type(error).__name__)

    def _ask(self, ask: Ask, scheduled: float) -> _Answer:
        deadline = None if self._deadline_s is None else Deadline(self.clock.start + scheduled + self._deadline_s)
        if ask.kind == "search":
            return self._search(ask, deadline)
        if ask.kind == "rerank":
            reranked = self._client.rerank(ask.query, ask.documents, deadline)
            tokens = int(reranked.tokens.sum())
            return _Answer("ok", tokens=tokens, pairs=len(ask.documents), stages=_stages(reranked.times))
        texts = [ask.query] if ask.kind == "embed_query" else ask.documents
        embedded = self._client.embed(texts, "query" if ask.kind == "embed_query" else "document", deadline)
        return _Answer("ok", tokens=int(embedded.tokens.sum()), stages=_stages(embedded.times))

    def _search(self, ask: Ask, deadline: Deadline | None) -> _Answer:
        if self._retriever is None:
            raise InputError(_NO_INDEX)
        # No more hits than candidates: the retriever takes at least as many candidates as hits.
        result = self._retriever.search(
            ask.query,
            k=min(_HITS, ask.depth) or _HITS,
            candidates=ask.depth or _HITS,
            rerank=ask.depth > 0,
            deadline_s=None if deadline is None else deadline.remaining_s(),
        )
        return _found(result, wants_reranking=ask.depth > 0)


def _reason(status: str, message: str) -> str:
    """Why there was no answer: a kind, since the message may quote a text."""
    return next((kind for part, kind in _REASONS.get(status, ()) if part in message), "")


def _found(result: SearchResult, *, wants_reranking: bool) -> _Answer:
    reranking, times = result.reranking, result.times
    degraded = wants_reranking and reranking.depth < reranking.wanted
    names = ("queue_s", "tokenize_s", "compute_s", "network_s", "ann_s", "documents_s", "language_s", "rerank_s")
    return _Answer(
        "degraded" if degraded else "ok",
        _why(reranking.reason) if degraded else "",
        tokens=result.query_tokens,
        pairs=reranking.depth - reranking.stored,
        stored=reranking.stored,
        stages={name: _known(getattr(times, name)) for name in names},
    )


def _why(reason: str) -> str:
    from interlingua_client.search.search_log import reason_kind

    return reason_kind(reason)


def _stages(times: ServiceTimes) -> dict[str, Any]:
    reported = ("queue_s", "tokenize_s", "compute_s", "network_s")
    return _NO_STAGES | {name: _known(getattr(times, name)) for name in reported}


def _known(seconds: float | None) -> float:
    return math.nan if seconds is None else seconds
