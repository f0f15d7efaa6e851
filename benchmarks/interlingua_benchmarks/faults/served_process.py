"""`interlingua serve` in a process of its own, and the processes under it, which faults are done to.

interlingua serve -> tritonserver -> a stub an instance of a model
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from interlingua.base.errors import ServerError
from interlingua.served.watch.stubs import stub_of
from interlingua_server.ports import free_ports

_TRITON = "tritonserver"
_STUB = "triton_python_backend_stub"[:15]  # as the kernel keeps names
_LOOK_S = 0.05
_AGAIN = ("; loading the model again", "; starting the server again")
_STARTS = 3
_RESTARTS = 3  # the sixth within ten minutes ends it


class ServedProcess:
    """A context manager; nothing is left behind.

    Attributes:
        said: lines of its standard error, so far.
    """

    def __init__(self, repository: Path, *options: str) -> None:
        """Nothing starts yet; each start is on the same ports."""
        self.ports = free_ports(3)
        names = ("--grpc-port", "--http-port", "--metrics-port")
        ports = [part for name, port in zip(names, self.ports, strict=True) for part in (name, str(port))]
        command = [sys.executable, "-m", "interlingua", "serve", "--model-repository", str(repository)]
        self._command = [*command, *ports, *options]
        self.said: list[str] = []
        self._started = 0
        self._process: subprocess.Popen[str] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="interlingua-faults-")

    def __enter__(self) -> ServedProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._scratch.cleanup()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    @property
    def log(self) -> Path:
        """Where Triton writes its log."""
        return Path(self._scratch.name) / "triton.log"

    def start(self) -> None:
        """Start it, and wait until it says that it is ready. Raises ServerError: it ended instead."""
        said = self._started = len(self.said)
        command = [*self._command, "--log", str(self.log)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        self.wait_until(lambda: any(line.startswith("ready after") for line in self.said[said:]))

    def stop(self) -> int:
        """End it as a user does; its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            return process.wait(60)
        finally:
            process.kill()

    def kill(self) -> None:
        """End `interlingua serve` itself at once, and wait until what it started is gone, too."""
        below = self.processes()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        psutil.wait_procs(below)

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Raises ServerError: it ended meanwhile."""
        while not is_so():
            if self._process is None or self._process.poll() is not None:
                raise ServerError("`interlingua serve` ended:\n" + "\n".join(self.said[-20:]))
            time.sleep(_LOOK_S)

    def wait_for(self, words: str, since: int) -> None:
        """Until it has said so, in a line after the first `since`. Raises ServerError: it ended instead."""
        self.wait_until(lambda: any(words in line for line in self.said[since:]))

    def renew_restarts(self) -> None:
        """Start it anew, killed, where a fault and what comes of it could be the restart that it ends at."""
        if sum(line.endswith(_AGAIN) for line in self.said[self._started :]) >= _RESTARTS:
            self.kill()
            self._start_again()

    def _start_again(self) -> None:
        """Start it as an orchestrator does, which tries again where that fails."""
        for _ in range(_STARTS - 1):
            with suppress(ServerError):
                return self.start()
            self.kill()
        return self.start()

    def answers(self) -> bool:
        """Whether Triton says that all models are ready."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[1]}/v2/health/ready", timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    # -- what runs -----------------------------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """It, its Triton and the stubs, the upper ones first."""
        if self._process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def triton(self) -> psutil.Process:
        """Wait for it, if it is being started again."""
        self.wait_until(lambda: self._named(_TRITON))
        return self._named(_TRITON)[0]

    def stubs(self, model: str = "") -> list[psutil.Process]:
        """The living processes of one model, or of all."""
        found = [(process, instance_of(process)) for process in self._named(_STUB)]
        return [process for process, instance in found if instance and instance.rsplit("_", 2)[0].endswith(model)]

    def models(self) -> list[str]:
        """The models that have stubs."""
        return sorted({instance_of(process).rsplit("_", 2)[0] for process in self.stubs()})

    def _named(self, name: str) -> list[psutil.Process]:
        found = []
        for process in self.processes():
            with suppress(psutil.Error):
                if process.name()[:15] == name and is_alive(process):
                    found.append(process)
        return found

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stderr or ():
            self.said.append(line.rstrip("\n"))


def is_alive(process: psutil.Process) -> bool:
    """Whether it is there, and no zombie."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def instance_of(process: psutil.Process) -> str:
    """The instance of a model that a stub runs, embedder_0_0; "" of another process, and of one that has ended."""
    found = stub_of(process.pid)
    return found.instance if found else ""
