"""What is wrong with a Triton that starts, as far as its processes show it; and the one more try that a start has.

    a process of a model stopped (SIGSTOP) for 5 s ---> given up: Triton waits for it without an end, alive or ended
    tritonserver stopped -----------------------------> continued
    nothing at work, for a sixth of the timeout ------> given up: somebody waits for what will not come
    next to no CPU time, for the timeout -------------> given up

At work is what runs, or waits for a processor or a disk: a machine with too much to do ends no start.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from interlingua.served.watch.progress import CpuProgress, GroupRest, cpu_seconds
from interlingua.served.watch.restarts import TritonProcessError
from interlingua.served.watch.stat import processes
from interlingua.served.watch.stopped import STOPPED_S, StoppedProcesses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from interlingua.served.watch.stubs import Stub

_REST = 1 / 6


class StartWatch:
    """Watches one start."""

    def __init__(self, triton: int, timeout_s: float, stopped_s: float = STOPPED_S) -> None:
        """`triton`: tritonserver's process, and its group. `timeout_s`: how long it may get on with nothing.

        `stopped_s`: how long a process may be stopped.
        """
        self._triton, self._timeout_s = triton, timeout_s
        self._progress, self._rest = CpuProgress(lambda: cpu_seconds(triton)), GroupRest(triton)
        self._stopped = StoppedProcesses(stopped_s)

    def look(self, stubs: Iterable[Stub]) -> str:
        """What the start is to be given up for; "" as long as it may get on. `stubs` run for it now."""
        names = {stub.pid: stub.instance for stub in stubs}
        group = [found.pid for found in processes() if found.group == self._triton]
        for pid, stopped_s in self._stopped.lasting(group).items():
            if pid != self._triton:
                return f"{names.get(pid, f'its process {pid}')} was stopped (SIGSTOP) for {stopped_s:.0f} s"
            self._stopped.forget(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if self._rest.rested_s() > _REST * self._timeout_s:
            return (
                f"none of its processes ran, or waited for a processor or a disk, for {_REST * self._timeout_s:.0f} s"
            )
        if self._progress.stalled_s() > self._timeout_s:
            return f"it used next to no CPU time in the last {self._timeout_s:.0f} s"
        return ""


def tried_twice(start: Callable[[], object], say: Callable[[str], None]) -> None:
    """Start, and once more where another start may go well. Raises TritonProcessError."""
    try:
        start()
    except TritonProcessError as fault:
        if not fault.again:
            raise
        say(f"{fault}; starting it once more")
        start()
