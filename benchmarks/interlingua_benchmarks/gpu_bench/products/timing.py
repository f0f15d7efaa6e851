"""How calls are timed: nothing counts before the device is warm, and no clock is read before it has done its work.

call, wait --pass_seconds--> seconds of each repeat
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

Step = Callable[[], object]


def once(call: Step, wait: Step) -> float:
    """Seconds from an idle device to one that is idle again."""
    wait()
    began = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - began


def times(work: Step, count: int) -> Step:
    """The same, so many times over."""

    def many() -> None:
        for _ in range(count):
            work()

    return many


def fitting(seconds: float, wanted_s: float) -> int:
    """How often something that takes so long fits into the time wanted, at least once."""
    return max(1, math.floor(wanted_s / max(seconds, 1e-9)))
