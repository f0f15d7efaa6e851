"""One writer an index, any number of readers."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from interlingua.base.errors import InterlinguaError
from interlingua_client.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = "writer.lock"
_POLL_S = 0.05


class IndexBusyError(InterlinguaError):
    """Another process is writing to the index."""


@contextmanager
def writer_lock(directory: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the index for writing; the kernel lets go of it when the process dies, however it dies.

    Args:
        wait_s: how long to wait for it; a reader that saves a repaired file holds it for a moment.

    Raises:
        IndexBusyError: another process holds it.
        OSError: the directory cannot be written.
    """
    with (directory / _FILE).open("a+") as file:
        patience = Deadline.after(wait_s)
        while not _try_lock(file):
            if patience.remaining_s() <= 0:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise IndexBusyError(
                    f"{directory} is being written by another process ({holder}): wait until it has ended"
                )
            time.sleep(_POLL_S)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
