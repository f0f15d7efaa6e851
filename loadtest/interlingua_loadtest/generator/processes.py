"""The processes that send: Locust, headless, started and ended from outside.

    RunSettings -> locust -f locustfile.py --headless (or a master and workers) -> RUN/requests.parquet

Never imported into the process that calls it: Locust patches whatever imports it for gevent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError, InterlinguaError
from interlingua_server.ports import free_ports

if TYPE_CHECKING:
    from interlingua_loadtest.traffic.run_settings import RunSettings

LOCUSTFILE = Path(__file__).resolve().parent / "locustfile.py"
FAILURE_FILE = "failure.txt"

_ENDS_WITHIN_S = 20.0
_LOG_TAIL_LINES = 15
_LOG_FILE = "generator.log"
_PR_SET_PDEATHSIG = 1


class GeneratorError(InterlinguaError):
    """The generator ended before its work was done."""


class Generator:
    """A context manager around all processes of one run; none is left behind.

    Attributes:
        died: processes that ended by themselves, with their exit codes.
    """

    def __init__(self, settings: RunSettings, server: str, *, workers: int = 1) -> None:
        """Nothing starts yet. `settings.record` names the folder for the record and the log."""
        self._settings, self._server, self._workers = settings, server, workers
        self._folder = Path(settings.record)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (self._port,) = free_ports(1)
        self.died: dict[str, int] = {}

    def __enter__(self) -> Generator:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOG_FILE).open("wb") as log:
            for name, role in self._roles().items():
                self._processes[name] = subprocess.Popen(
                    [*self._command(), *role],
                    cwd=self._folder,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(at_once=True)

    @property
    def names(self) -> list[str]:
        """The names of the processes: generator, or generator-master, generator-0, ..."""
        return list(self._roles())

    def pid(self, name: str) -> int | None:
        """The number of one process; None before it runs."""
        process = self._processes.get(name)
        return process.pid if process is not None and process.poll() is None else None

    def wait(self, on_wait: Callable[[], None], period_s: float = 0.2) -> None:
        """Until all have ended.

        Raises:
            InputError: the generator refused its settings.
            GeneratorError: it failed, or a worker died; `died` names it.
        """
        while any(process.poll() is None for process in self._processes.values()):
            on_wait()
            dead = {name: code for name, code in self._codes().items() if code != 0}
            if dead:
                self.died = dead
                self.stop()
                break
            time.sleep(period_s)
        self.died = self.died or {name: code for name, code in self._codes().items() if code != 0}
        self._explain()

    def stop(self, *, at_once: bool = False) -> None:
        """Have what is under way recorded and all processes ended."""
        for process in self._processes.values():
            if process.poll() is None and not at_once:
                process.terminate()
        until = time.monotonic() + (0 if at_once else _ENDS_WITHIN_S)
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(until - time.monotonic(), 0.01))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _explain(self) -> None:
        said = self._folder / FAILURE_FILE
        if said.is_file():
            raise GeneratorError(f"the generator could not run: {said.read_text(encoding='utf-8').strip()}")
        if 3 in self.died.values():
            lines = [line for line in self._log().splitlines() if line.startswith("error: ")]
            raise InputError((lines or ["the generator refused its settings"])[-1].removeprefix("error: "))
        if self.died and not any(self._folder.glob("requests.parquet/*.parquet")):
            codes = ", ".join(f"{name} {code}" for name, code in self.died.items())
            raise GeneratorError(f"the generator ended before it sent anything ({codes}). Its log says:\n{self._log()}")

    def _log(self) -> str:
        text = (self._folder / _LOG_FILE).read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])

    def _codes(self) -> dict[str, int]:
        codes = {name: process.poll() for name, process in self._processes.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def _roles(self) -> dict[str, list[str]]:
        if self._workers == 1:
            return {"generator": ["--headless"]}
        meeting = ["--master-host", "127.0.0.1", "--master-port", str(self._port), "--worker"]
        master = ["--headless", "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(self._port)]
        master += ["--expect-workers", str(self._workers), "--expect-workers-max-wait", "60"]
        return {"generator-master": master} | {f"generator-{number}": meeting for number in range(self._workers)}

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--host", self._server]
        command += ["--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0"]
        return command + self._settings.arguments()


def _die_with_parent() -> None:
    """In the child: have the kernel end it when whoever started it is gone, however that went."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _environment() -> dict[str, str]:
    """Without what Locust would read settings from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    # gevent's epoll wakes up to a millisecond late, its select half as late; a generator has a few sockets alone.
    return kept | {"GEVENT_BACKEND": "select"}
