"""Which processes are stopped (SIGSTOP), and for how long.

    pids --/proc/PID/stat, look after look--> state T --lasting--> those that are so for longer than they may

What a debugger holds (state t) is left alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from interlingua.served.watch.stat import STOPPED, process_stat

if TYPE_CHECKING:
    from collections.abc import Iterable

STOPPED_S = 5.0


class StoppedProcesses:
    """Follows them."""

    def __init__(self, patience_s: float = STOPPED_S) -> None:
        """`patience_s`: how long a process may be stopped."""
        self._patience_s = patience_s
        self._since: dict[int, float] = {}

    def __len__(self) -> int:
        """How many were stopped at the last look."""
        return len(self._since)

    def lasting(self, pids: Iterable[int]) -> dict[int, float]:
        """Say which have been stopped for too long: seconds by process."""
        now = time.monotonic()
        stopped = [pid for pid in pids if (found := process_stat(pid)) and found.state == STOPPED]
        self._since = {pid: self._since.get(pid, now) for pid in stopped}
        return {pid: now - since for pid, since in self._since.items() if now - since > self._patience_s}

    def forget(self, pid: int) -> None:
        """It was continued, or ended."""
        self._since.pop(pid, None)
