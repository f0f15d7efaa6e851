"""Keeps a server answering when its processes end: a model is loaded again, or the whole server is started again.

    stubs ended -------------> that model, unloaded and loaded -----\\
    that did not help -------> the server, ended and started         } told, counted, fewer and fewer a minute
    tritonserver ended ------> the server, started -----------------/
    too often ---------------> ServerError: what ended, and how often

Triton itself does none of it (stubs.py).
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua_server.stubs import is_zombie, remove_regions

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua_server.embedded import EmbeddedServer
    from interlingua_server.stubs import Stub

_LOOK_S = 0.5
_LIST_S = 5.0
SERVER = "tritonserver"


@dataclass(frozen=True, kw_only=True)
class RestartLimits:
    """How often processes are started again.

    Attributes:
        most: restarts within `within_s`; one more ends the server.
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
        counts: restarts since the beginning, by model, or SERVER.
    """

    limits: RestartLimits = field(default_factory=RestartLimits)
    clock: Callable[[], float] = time.monotonic
    counts: Counter[str] = field(default_factory=Counter)
    _recent: deque[float] = field(default_factory=deque)

    def wait_s(self, name: str) -> float:
        """Note a restart and return how long to wait before it. Raises ServerError: there were too many."""
        now = self.clock()
        while self._recent and now - self._recent[0] > self.limits.within_s:
            self._recent.popleft()
        if len(self._recent) >= self.limits.most:
            listed = ", ".join(f"{what} {times} times" for what, times in self.counts.most_common())
            raise ServerError(
                f"{name} ended again after {len(self._recent)} restarts within {self.limits.within_s:.0f} s "
                f"({listed}): see the end of Triton's log, and whether memory was short (dmesg)"
            )
        self._recent.append(now)
        self.counts[name] += 1
        doubled = 2 ** (len(self._recent) - 2) if len(self._recent) > 1 else 0
        return min(self.limits.first_wait_s * doubled, self.limits.longest_wait_s)


class Supervisor:
    """Watches one server until it is told to stop."""

    def __init__(self, server: EmbeddedServer, say: Callable[[str], None], limits: RestartLimits | None = None) -> None:
        """`server` runs. `say` is told each restart, in a line."""
        self._server = server
        self._say = say
        self.restarts = Restarts(limits or RestartLimits())
        self._zombies: set[Stub] = set()
        self._list()

    def run(self) -> None:
        """Watch; never returns by itself.

        Raises:
            ServerError: too many restarts, or a server that does not start again.
        """
        while True:
            self.look()
            time.sleep(_LOOK_S)

    def look(self) -> bool:
        """Look once and mend what has ended; whether something had."""
        if not self._server.runs:
            self._restart_server(f"Triton ended with status {self._server.status}")
            return True
        ended = self._ended()
        if ended:
            for model in dict.fromkeys(stub.model for stub in ended):
                if not self._restart_model(model, [stub for stub in ended if stub.model == model]):
                    break  # the whole server is new, the other models with it
        elif time.monotonic() - self._listed > _LIST_S:
            self._list()  # a version may have been published meanwhile
        return bool(ended)

    def _ended(self) -> list[Stub]:
        """Zombies that were zombies at the last look, too: Triton needs a moment to wait for one that it ended."""
        zombies = {stub for stub in self._stubs if is_zombie(stub, self._server.pid)}
        lasting, self._zombies = zombies & self._zombies, zombies
        return sorted(lasting)

    def _list(self) -> None:
        self._stubs, self._listed = self._server.stubs(), time.monotonic()

    def _restart_model(self, model: str, ended: list[Stub]) -> bool:
        """Whether that was enough; else the server was started again."""
        began = time.monotonic()
        names = ", ".join(stub.instance for stub in ended)
        self._say(f"{model}: the process of {names} ended; loading the model again")
        time.sleep(self.restarts.wait_s(model))
        try:
            self._server.control.restart(model)
        except ServerError as error:
            self._restart_server(f"{model} could not be loaded again ({error})")
            return False
        remove_regions([stub.region for stub in self._stubs if stub.model == model])
        self._list()
        self._say(f"{model}: answers again after {time.monotonic() - began:.1f} s{self._total(model)}")
        return True

    def _restart_server(self, reason: str) -> None:
        self._say(f"{reason}; starting the server again")
        time.sleep(self.restarts.wait_s(SERVER))
        seconds = self._server.restart()
        self._list()
        self._say(f"ready again after {seconds:.1f} s{self._total(SERVER)}")

    def _total(self, name: str) -> str:
        return f" (restart {self.restarts.counts[name]} of {name})"
