"""Whether a service has to refuse what it is given, because more comes than it can do.

    requests that wait x seconds a request / instances --> wait of the last one --refuses--> this batch is answered
                                                                                            `overloaded:`, unread

Triton's queue has no bound that can be used (no queue policies: they stall), does not say when a request came, and its
clients may state no deadline. A burst is worked off; a queue that stands is cut down to a short one and kept there
until it is gone, as CoDel does with packets (RFC 8289). What is refused is the oldest: its client has waited longest,
and the next to come waits least. A service's instances all see the same queue, and each decides for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.served.limits import REQUESTS_IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

FREE_REQUESTS = 2 * REQUESTS_IN_FLIGHT
"""Requests that may wait however long it takes: what two clients of ours have under way."""

_TARGET = 0.1  # of the longest wait: what is left of a queue that stands
_PATIENCE = 0.2  # of the longest wait: how long a queue may be longer than that
_FADING = 0.8  # what a batch leaves of the weight of those before it
_SHORTEST_HINT_S, _LONGEST_HINT_S = 0.05, 5.0


class StandingQueue:
    """The queue in front of a service, as one of its instances sees it."""

    def __init__(self, longest_wait_s: float, instances: int, clock: Callable[[], float]) -> None:
        """`longest_wait_s`: no request is to wait longer; 0 where everything is to be worked off."""
        self._longest_s, self._instances, self._clock = longest_wait_s, instances, clock
        self._seconds = self._requests = 0.0
        self._long_since: float | None = None
        self._stands = False

    def worked(self, requests: int, seconds: float) -> None:
        """A batch of so many requests took so long."""
        self._seconds = _FADING * self._seconds + seconds
        self._requests = _FADING * self._requests + requests

    def wait_s(self, waiting: int) -> float:
        """Seconds until so many requests are worked off, at the recent rate."""
        return waiting * self._seconds / self._requests / self._instances if self._requests else 0.0

    def refuses(self, waiting: int) -> bool:
        """Whether a batch is to be refused, behind which so many requests wait."""
        if not self._longest_s:
            return False
        wait_s, now = self.wait_s(waiting), self._clock()
        if waiting <= FREE_REQUESTS or wait_s <= _TARGET * self._longest_s:
            if waiting <= FREE_REQUESTS:
                self._stands = False
            self._long_since = None
            return False
        if self._long_since is None:
            self._long_since = now
        self._stands = self._stands or now - self._long_since >= _PATIENCE * self._longest_s
        return self._stands or wait_s > self._longest_s

    def message(self, waiting: int) -> str:
        """What a refused client is told; `again_in_ms` reads the end of it."""
        wait_s = self.wait_s(waiting)
        hint_s = min(max(wait_s, _SHORTEST_HINT_S), _LONGEST_HINT_S)
        return f"overloaded: {waiting} requests wait, for {wait_s:.1f} s: try again in {1e3 * hint_s:.0f} ms"
