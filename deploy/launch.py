"""What the container starts, its first process: `tritonserver` with the embedded server's flags, watched as that is.

    environment, key file, arguments --command()--> flags --> tritonserver <--watched-- this process
    SIGTERM --> running requests end --> status 0          too many restarts --> one line, status 4

It runs on the container's Python 3.10, which has of ours what the backends import: interlingua.served.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from interlingua.served.launch_flags import ADMIN_HEADER, STOP_TIMEOUT_S, launch_flags
from interlingua.served.watch.local_http import LocalTriton
from interlingua.served.watch.ready import MODELS, SERVER_ERROR
from interlingua.served.watch.restarts import COUNTS_VARIABLE, RestartLimits, TritonProcessError
from interlingua.served.watch.start_watch import tried_twice
from interlingua.served.watch.stat import ZOMBIE, processes
from interlingua.served.watch.triton_process import TritonProcess
from interlingua.served.watch.watcher import Watcher

_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - of the container; the host's address is chosen where ports are published
_BACKENDS = "/opt/tritonserver/backends"
_KEY_FILE = "/run/secrets/interlingua_admin_key"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_START_TIMEOUT_S = 300  # without progress


class LaunchError(Exception):
    """The server would not start, or not as it was meant to."""


def command(environment: Mapping[str, str], arguments: Sequence[str]) -> list[str]:
    """The command line of `tritonserver`; a flag in `arguments` takes the place of ours.

    Args:
        environment: INTERLINGUA_MODELS, INTERLINGUA_BACKENDS, INTERLINGUA_STOP_TIMEOUT_S (seconds that running
            requests may take at the end), INTERLINGUA_LOG_VERBOSE, INTERLINGUA_ADMIN_KEY_FILE; all have defaults.
        arguments: further flags, as `--name=value`.

    Raises:
        LaunchError: a value that is no number, a key file that is empty or holds more than a key, or HTTP that is open
            beyond the container's loopback, or off.
    """
    chosen = {name: value for name, _, value in (argument.partition("=") for argument in arguments)}
    if chosen.get("--http-address", _LOOPBACK[0]) not in _LOOPBACK:
        raise LaunchError(
            "--http-address beyond loopback: one hostile request to Triton's HTTP can end the server; use gRPC, or a "
            "gateway beside it that checks requests first"
        )
    if chosen.get("--allow-http", "1").lower() not in ("1", "true"):
        raise LaunchError("--allow-http is off: readiness and the supervisor ask over HTTP, on loopback")
    ours = [flag for flag in _flags(environment) if flag.partition("=")[0] not in chosen]
    return ["tritonserver", *ours, *arguments]


def _flags(environment: Mapping[str, str]) -> list[str]:
    return launch_flags(
        environment.get("INTERLINGUA_MODELS", MODELS),
        environment.get("INTERLINGUA_BACKENDS", _BACKENDS),
        address=_ALL_ADDRESSES,
        admin_key=_admin_key(environment),
        gpu_metrics=True,
        stop_timeout_s=_whole_number(environment, "INTERLINGUA_STOP_TIMEOUT_S", STOP_TIMEOUT_S),
        log_verbose=_whole_number(environment, "INTERLINGUA_LOG_VERBOSE", 0),
    )


def check_models(folder: Path) -> None:
    """Triton itself starts, and is ready, without a single model.

    Raises:
        LaunchError: no model has a version, or this user cannot read a file.
    """
    if not folder.is_dir():
        raise LaunchError(f"{folder} is not a folder: mount a model repository there")
    closed = next((path for path in (folder, *folder.rglob("*")) if not os.access(path, os.R_OK)), None)
    if closed:
        raise LaunchError(f"user {os.getuid()} cannot read {closed}: chmod -R a+rX on the model repository")
    if not any(folder.glob("*/[0-9]*/")):
        raise LaunchError(f"{folder} holds no published model: run `interlingua export` into it first")


def _admin_key(environment: Mapping[str, str]) -> str:
    """The key of the restricted APIs; without a file nobody knows it, and they are closed to all."""
    path = Path(environment.get("INTERLINGUA_ADMIN_KEY_FILE", _KEY_FILE))
    if "INTERLINGUA_ADMIN_KEY_FILE" not in environment and not path.exists():
        return secrets.token_urlsafe(24)
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LaunchError(f"cannot read the admin key: {error}") from error
    if not re.fullmatch(r"[A-Za-z0-9_.~-]{16,}", key):
        raise LaunchError(f"{path}: a key is 16 or more letters, digits and _ . ~ -, and nothing else")
    return key


def _whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise LaunchError(f"{name} is {value!r}, not a whole number")
    return int(value)


class _EndedError(Exception):
    """Somebody told this process to end."""


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _EndedError


def main(environment: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Start the server and keep it answering until SIGTERM; the exit status. One line says why it ends otherwise."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        line = command(environment, arguments)
        check_models(Path(environment.get("INTERLINGUA_MODELS", MODELS)))
        with tempfile.TemporaryDirectory(prefix="interlingua-") as folder:
            counts = Path(folder) / "restarts.json"
            limits = RestartLimits(most=_whole_number(environment, "INTERLINGUA_MOST_RESTARTS", RestartLimits.most))
            triton = TritonProcess(
                line,
                {**environment, COUNTS_VARIABLE: str(counts)},
                _http(line),
                stop_timeout_s=_whole_number(environment, "INTERLINGUA_STOP_TIMEOUT_S", STOP_TIMEOUT_S),
                start_timeout_s=_START_TIMEOUT_S,
            )
            try:
                tried_twice(triton.restart, _say)
                Watcher(triton, _say, limits, counts=counts).run(lambda: _reap(triton.pid))
            finally:
                triton.end()
    except _EndedError:
        return 0
    except (LaunchError, TritonProcessError, OSError) as error:
        _say(f"error: {error}")
        return SERVER_ERROR


def _http(line: Sequence[str]) -> LocalTriton:
    """Where the server of a command line listens."""
    flags = {name: value for name, _, value in (flag.partition("=") for flag in line)}
    key = flags["--http-restricted-api"].partition(f":{ADMIN_HEADER}=")[2]
    return LocalTriton(int(flags["--http-port"]), key, flags["--http-address"])


def _reap(triton: int) -> None:
    """As the container's first process: take notice of orphans that ended; tritonserver's end is somebody else's."""
    for found in processes():
        if found.parent == os.getpid() and found.state == ZOMBIE and found.pid != triton:
            with suppress(ChildProcessError):
                os.waitpid(found.pid, os.WNOHANG)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(os.environ, sys.argv[1:]))
