"""Runs the embedded Triton: one `tritonserver` process on the model repository.

    prepare_runtime() -> backend directory -> tritonserver -> ready -> ... -> SIGTERM -> gone

The server is bound to loopback, its HTTP always; loading models, shared memory, tracing and log settings are refused to
anyone without the admin key, which the run record (run_record.py) tells the commands of this user. It dies with the
process that started it.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.served.launch_flags import LOOPBACK, PORTS, STOP_TIMEOUT_S, launch_flags
from interlingua.served.watch.canary import QUESTIONS, ask_first
from interlingua.served.watch.local_http import LocalTriton
from interlingua.served.watch.restarts import COUNTS_VARIABLE, TritonProcessError
from interlingua.served.watch.start_watch import tried_twice
from interlingua.served.watch.triton_process import TritonProcess
from interlingua_server.backend_folder import compose_backends
from interlingua_server.command_line import conceal_argument
from interlingua_server.environment import Runtime, prepare_runtime
from interlingua_server.exact_products import require_exact_products
from interlingua_server.ports import check_port_is_free
from interlingua_server.run_record import Announcement, RunRecord
from interlingua_server.scratch import Scratch, sweep_scratch
from interlingua_server.start_log import StartLog, unloaded

if TYPE_CHECKING:
    from interlingua.served.watch.stubs import Stub

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "[::1]"}  # noqa: S104 - what a user may listen on


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """What a user decides about a server.

    Attributes:
        host: address to listen on with gRPC and the metrics page; anything but loopback exposes them to the network.
            HTTP stays on loopback.
        start_timeout_s: how long a start may get on with nothing before it is given up; a sixth of it, where its
            processes do not even wait for a processor or a disk (served/watch/start_watch.py).
        stop_timeout_s: how long running requests may take when the server is told to stop.
        admin_key: value of the header `interlingua-admin-key` that opens the restricted APIs; random if empty.
        log_verbose: Triton's verbosity, 0 is quiet.
    """

    model_repository: Path
    host: str = "127.0.0.1"
    grpc_port: int = PORTS["grpc"]
    http_port: int = PORTS["http"]
    metrics_port: int = PORTS["metrics"]
    start_timeout_s: float = 120.0
    stop_timeout_s: float = STOP_TIMEOUT_S
    admin_key: str = ""
    log_verbose: int = 0

    @property
    def grpc_address(self) -> str:
        return f"{self.host}:{self.grpc_port}"

    @property
    def local_grpc_address(self) -> str:
        """The gRPC address as this machine reaches it."""
        return f"{_ANY_ADDRESS.get(self.host, self.host)}:{self.grpc_port}"


class EmbeddedServer:
    """A running Triton; a context manager that leaves no process and no file behind.

    Its block's end is the end of all requests: nothing is waited for there. `stop` waits, and Triton takes seconds to
    unload its models.
    """

    def __init__(
        self, settings: ServerSettings, *, log: Path | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        """Nothing starts yet.

        Args:
            log: keeps the server's own log; without it, it goes to a temporary file.
            say: is told, in a line, of a start that is tried once more; without it, stderr is.
        """
        self.settings, self._say = settings, say or _say
        self._scratch = Scratch()
        self._log = StartLog(log or self._scratch.path / "triton.log")
        self.restart_counts = self._scratch.path / "restarts.json"
        self.admin_key = settings.admin_key or secrets.token_urlsafe(24)
        self._process: TritonProcess | None = None
        self._announcement: Announcement | None = None

    def __enter__(self) -> EmbeddedServer:
        try:
            self.start()
        except BaseException:
            self.stop(at_once=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(at_once=True)

    def start(self, on_wait: Callable[[float], None] | None = None) -> float:
        """Start, wait until every model is ready, return the seconds that took; what Triton fails is tried once more.

        Raises:
            ServerError: no models, an int8 network that this CPU gets wrong, a port is taken, no room for the backends,
                a model does not load, or it takes too long; the message carries the end of Triton's log.
        """
        began = time.monotonic()
        sweep_scratch()
        try:
            tried_twice(lambda: self._start(on_wait), self._say)
        except TritonProcessError as fault:
            raise ServerError(f"{fault}. Its log says:\n{self._log.tail()}") from fault
        return time.monotonic() - began

    def _start(self, on_wait: Callable[[float], None] | None) -> None:
        """Start and wait. Raises ServerError, TritonProcessError: Triton does not get ready."""
        from interlingua.repository.published import Published

        check_repository(self.settings.model_repository)
        published = Published.read(self.settings.model_repository)
        require_exact_products(published)
        for port in (self.settings.grpc_port, self.settings.metrics_port):
            check_port_is_free(self.settings.host, port)
        check_port_is_free(LOOPBACK, self.settings.http_port)
        runtime = prepare_runtime(published)
        folder = self._scratch.path / "backends"
        if not folder.is_dir():
            compose_backends(runtime, folder)
        try:
            with self._log.begun() as log:
                self._process = TritonProcess(
                    self._command(runtime, folder),
                    _environment(runtime) | {COUNTS_VARIABLE: str(self.restart_counts)},
                    self.http,
                    log=log,
                    stop_timeout_s=self.settings.stop_timeout_s,
                    start_timeout_s=self.settings.start_timeout_s,
                )
                self._process.start()
            self._wait_until_ready(self._process, on_wait)
            for service in QUESTIONS:
                ask_first(self.http, service)
            self._announcement = Announcement(self._record())
        except BaseException:
            self._end(at_once=True)
            raise

    def restart(self, on_wait: Callable[[float], None] | None = None) -> float:
        """End what is left of the server, and start it on the same ports; return the seconds that took.

        Raises:
            TritonProcessError: it does not start; it may, if tried again.
        """
        began = time.monotonic()
        self._end(at_once=True)
        try:
            self._start(on_wait)
        except ServerError as error:
            raise TritonProcessError(str(error).splitlines()[0]) from error
        return time.monotonic() - began

    @property
    def log_path(self) -> Path:
        """Where Triton writes its log."""
        return self._log.path

    @property
    def running(self) -> TritonProcess:
        """Its process. Raises ServerError: it was not started."""
        if self._process is None:
            raise ServerError("the server is not running")
        return self._process

    @property
    def pid(self) -> int:
        return self.running.pid

    @property
    def runs(self) -> bool:
        """Whether its process does."""
        return self._process is not None and self._process.runs

    @property
    def status(self) -> int | None:
        """The exit status of a server that ended by itself."""
        return self._process.status if self._process else None

    @property
    def known_stubs(self) -> frozenset[Stub]:
        """All processes of models that were seen since the start."""
        return self.running.known_stubs

    def stubs(self) -> list[Stub]:
        """The processes of its models, as they run now."""
        return self.running.stubs()

    @property
    def http(self) -> LocalTriton:
        """Its HTTP, as this machine reaches it."""
        return LocalTriton(self.settings.http_port, self.admin_key)

    def stop(self, *, at_once: bool = False) -> None:
        """End the server and all that it started; running requests may finish first, unless `at_once`."""
        try:
            self._end(at_once=at_once)
        finally:
            self._scratch.remove()

    def _end(self, *, at_once: bool) -> None:
        announcement, self._announcement = self._announcement, None
        if announcement is not None:
            announcement.withdraw()
        if self._process is not None:
            self._process.end(at_once=at_once)
            self._process = None

    def _command(self, runtime: Runtime, backends: Path) -> list[str]:
        settings = self.settings
        flags = launch_flags(
            settings.model_repository,
            backends,
            address=settings.host,
            admin_key=self.admin_key,
            gpu_metrics=False,
            ports={"http": settings.http_port, "grpc": settings.grpc_port, "metrics": settings.metrics_port},
            stop_timeout_s=max(round(settings.stop_timeout_s), 1),
            log_verbose=settings.log_verbose,
        )
        return [str(runtime.binary), *flags]

    def _record(self) -> RunRecord:
        repository = str(self.settings.model_repository.absolute())
        return RunRecord(self.pid, repository, self.settings.local_grpc_address, self.admin_key)

    def _wait_until_ready(self, process: TritonProcess, on_wait: Callable[[float], None] | None) -> None:
        """What is logged since the start comes from a Triton that knows its key."""
        concealed = False

        def look(waited_s: float) -> None:
            nonlocal concealed
            if not concealed and self._log.has_grown:
                concealed = conceal_argument(process.pid, self.admin_key)
            if on_wait:
                on_wait(waited_s)

        try:
            process.wait_until_ready(look)
        except TritonProcessError as fault:
            why = unloaded(self._log.text())
            raise TritonProcessError(f"{fault}; {why}" if why else str(fault), again=fault.again) from fault
        if not concealed:
            conceal_argument(process.pid, self.admin_key)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def check_repository(repository: Path) -> None:
    """Refuse a repository in which no model has a version."""
    if not repository.is_dir():
        raise ServerError(f"{repository} is not a folder: run `interlingua export` first, or give --model-repository")
    if not any(repository.glob("*/[0-9]*/")):
        raise ServerError(f"{repository} holds no published model: run `interlingua export` first")


def _environment(runtime: Runtime) -> dict[str, str]:
    unwanted = ("PYTHON", "LD_LIBRARY_PATH", "VIRTUAL_ENV")  # LD_PRELOAD stays: allocators are chosen by it
    kept = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    binaries = runtime.python_environment / "bin"
    return kept | {
        "LD_LIBRARY_PATH": f"{runtime.libraries}:{runtime.libpython}",
        "PATH": f"{binaries}:{kept.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(runtime.python_environment),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }
