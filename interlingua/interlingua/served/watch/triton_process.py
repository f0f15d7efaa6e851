"""One `tritonserver` process and all that it starts: begun, awaited, ended, without anything left behind.

    command -> what dead servers left is removed -> process in a group of its own -> ready -> ... -> SIGTERM -> gone

It ends with the process that started it, and its stubs end with it (stubs.py).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from interlingua.served.watch.restarts import TritonProcessError
from interlingua.served.watch.shared_memory import sweep
from interlingua.served.watch.start_watch import StartWatch
from interlingua.served.watch.stubs import Stub, end_orphans, stubs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from interlingua.served.watch.local_http import LocalTriton

_PR_SET_PDEATHSIG = 1
_LOOK_S, _LIST_S = 0.05, 0.3
_END_S = 5.0  # what Triton may take beyond its own timeout
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class TritonProcess:
    """A Triton, from before its start until after its end."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        http: LocalTriton,
        *,
        log: IO[bytes] | None = None,
        stop_timeout_s: float,
        start_timeout_s: float,
    ) -> None:
        """Nothing starts yet.

        Args:
            http: where it will listen.
            log: what it writes goes there; without, where ours goes.
            stop_timeout_s: how long running requests may take when it is told to stop.
            start_timeout_s: how long a start may get on with nothing before it is given up.
        """
        self.http, self.stop_timeout_s, self.start_timeout_s = http, stop_timeout_s, start_timeout_s
        self._command, self._environment, self._log = list(command), dict(environment), log
        self._known: set[Stub] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Remove what dead servers left, and start it. Raises OSError: there is no such program."""
        end_orphans()
        sweep()
        with held_signals():  # an exception between fork and assignment would leave a server that nobody ends
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT if self._log else None,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self) -> int:
        """Its process. Raises TritonProcessError: it was not started."""
        if self._process is None:
            raise TritonProcessError("the server is not running")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether its process does."""
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """The exit status of a server that ended by itself."""
        return self._process.poll() if self._process else None

    def stubs(self) -> list[Stub]:
        """The processes of its models, as they run now; those of before are remembered."""
        found = stubs_of(self.pid)
        self._known |= set(found)
        return found

    @property
    def known_stubs(self) -> frozenset[Stub]:
        """All that ever ran for it, as far as somebody looked."""
        return frozenset(self._known)

    def restart(self) -> float:
        """End what is left of it, start it, and wait; as `start` and `wait_until_ready`."""
        self.end(at_once=True)
        self.start()
        return self.wait_until_ready()

    def wait_until_ready(self, on_look: Callable[[float], None] | None = None) -> float:
        """Wait for every model; the seconds that took. `on_look` is told those so far.

        Raises:
            TritonProcessError: it ended, or is given up (start_watch.py); it may go well `again` unless Triton refused.
        """
        began = listed = time.monotonic()
        watch = StartWatch(self.pid, self.start_timeout_s)
        while not self.http.is_ready():
            if (status := self.status) is not None:
                raise TritonProcessError(f"Triton ended while it was starting, with status {status}", again=status < 0)
            if time.monotonic() - listed > _LIST_S:
                listed = time.monotonic()
                if why := watch.look(self.stubs()):
                    raise TritonProcessError(f"Triton is not ready after {listed - began:.0f} s: {why}", again=True)
            if on_look:
                on_look(time.monotonic() - began)
            time.sleep(_LOOK_S)
        self.stubs()
        return time.monotonic() - began

    def end(self, *, at_once: bool = False) -> None:
        """End all of it; running requests may take the stop timeout, unless `at_once`."""
        if (process := self._process) is None:
            return
        try:
            if process.poll() is None and not at_once:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self.stop_timeout_s + _END_S)
        finally:  # also where a second signal does not wait
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self._process = None
            sweep()


@contextmanager
def held_signals() -> Iterator[None]:
    """Let Python's handlers of the signals that end us wait until the block is done."""
    if threading.current_thread() is not threading.main_thread():  # handlers run in the main thread alone
        yield
        return
    came: list[int] = []
    before = [(number, signal.signal(number, lambda told, _: came.append(told))) for number in _SIGNALS]
    try:
        yield
    finally:
        for told, handler in before:
            signal.signal(told, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


def _die_with_parent() -> None:
    """In the child: ask the kernel for SIGTERM when the starting process is gone, however it went."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
