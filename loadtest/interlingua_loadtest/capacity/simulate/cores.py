"""Work that runs at once on the same cores slows itself down.

    start(seconds alone, threads) --> running --> due: when the next of it ends

Everything that runs has the same share, so one virtual clock serves all: it counts the seconds of lone work that each
running piece has got done, and runs slower the more threads are busy (egalitarian processor sharing; Kleinrock,
Queueing Systems, volume 2, 1976, section 4.4). How much slower is measured (service_time.py).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Any

Done = Callable[[float, Any], None]


class Slowdown:
    """How many times longer a piece of work takes, by the number of threads that are busy."""

    def __init__(self, cores: int, measured: Sequence[tuple[int, float]] = ()) -> None:
        """`measured`: (busy threads, times as long); between two points a line, beyond the last in proportion.

        Without points all cores are as good as one alone, and threads beyond them share.
        """
        self.cores = cores
        # Two measured as faster than one is the luck of the draw: nothing is gained by sharing.
        self._points = sorted({1: 1.0, **{at: max(factor, 1.0) for at, factor in measured}}.items()) if measured else []

    def factor(self, threads: int) -> float:
        """At least 1."""
        return max(self._interpolated(threads), 1.0)

    def _interpolated(self, threads: int) -> float:
        if not self._points:
            return threads / self.cores
        last, factor = self._points[-1]
        if threads >= last:
            # Beyond what was measured: nothing more gets slower until the cores are full, then all of it in proportion.
            return factor * max(threads, self.cores) / max(last, self.cores)
        for (low, below), (high, above) in zip(self._points, self._points[1:], strict=False):
            if low <= threads <= high:
                return below + (above - below) * (threads - low) / (high - low)
        return 1.0


class Cores:
    """The cores of one machine, or a GPU.

    Attributes:
        due: when the next piece of work ends, in seconds; infinite while there is none.
        busy_s: seconds that all cores were busy, so far; one busy core of two counts half.
    """

    __slots__ = ("_at", "_busy", "_clock", "_cores", "_factors", "_running", "_started", "busy_s", "due")

    def __init__(self, slowdown: Slowdown, most_threads: int) -> None:
        """`most_threads`: that can ever be busy at once."""
        self._cores = slowdown.cores
        self._factors = [slowdown.factor(threads) for threads in range(most_threads + 1)]
        self._running: list[tuple[float, int, int, Done, Any]] = []
        self._busy = 0  # threads
        self._clock = 0.0  # seconds of lone work
        self._at = 0.0
        self._started = 0
        self.due = math.inf
        self.busy_s = 0.0

    def start(self, now: float, seconds: float, threads: int, done: Done, what: Any) -> None:
        """Begin work that takes `seconds` alone; `done(time, what)` is for whoever calls `finish`."""
        if self._busy:
            self._clock += (now - self._at) / self._factors[self._busy]
            self.busy_s += (now - self._at) * min(self._busy / self._cores, 1.0)
        self._at = now
        self._started += 1
        heapq.heappush(self._running, (self._clock + seconds, self._started, threads, done, what))
        self._busy += threads
        self.due = now + max(self._running[0][0] - self._clock, 0.0) * self._factors[self._busy]

    def finish(self) -> tuple[Done, Any]:
        """Take out what ends at `due`; the time is then `due` as it was before."""
        end, _, threads, done, what = heapq.heappop(self._running)
        self.busy_s += (self.due - self._at) * min(self._busy / self._cores, 1.0)
        self._clock = end
        self._at = self.due
        self._busy -= threads
        self.due = (
            self._at + max(self._running[0][0] - end, 0.0) * self._factors[self._busy] if self._running else math.inf
        )
        return done, what
