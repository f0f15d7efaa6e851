"""What the container starts: the embedded server's flags, and then this process becomes `tritonserver`.

    environment, key file, arguments --command()--> flags --execvp--> tritonserver, which gets the signals itself

It runs on the container's Python 3.10, which has of ours what the backends import: interlingua.served.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from interlingua.served.launch_flags import STOP_TIMEOUT_S, launch_flags

_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - of the container; the host's address is chosen where ports are published
_MODELS = "/models"
_BACKENDS = "/opt/tritonserver/backends"
_KEY_FILE = "/run/secrets/interlingua_admin_key"
_SERVER_ERROR = 4  # the exit code of interlingua.base.errors.ServerError


class LaunchError(Exception):
    """The server would not start, or not as it was meant to."""


def command(environment: Mapping[str, str], arguments: Sequence[str]) -> list[str]:
    """The command line of `tritonserver`; a flag in `arguments` takes the place of ours.

    Args:
        environment: INTERLINGUA_MODELS, INTERLINGUA_BACKENDS, INTERLINGUA_STOP_TIMEOUT_S (seconds that running
            requests may take at the end), INTERLINGUA_LOG_VERBOSE, INTERLINGUA_ADMIN_KEY_FILE; all have defaults.
        arguments: further flags, as `--name=value`.

    Raises:
        LaunchError: a value that is no number, or a key file that is empty or holds more than a key.
    """
    chosen = {argument.partition("=")[0] for argument in arguments}
    ours = [flag for flag in _flags(environment) if flag.partition("=")[0] not in chosen]
    return ["tritonserver", *ours, *arguments]


def _flags(environment: Mapping[str, str]) -> list[str]:
    return launch_flags(
        environment.get("INTERLINGUA_MODELS", _MODELS),
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


def main(environment: Mapping[str, str], arguments: Sequence[str]) -> None:
    """Become the server, or say in one line why not."""
    try:
        line = command(environment, arguments)
        check_models(Path(environment.get("INTERLINGUA_MODELS", _MODELS)))
        os.execvp(line[0], line)  # noqa: S606 - no shell is wanted
    except (LaunchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(_SERVER_ERROR)


if __name__ == "__main__":
    main(os.environ, sys.argv[1:])
