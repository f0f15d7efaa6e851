"""The supervisor's restarts on Triton's metrics page, which only Triton's own processes write.

    restarts.json --read_counts--> a stub that is asked something --increment--> interlingua_restarts_total{what}

Whichever stub sees a new count first adds it, under a lock: the page has one value for all of them.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from interlingua.served.watch.restarts import COUNTS_VARIABLE, read_counts

if TYPE_CHECKING:
    from collections.abc import Callable

RESTARTS = "interlingua_restarts_total"
DESCRIPTION = "Times that a model was loaded again, or the whole server (tritonserver) started again"


class _Counted(Protocol):
    def increment(self, value: float) -> None: ...
    def value(self) -> float: ...


class RestartMetric:
    """Brings the page up to what the supervisor has counted."""

    def __init__(self, metric_of: Callable[[str], _Counted], file: str = os.environ.get(COUNTS_VARIABLE, "")) -> None:
        """`metric_of` makes the counter of what was started again; `file` is "" where nobody supervises."""
        self._metric_of, self._file = metric_of, file
        self._metrics: dict[str, _Counted] = {}
        self._seen: dict[str, int] = {}

    def update(self) -> None:
        """Add what is new, unless another process is just doing it."""
        if not self._file or (counts := read_counts(Path(self._file))) == self._seen:
            return
        with suppress(BlockingIOError), Path(f"{self._file}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for what, count in counts.items():
                if what not in self._metrics:
                    self._metrics[what] = self._metric_of(what)
                metric = self._metrics[what]
                if (more := count - metric.value()) > 0:
                    metric.increment(more)
            self._seen = counts
