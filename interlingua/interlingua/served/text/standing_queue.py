"""How much a service refuses of what it is given, because more comes than it can do.

    requests that wait x seconds a request / instances --> seconds of the last one --kept--> the newest so many of a
                                                              batch; the others are answered `overloaded:`, unread

Triton's queue has no bound that can be used (no queue policies: they stall), does not say when a request came, and its
clients may state no deadline. A burst is worked off; a queue that stands is cut down to a short one and kept there
until no queue has stood for a while, as CoDel does with packets (RFC 8289), and batches are kept as short. What is
refused is the oldest: its client has waited longest, and the next to come waits least. A service's instances all see
the same queue, and each decides for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.served.limits import REQUESTS_IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

FREE_REQUESTS = 2 * REQUESTS_IN_FLIGHT
"""Requests that may wait however long it takes: what two clients of ours have under way."""

_TARGET = 0.05  # of the longest wait: what is left of a queue that stands, and how long its batches are
_PATIENCE = (
    0.2  # of the longest wait: how long a queue is longer than that before it stands, and shorter until it does not
)
_LEAST = 8  # requests of a batch that are computed then
_FADING = 0.8  # what a batch leaves of the weight of those before it
_SHORTEST_HINT_S, _LONGEST_HINT_S = 0.05, 5.0


class StandingQueue:
    """The queue in front of a service, as one of its instances sees it."""

    def __init__(self, longest_wait_s: float, instances: int, clock: Callable[[], float]) -> None:
        """`longest_wait_s`: no request is to wait longer; 0 where everything is to be worked off."""
        self._longest_s, self._instances, self._clock = longest_wait_s, instances, clock
        self._seconds = self._requests = 0.0
        self._stands = False
        self._changes_since: float | None = None  # it has looked the other way

    def worked(self, requests: int, seconds: float) -> None:
        """A batch of so many requests took so long."""
        self._seconds = _FADING * self._seconds + seconds
        self._requests = _FADING * self._requests + requests

    def wait_s(self, waiting: int) -> float:
        """Seconds until so many requests are worked off, at the recent rate."""
        return waiting * self._request_s / self._instances

    def kept(self, requests: int, waiting: int) -> int:
        """How many of a batch's requests are to be computed, behind which so many wait."""
        wait_s, target_s = self.wait_s(waiting), _TARGET * self._longest_s
        is_long = waiting > FREE_REQUESTS and wait_s > target_s
        self._observe(is_long=is_long)
        if not self._longest_s or not self._request_s:
            return requests
        if is_long and (self._stands or wait_s > self._longest_s):
            return 0
        return min(requests, max(_LEAST, int(target_s / self._request_s))) if self._stands else requests

    def message(self, waiting: int) -> str:
        """What a refused client is told, with how long to wait at its end."""
        wait_s = self.wait_s(waiting)
        hint_s = min(max(wait_s, _SHORTEST_HINT_S), _LONGEST_HINT_S)
        return f"overloaded: {waiting} requests wait, for {wait_s:.1f} s: try again in {1e3 * hint_s:.0f} ms"

    @property
    def _request_s(self) -> float:
        """Seconds of one instance a request; 0 before the first."""
        return self._seconds / self._requests if self._requests else 0.0

    def _observe(self, *, is_long: bool) -> None:
        if is_long == self._stands:
            self._changes_since = None
            return
        now = self._clock()
        if self._changes_since is None:
            self._changes_since = now
        elif now - self._changes_since >= _PATIENCE * self._longest_s:
            self._stands, self._changes_since = is_long, None
