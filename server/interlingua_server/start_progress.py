"""Whether a server that is starting still does something: a busy machine makes it slow, not stuck.

/proc/*/stat of a process group --cpu_seconds--> StartProgress --stalled_s--> seconds since it last got on
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_STEP_S = 1.0  # CPU time that counts as getting on; an idle Triton takes minutes for it
_LOOK_S = 0.5


class StartProgress:
    """Watches a process group's CPU time; looks at it twice a second at most."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._counted = 0.0
        self._got_on = self._looked = time.monotonic()

    def stalled_s(self) -> float:
        """Seconds since the group last got on."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked, spent = now, cpu_seconds(self._group)
            if abs(spent - self._counted) >= _STEP_S:  # less than before: a process of the group ended
                self._counted, self._got_on = spent, now
        return now - self._got_on


def cpu_seconds(group: int) -> float:
    """CPU time of a process group's living processes, in user and system mode."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group:  # proc(5): from the state on; pgrp, ..., utime, stime
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
