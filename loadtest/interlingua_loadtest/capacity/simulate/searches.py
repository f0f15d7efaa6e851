"""What the client does with the requests that are more than one request to Triton.

    search: query --embed_query--> vector --candidates--> pairs, as many as there is time for --rerank--> scores
            query --embed_query | reranker's side--> both --candidates, compared by stored token vectors--> scores
    many texts: --a few a request--> all answered

The depth under a deadline is the client's own code (rerank_pace.py); one client makes all searches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

from interlingua_client.search.rerank_pace import RerankPace
from interlingua_loadtest.capacity.simulate.timeline import DEADLINE, DEGRADED, OK

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline
    from interlingua_loadtest.capacity.simulate.client_requests import ClientRequests, Group, Later
    from interlingua_loadtest.capacity.simulate.stations import Service


class SimulatedOutcome(NamedTuple):
    """What became of one request.

    Attributes:
        rerank_s: from sending a search's first pairs to having the last scores.
        pairs: that a search got scores for.
    """

    finished: float
    status: int
    rerank_s: float = 0.0
    pairs: int = 0


class _Remaining:
    """What the pace asks of a deadline, in simulated time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def remaining_s(self) -> float:
        return self._seconds


class _Search:
    """One search on its way.

    Attributes:
        number: its request's.
        pairs: tokens of the pairs that are not sent yet.
        deadline: an instant.
        began: when the reranking did.
        sent: pairs under way, since `sent_at`.
        sides: answers that it still waits for before it has candidates; with more than one nothing is sent after.
        status: of a search of two sides, once its vector is there.
    """

    __slots__ = ("began", "deadline", "number", "pairs", "scored", "sent", "sent_at", "sides", "status")

    def __init__(self, number: int, pairs: list[int], deadline: float) -> None:
        self.number = number
        self.pairs = pairs
        self.deadline = deadline
        self.began = math.nan
        self.sent = 0
        self.sent_at = math.nan
        self.scored = 0
        self.sides = 0
        self.status = OK


class Searches:
    """All searches, and all requests of many texts, of a run.

    Attributes:
        outcomes: by the request's number.
        shown: the job whose stages stand for it, by the request's number.
    """

    def __init__(
        self, requests: ClientRequests, rerank: Service | None, later: Later, *, between_s: float, one_side: bool
    ) -> None:
        """For a run.

        Args:
            between_s: seconds from a query's vector to having its candidates' texts.
            one_side: searches send the reranker their question, beside the embedder, and no pairs.
        """
        self._one_side = one_side and rerank is not None
        self._requests = requests
        self._rerank = rerank
        self._later = later
        self._between_s = between_s
        self._pace = RerankPace()
        self.outcomes: dict[int, SimulatedOutcome] = {}
        self.shown: dict[int, int] = {}

    def begin_many(self, now: float, number: int, service: Service, texts: list[int], deadline: float) -> None:
        """A request of more texts than go into one."""
        self._requests.send(now, service, texts, deadline, self._many_done, number)

    def _many_done(self, now: float, group: Group) -> None:
        number = cast("int", group.what)
        self.shown[number] = group.last
        self.outcomes[number] = SimulatedOutcome(now, DEADLINE if group.refused else OK)

    def begin(self, now: float, number: int, embed: Service, texts: list[int], deadline: float) -> None:
        """A search: the first of the texts is the query, the others are its pairs."""
        search = _Search(number, texts[1:], deadline)
        if self._one_side and self._rerank is not None and search.pairs:
            question, search.pairs, search.sides = search.pairs, [], 2
            self._requests.send(now, self._rerank, question, deadline, self._encoded, search)
            self._requests.send(now, embed, texts[:1], deadline, self._embedded_beside, search)
            return
        self._requests.send(now, embed, texts[:1], deadline, self._embedded, search)

    def _encoded(self, now: float, group: Group) -> None:
        search = cast("_Search", group.what)
        if group.refused:
            search.status = DEGRADED
        self._has_side(now, search)

    def _embedded_beside(self, now: float, group: Group) -> None:
        search = cast("_Search", group.what)
        self.shown[search.number] = group.last
        if group.refused:  # nobody waits for the other side then
            self._end(now, search, DEADLINE)
        else:
            self._has_side(now, search)

    def _has_side(self, now: float, search: _Search) -> None:
        search.sides -= 1
        if search.sides == 0:
            self._later(now + self._between_s, self._compared, search)

    def _compared(self, now: float, search: _Search) -> None:
        self._end(now, search, search.status)

    def _embedded(self, now: float, group: Group) -> None:
        search = cast("_Search", group.what)
        self.shown[search.number] = group.last
        if group.refused:
            self._end(now, search, DEADLINE)
            return
        search.began = now + self._between_s
        self._later(search.began, self._rerank_next, search)

    def _rerank_next(self, now: float, search: _Search) -> None:
        if not search.pairs or self._rerank is None:
            self._end(now, search, OK)
            return
        deadline = None if search.deadline == math.inf else cast("Deadline", _Remaining(search.deadline - now))
        depth = self._pace.depth(len(search.pairs), deadline)
        if depth == 0:
            self._end(min(now, search.deadline), search, DEGRADED)  # it may have passed while candidates were found
            return
        part, search.pairs = search.pairs[:depth], search.pairs[depth:]
        search.sent, search.sent_at = depth, now
        self._requests.send(now, self._rerank, part, search.deadline, self._reranked, search)

    def _reranked(self, now: float, group: Group) -> None:
        search = cast("_Search", group.what)
        if group.refused:
            self._end(now, search, DEGRADED)
            return
        self._pace.record(search.sent, now - search.sent_at)
        search.scored += search.sent
        self._rerank_next(now, search)

    def _end(self, now: float, search: _Search, status: int) -> None:
        rerank_s = 0.0 if math.isnan(search.began) else max(now - search.began, 0.0)
        self.outcomes[search.number] = SimulatedOutcome(now, status, rerank_s, search.scored)
