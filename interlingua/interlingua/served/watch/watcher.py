"""Keeps a server answering when its processes end or stop: a model is loaded again, or the whole server started again.

    stubs ended --------------> that model, unloaded and loaded ------\\
    a question unanswered ----> its service, likewise (asker.py)       \\
    that did not help --------> the server, ended and started           } told, counted, fewer and fewer a minute
    tritonserver ended -------> the server, started -------------------/
    a process stopped --------> tritonserver is continued, a stub ended
    one instance hangs -------> it is ended (activity.py)
    too often ----------------> TritonProcessError: what ended, and how often

Triton itself does none of it (stubs.py).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from interlingua.served.watch.activity import HungInstances
from interlingua.served.watch.asker import Patience, ServiceAsker, Trouble
from interlingua.served.watch.canary import ask_first, served
from interlingua.served.watch.local_http import AnswerError, LocalTriton
from interlingua.served.watch.progress import CpuProgress, cpu_seconds, cpu_seconds_of
from interlingua.served.watch.restarts import RestartLimits, Restarts, TritonProcessError
from interlingua.served.watch.shared_memory import remove
from interlingua.served.watch.stopped import StoppedProcesses
from interlingua.served.watch.stubs import unnamed_zombies

if TYPE_CHECKING:
    from interlingua.served.watch.stubs import Stub

_LOOK_S = 0.5
_OUTLIVED_S, _IDLE_STEP_S = 5.0, 0.1  # without so much CPU time in so long, nothing runs there any more
_LIST_S = 5.0
SERVER = "tritonserver"


class WatchedServer(Protocol):
    """A server that can be watched and started again (TritonProcess has most of it)."""

    @property
    def pid(self) -> int: ...
    @property
    def runs(self) -> bool: ...
    @property
    def status(self) -> int | None: ...
    @property
    def http(self) -> LocalTriton: ...
    @property
    def known_stubs(self) -> Collection[Stub]: ...
    def stubs(self) -> list[Stub]: ...
    def restart(self) -> float: ...


class Watcher:
    """Watches one server until it is told to stop."""

    def __init__(
        self,
        server: WatchedServer,
        say: Callable[[str], None],
        limits: RestartLimits | None = None,
        *,
        patience: Patience | None = None,
        counts: Path | None = None,
    ) -> None:
        """`server` runs. `say` is told each restart, in a line; `counts` is the file for the metrics page."""
        self._server = server
        self._say = say
        self._patience = patience or Patience()
        self.restarts = Restarts(limits or RestartLimits(), file=counts)
        self._zombies: set[int] = set()
        self._mended: set[int] = set()  # zombies whose model was loaded again: Triton does not wait for all of them
        self._outlived: dict[int, CpuProgress] = {}
        self._hung = HungInstances(self._patience.silent_s)
        self._stopped = StoppedProcesses(self._patience.stopped_s)
        self._doubted: set[str] = set()  # services whose model was loaded again, and that have not answered since
        self._askers: dict[str, ServiceAsker] = {}
        self._list()
        self.restarts.begin([SERVER, *(stub.model for stub in self._stubs), *self._askers])

    def run(self, between: Callable[[], None] = lambda: None) -> None:
        """Watch, and call `between` after each look; never returns by itself.

        Raises:
            TritonProcessError: too many restarts, or a server that does not start again.
        """
        while True:
            self.look()
            between()
            time.sleep(_LOOK_S)

    def look(self) -> bool:
        """Look once and mend what has ended, stopped or went silent; whether something had."""
        if not self._server.runs:
            return self._restart_server(f"Triton ended with status {self._server.status}")
        ended, unnamed = self._ended()
        if unnamed:
            return self._restart_server("a process of a model ended while the server started")
        for model in dict.fromkeys(stub.model for stub in ended):
            names = ", ".join(stub.instance for stub in ended if stub.model == model)
            if not self._restart_model(model, f"the process of {names} ended"):
                break  # the whole server is new, the other models with it
        self._end_outlived()
        return bool(ended) or self._mend_stopped() or self._end_hung() or self._ask()

    # -- what is wrong ----------------------------------------------------------------------------------------

    def _ended(self) -> tuple[list[Stub], set[int]]:
        """Zombies that were zombies at the last look, too: Triton needs a moment to wait for one that it ended."""
        found = unnamed_zombies(self._server.pid) - self._mended
        lasting, self._zombies = found & self._zombies, found
        named = sorted(stub for stub in self._server.known_stubs if stub.pid in lasting)
        return named, lasting - {stub.pid for stub in named}

    def _mend_stopped(self) -> bool:
        """Continue a server that was stopped for long, and end such a stub; what a debugger holds is left alone.

        Triton has given the stub up: one that goes on may answer with another request's values.
        """
        names = {self._server.pid: SERVER} | {stub.pid: f"{stub.model}: {stub.instance}" for stub in self._stubs}
        lasting = self._stopped.lasting(names)
        for pid, stopped_s in lasting.items():
            continued = pid == self._server.pid
            self._stopped.forget(pid)
            remedy = "continuing" if continued else "ending"
            self._say(f"{names[pid]} was stopped (SIGSTOP) for {stopped_s:.0f} s; {remedy} it")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT if continued else signal.SIGKILL)
        return bool(lasting)

    def _end_hung(self) -> bool:
        """End an instance that hangs while the others of its model go on; the next look finds it ended."""
        if (hung := self._hung.find(self._stubs)) is None:
            return False
        self._say(
            f"{hung.model}: {hung.instance} has been in one call for {self._patience.silent_s:.0f} s, and the other "
            "instances have answered meanwhile; ending it"
        )
        with suppress(ProcessLookupError):
            os.kill(hung.pid, signal.SIGKILL)
        self._list()
        return True

    def _end_outlived(self) -> None:
        """End the other processes of a model that was unloaded: Triton 24.10 leaves them where one of them is dead."""
        for pid, progress in list(self._outlived.items()):
            if progress.stalled_s() > _OUTLIVED_S:
                del self._outlived[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _ask(self) -> bool:
        if self._stopped:
            return False  # it will be continued, and has not been heard
        if time.monotonic() - self._listed > _LIST_S:
            self._list()  # a version may have been published meanwhile
        for asker in self._askers.values():
            trouble = asker.look(self._stubs)
            self._doubted -= {asker.service} if asker.answered else set()
            if trouble:
                self._mend(trouble)
                return True
        return False

    # -- mending ----------------------------------------------------------------------------------------------

    def _mend(self, trouble: Trouble) -> None:
        if trouble.service in self._doubted:
            self._restart_server(f"{trouble.service} {trouble.what}, although it was loaded again")
            return
        self._doubted.add(trouble.service)
        for stub in self._stubs if trouble.silent else ():
            if stub.model == trouble.model:  # Triton waits for what runs before it unloads
                with suppress(ProcessLookupError):
                    os.kill(stub.pid, signal.SIGKILL)
        self._restart_model(trouble.model, f"{trouble.service} {trouble.what}")

    def _restart_model(self, model: str, reason: str) -> bool:
        """Whether that was enough; else the server was started again."""
        began = time.monotonic()
        old = {stub for stub in self._server.known_stubs if stub.model == model}
        wait_s = self.restarts.wait_s(model, f"{model}: {reason}")
        self._say(f"{model}: {reason}; loading the model again")
        time.sleep(wait_s)
        try:
            self._reload(model)
        except AnswerError as error:
            self._restart_server(f"{model} could not be loaded again ({error})")
            return False
        self._mended |= {stub.pid for stub in old}
        left = [stub.pid for stub in old & set(self._server.stubs())]
        self._outlived |= {pid: CpuProgress(partial(cpu_seconds_of, [pid]), _IDLE_STEP_S) for pid in left}
        remove(stub.region for stub in old - set(self._server.stubs()))
        self._askers.clear()
        self._list()
        self._say(f"{model}: answers again after {time.monotonic() - began:.1f} s{self._total(model)}")
        return True

    def _reload(self, model: str) -> None:
        """Raises AnswerError, also where the server gets on with nothing, or a process of the model is stopped."""
        failed: list[AnswerError] = []

        def call() -> None:
            try:
                self._server.http.reload(model)
                ask_first(self._server.http, model)
            except AnswerError as error:
                failed.append(error)

        progress = CpuProgress(lambda: cpu_seconds(self._server.pid))
        stopped = StoppedProcesses(self._patience.stopped_s)
        thread = threading.Thread(target=call, name=f"reload {model}", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK_S)
            if stopped.lasting(stub.pid for stub in self._server.stubs() if stub.model == model):
                raise AnswerError(0, f"a process of it was stopped (SIGSTOP) for {self._patience.stopped_s:.0f} s")
            if thread.is_alive() and progress.stalled_s() > self._patience.silent_s:
                raise AnswerError(0, f"nothing was done for {self._patience.silent_s:.0f} s")
        if failed:
            raise failed[0]

    def _restart_server(self, reason: str) -> bool:
        began = time.monotonic()
        while True:
            wait_s = self.restarts.wait_s(SERVER, reason)
            self._say(f"{reason}; starting the server again")
            time.sleep(wait_s)
            try:
                self._server.restart()
            except TritonProcessError as error:
                reason = str(error)
            else:
                break
        for seen in (self._zombies, self._mended, self._outlived, self._doubted, self._askers):
            seen.clear()
        self._stopped = StoppedProcesses(self._patience.stopped_s)
        self._list()
        self._say(f"ready again after {time.monotonic() - began:.1f} s{self._total(SERVER)}")
        return True

    # -- what there is ----------------------------------------------------------------------------------------

    def _list(self) -> None:
        self._stubs, self._listed = self._server.stubs(), time.monotonic()
        with suppress(AnswerError):  # it ended, or is stuck, which the next looks will see
            asked = served(self._server.http)
            fresh = {name: self._asker(name) for name in asked if name not in self._askers}
            self._askers = {name: one for name, one in (self._askers | fresh).items() if name in asked}

    def _asker(self, service: str) -> ServiceAsker:
        return ServiceAsker(self._server.http, service, self._server.pid, self._patience)

    def _total(self, name: str) -> str:
        return f" (restart {self.restarts.counts[name]} of {name})"
