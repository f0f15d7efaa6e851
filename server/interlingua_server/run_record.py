"""How the commands on this machine find a running server, and the key that opens its model control.

    server start --> run/<port>-<pid>.json, readable to its owner alone, locked --> running() --> RunRecord
    server end, however it ends --> the kernel lets go of the lock --> the file counts no more

The folder lies in the cache. Whoever may read the file may load models into the server, which is running code.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from interlingua.base.errors import InputError, ServerError
from interlingua.base.paths import cache_dir
from interlingua.base.plain import build, plain, saved


@saved
@dataclass(frozen=True)
class RunRecord:
    """One running server.

    Attributes:
        model_repository: absolute path.
        address: of gRPC, as this machine reaches it.
        admin_key: opens the restricted APIs.
    """

    pid: int
    model_repository: str
    address: str
    admin_key: str


class Announcement:
    """A record that counts until it is withdrawn or this process ends."""

    def __init__(self, record: RunRecord) -> None:
        """Write it. Raises ServerError: the folder cannot be written."""
        folder = _folder()
        self._path = folder / f"{record.address.rpartition(':')[2]}-{record.pid}.json"
        beside = self._path.with_suffix(".new")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file: IO[str] = os.fdopen(handle, "w")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            json.dump(plain(record), self._file)
            self._file.flush()
            beside.replace(self._path)  # only now, when it is locked: without its lock a file is a dead server's
        except OSError as error:
            raise ServerError(f"cannot note the running server in {folder}: {error.strerror or error}") from error

    def withdraw(self) -> None:
        """Take the record away."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def running(model_repository: Path) -> list[RunRecord]:
    """The servers of this user, on this machine, that serve a repository; by address."""
    records = (_read(path) for path in _folder().glob("*.json"))
    wanted = model_repository.resolve()
    found = [record for record in records if record and Path(record.model_repository).resolve() == wanted]
    return sorted(found, key=lambda record: record.address)


def _folder() -> Path:
    return cache_dir() / "run"


def _read(path: Path) -> RunRecord | None:
    """The record, if its server lives; what a dead one left is cleared away."""
    try:
        with path.open() as file:
            if _is_locked(file):
                return build(RunRecord, json.load(file))
        path.unlink(missing_ok=True)
    except (OSError, ValueError, InputError):
        return None
    return None


def _is_locked(file: IO[str]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    return True
