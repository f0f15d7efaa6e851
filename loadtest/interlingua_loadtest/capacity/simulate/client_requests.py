"""How the client sends many texts: a few a request, a bounded number of requests in flight.

texts --a few each--> jobs at a service --all answered, or one refused--> done
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from interlingua.served.limits import REQUESTS_IN_FLIGHT, TEXTS_PER_REQUEST

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.simulate.stations import Jobs, Service

Later = Callable[[float, Callable[[float, Any], None], Any], None]


class Group:
    """Requests that belong together.

    Attributes:
        what: whatever the sender wants to find again.
        jobs: those sent so far; `last` is the one that was answered last, the first if none was.
        refused: one of them was, or their deadline passed; nobody waits for the others any more.
    """

    __slots__ = ("deadline", "done", "in_flight", "is_over", "jobs", "last", "refused", "service", "waiting", "what")

    def __init__(self, service: Service, deadline: float, done: Callable[[float, Group], None], what: Any) -> None:
        self.service = service
        self.deadline = deadline
        self.done = done
        self.what = what
        self.waiting: list[list[int]] = []
        self.jobs: list[int] = []
        self.last = -1
        self.in_flight = 0
        self.refused = False
        self.is_over = False


class ClientRequests:
    """All groups of a run."""

    def __init__(self, jobs: Jobs, later: Later, transport_s: float) -> None:
        """`later(when, do, what)` has `do(when, what)` called; `transport_s` is a request's way there and back."""
        self._jobs = jobs
        self._later = later
        self._transport_s = transport_s

    def send(
        self,
        now: float,
        service: Service,
        texts: list[int],
        deadline: float,
        done: Callable[[float, Group], None],
        what: Any,
    ) -> None:
        """Send texts, given as their tokens; `done(time, group)` follows when all are answered or time is up."""
        group = Group(service, deadline, done, what)
        size = min(TEXTS_PER_REQUEST, service.max_batch)
        group.waiting = [texts[start : start + size] for start in range(0, len(texts), size)]
        group.waiting.reverse()
        for _ in range(min(REQUESTS_IN_FLIGHT, len(group.waiting))):
            self._send_next(now, group)
        group.last = group.jobs[0]
        if deadline != math.inf:
            self._later(max(deadline, now), self._expire, group)

    def _send_next(self, now: float, group: Group) -> None:
        group.in_flight += 1
        job = self._jobs.add(group.waiting.pop(), group.deadline, group)
        group.jobs.append(job)
        group.service.arrive(now, job)

    def answered(self, now: float, job: int) -> None:
        """A service has answered, or refused, a job of a group."""
        self._later(now + self._transport_s, self._received, job)

    def _received(self, now: float, job: int) -> None:
        group = self._jobs.group[job]
        if group is None or group.is_over:
            return
        group.in_flight -= 1
        group.last = job
        if self._jobs.shed[job]:
            self._give_up(now, group)
        elif group.waiting:
            self._send_next(now, group)
        elif not group.in_flight:
            group.is_over = True
            group.done(now, group)

    def _expire(self, now: float, group: Group) -> None:
        if not group.is_over:
            self._give_up(now, group)

    def _give_up(self, now: float, group: Group) -> None:
        """The client cancels what is under way: a service drops it unless its batch has begun."""
        group.refused = group.is_over = True
        for job in group.jobs:
            self._jobs.deadline[job] = min(self._jobs.deadline[job], now)
        group.done(now, group)
