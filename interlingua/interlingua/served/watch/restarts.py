"""How often processes are started again, and where the count is kept for the metrics page.

Supervisor --wait_s--> Restarts --write--> file --read_counts--> text backend --> interlingua_restarts_total
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COUNTS_VARIABLE = "INTERLINGUA_RESTARTS_FILE"
"""Environment variable of Triton that names the file of counts."""


class TritonProcessError(Exception):
    """Triton does not start, or ends too often; the message says what was seen, in a line.

    Attributes:
        again: it did not refuse to start, and may well do so at the next try.
    """

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


@dataclass(frozen=True)
class RestartLimits:
    """How often a model, or the server, is started again.

    Attributes:
        most: restarts of the same one within `within_s`; one more ends the server.
        first_wait_s: before the second restart within that time; twice as long before each further one.
    """

    most: int = 5
    within_s: float = 600.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0


@dataclass
class Restarts:
    """When what was started again, and what has to be waited for until the next.

    Attributes:
        file: gets the counts, where there is one.
        counts: restarts since the beginning, by model, or SERVER.
    """

    limits: RestartLimits = field(default_factory=RestartLimits)
    clock: Callable[[], float] = time.monotonic
    file: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _recent: defaultdict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def begin(self, names: Iterable[str]) -> None:
        """Name what may be started again: a counter that begins at 0 shows its first rise."""
        self.counts.update(dict.fromkeys(names, 0))
        self._write()

    def wait_s(self, name: str, reason: str) -> float:
        """Note a restart and return how long to wait before it. Raises TritonProcessError: `name` had too many."""
        now, recent = self.clock(), self._recent[name]
        while recent and now - recent[0] > self.limits.within_s:
            recent.popleft()
        if len(recent) >= self.limits.most:
            listed = ", ".join(f"{what} {times}" for what, times in self.counts.most_common() if times)
            raise TritonProcessError(
                f"{reason}; {name} was restarted {len(recent)} times within {self.limits.within_s:.0f} s, which is the "
                f"most (all restarts since the beginning: {listed or 'none'}): see the end of Triton's log, and "
                "whether memory was short (dmesg)"
            )
        recent.append(now)
        self.counts[name] += 1
        self._write()
        doubled = 2 ** (len(recent) - 2) if len(recent) > 1 else 0
        return min(self.limits.first_wait_s * doubled, self.limits.longest_wait_s)

    def _write(self) -> None:
        """A full disk makes the page's counts late, and ends no server."""
        if self.file:
            beside = self.file.with_suffix(".new")
            with suppress(OSError):
                beside.write_text(json.dumps(self.counts))
                beside.replace(self.file)


def read_counts(file: Path) -> dict[str, int]:
    """What the supervisor has written; nothing where it has not, yet."""
    try:
        counts: dict[str, int] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return counts
