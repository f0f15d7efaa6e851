"""What the kernel says of a process: /proc/PID/stat (proc(5))."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
ZOMBIE, STOPPED = "Z", "T"
_AT_WORK = frozenset("RDt")  # runs or could, waits for a disk, is held by a debugger
_STATE, _PARENT, _GROUP, _USER, _SYSTEM = 0, 1, 2, 11, 12  # behind the name, which may hold spaces
_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessStat:
    """One process, as it was a moment ago.

    Attributes:
        state: a letter; ZOMBIE has ended and nobody took notice, STOPPED waits for SIGCONT.
        cpu_s: seconds in user and system mode since its beginning.
    """

    pid: int
    state: str
    parent: int
    group: int
    cpu_s: float


def process_stat(pid: int) -> ProcessStat | None:
    """One process; None where there is none."""
    try:
        parts = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    cpu_s = (int(parts[_USER]) + int(parts[_SYSTEM])) / _TICKS_S
    return ProcessStat(pid, parts[_STATE], int(parts[_PARENT]), int(parts[_GROUP]), cpu_s)


def is_at_work(pid: int) -> bool:
    """Whether a thread of it runs, waits for a processor or a disk, or is held by a debugger."""
    return any(_state(path) in _AT_WORK for path in (PROC / str(pid) / "task").glob("*/stat"))


def _state(path: Path) -> str:
    try:
        return path.read_text().rpartition(")")[2].split()[_STATE]
    except OSError:
        return ""


def processes() -> Iterator[ProcessStat]:
    """All that can be seen."""
    for path in PROC.glob("[0-9]*"):
        if found := process_stat(int(path.name)):
            yield found
