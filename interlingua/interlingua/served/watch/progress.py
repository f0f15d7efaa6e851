"""Whether processes still do something: a busy machine makes them slow, not stuck.

cpu_seconds(group) or cpu_seconds_of(pids) --> CpuProgress --stalled_s--> seconds since they last got on
states of a group's threads ---------------> GroupRest ----rested_s---> seconds in which none wanted to get on
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from interlingua.served.watch.stat import is_at_work, process_stat, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STEP_S = 1.0  # CPU time that counts as getting on; an idle Triton takes minutes for it
_STIR_S = 0.5  # CPU time that ends a rest
_LOOK_S = 0.5


class CpuProgress:
    """Watches CPU time; looks at it twice a second at most."""

    def __init__(self, spent: Callable[[], float], step_s: float = _STEP_S) -> None:
        """`spent` says how much there was so far, in seconds; less than before where a process ended."""
        self._spent, self._step_s = spent, step_s
        self._counted = 0.0
        self._got_on = self._looked = time.monotonic()

    def stalled_s(self) -> float:
        """Seconds since they last got on."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked, spent = now, self._spent()
            if abs(spent - self._counted) >= self._step_s:
                self._counted, self._got_on = spent, now
        return now - self._got_on


class GroupRest:
    """Watches a process group for a rest: nothing runs, or waits for a processor or a disk.

    Looks are counted, not the clock: who looks seldom is short of CPU time himself. A look that meets something at work
    takes two others back, since threads that tell of their process's health wake up now and then.
    """

    def __init__(self, group: int) -> None:
        self._group, self._counted, self._rested_s = group, 0.0, 0.0
        self._looked = time.monotonic()

    def rested_s(self) -> float:
        """Seconds of rest; looks twice a second at most."""
        if time.monotonic() - self._looked < _LOOK_S:
            return self._rested_s
        self._looked = time.monotonic()
        members = [found for found in processes() if found.group == self._group]
        spent = sum(found.cpu_s for found in members)
        if abs(spent - self._counted) >= _STIR_S:
            self._counted, self._rested_s = spent, 0.0
        elif any(is_at_work(found.pid) for found in members):
            self._rested_s = max(0.0, self._rested_s - 2 * _LOOK_S)
        else:
            self._rested_s += _LOOK_S
        return self._rested_s


def cpu_seconds(group: int) -> float:
    """CPU time of a process group's living processes, in user and system mode."""
    return sum(found.cpu_s for found in processes() if found.group == group)


def cpu_seconds_of(pids: Iterable[int]) -> float:
    """CPU time of some processes."""
    return sum(found.cpu_s for found in map(process_stat, pids) if found)
