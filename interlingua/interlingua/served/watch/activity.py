"""Which instances of a model are in an execution, since when, and which of them will never come out of it.

    stub: @ACTIVITY execute --executions, since when--> memory of its own --/proc/PID/fd--> HungInstances --> Stub

Triton 24.10 tells of models, not of instances: one that hangs is hidden by those that go on. What a stub tells lies in
an anonymous file, which ends with the process.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from contextlib import ContextDecorator, suppress
from typing import TYPE_CHECKING, NamedTuple

from interlingua.served.watch.progress import cpu_seconds_of
from interlingua.served.watch.stat import PROC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua.served.watch.stubs import Stub

_NAME = "interlingua-activity"
_CELLS = struct.Struct("dd")  # executions that ended; since when there is one, on the monotonic clock, or 0
_OTHERS = 50  # executions that the model's other instances end meanwhile, before one counts as hung
_IDLE_S = 0.2  # CPU time in an execution that does nothing


class Activity(ContextDecorator):
    """What this process tells; around each of its executions."""

    def __init__(self) -> None:
        self._file = os.memfd_create(_NAME)
        os.ftruncate(self._file, _CELLS.size)
        self._map = mmap.mmap(self._file, _CELLS.size)
        self._ended = 0

    def __enter__(self) -> None:
        _CELLS.pack_into(self._map, 0, self._ended, time.monotonic())

    def goes_on(self) -> None:
        """The execution has got a step further, and counts as one that begins now."""
        self.__enter__()

    def __exit__(self, *error: object) -> None:
        self._ended += 1
        _CELLS.pack_into(self._map, 0, self._ended, 0.0)


class Told(NamedTuple):
    """What a process told last: how many executions have ended, and since when there is one, or 0."""

    ended: float
    since: float


def told_by(pid: int) -> Told | None:
    """None of a process that is gone, is somebody else's, or tells nothing."""
    with suppress(OSError, struct.error):
        for link in (PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                if _NAME in str(link.readlink()):
                    return Told(*_CELLS.unpack(link.read_bytes()))
    return None


class _Beginning(NamedTuple):
    """An execution, as it was first seen: when, its process's CPU time, and what the others had ended."""

    since: float
    seen: float
    cpu_s: float
    others: float


class HungInstances:
    """Follows the executions of a server's stubs."""

    def __init__(self, silent_s: float) -> None:
        """`silent_s`: how long an execution may do nothing, or how much CPU time it may take."""
        self._silent_s = silent_s
        self._begun: dict[int, _Beginning] = {}

    def find(self, stubs: Iterable[Stub]) -> Stub | None:
        """One that is in the same execution for so long, while the other instances of its model have ended many.

        A machine with too much to do makes all of them slow; one that gets a little CPU time is left alone.
        """
        stubs = list(stubs)
        told = {stub: found for stub in stubs if (found := told_by(stub.pid))}
        begun, self._begun = self._begun, {}
        latest: tuple[float, Stub | None] = (0.0, None)
        for stub, (_, since) in told.items():
            if not since:
                continue
            others = sum(found.ended for other, found in told.items() if other.model == stub.model and other != stub)
            spent_s, now = cpu_seconds_of([stub.pid]), time.monotonic()
            first = begun.get(stub.pid)
            if first is None or first.since != since:
                first = _Beginning(since, now, spent_s, others)
            self._begun[stub.pid] = first
            age_s, works = now - first.seen, _IDLE_S <= spent_s - first.cpu_s < self._silent_s
            # A service that waits for a hung network hangs by that: what began last of all that take long is the cause.
            if age_s > self._silent_s / 2 and others - first.others >= _OTHERS and since > latest[0]:
                latest = since, None if works or age_s <= self._silent_s else stub
        return latest[1]
