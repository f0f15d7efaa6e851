"""Lines appended to one file by any number of threads and processes.

    line -> the file that has the path now (opened again after a rotation) -> lock -> one write

A line is there as a whole or not at all: what a full disk leaves of one is taken back, and what a killed process left
of one is ended before the next begins.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
# A holder needs some 10 microseconds. One that was stopped meanwhile must not stop everybody else.
_PATIENCE_S = 0.1
_POLL_S = 0.0002


class LogFile:
    """A regular file, opened on the first line and again whenever the path leads to another one."""

    def __init__(self, path: Path, *, private: bool = False) -> None:
        """`private` files are made for their owner's eyes only; an existing file keeps its rights."""
        self.path = path
        self._mode = 0o600 if private else 0o666
        self._lock = threading.Lock()
        self._descriptor: int | None = None

    def append(self, line: bytes) -> None:
        """Write `line`, which ends in its only newline; raises OSError."""
        with self._lock:
            descriptor = self._current()
            with _locked(descriptor) as alone:
                _write(descriptor, line, alone=alone)

    def open(self) -> None:
        """Make sure that there is a file to write to; raises OSError."""
        with self._lock:
            self._current()

    def close(self) -> None:
        """Let go of the file; a later line opens it again."""
        with self._lock:
            self._close()

    def _current(self) -> int:
        if self._descriptor is not None and _is_at(self._descriptor, self.path):
            return self._descriptor
        self._close()
        descriptor = os.open(self.path, _FLAGS, self._mode)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a regular file", str(self.path))
        self._descriptor = descriptor
        return descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))  # noqa: PTH116 (half the time of Path.stat)
    except FileNotFoundError:
        return False


@contextmanager
def _locked(descriptor: int) -> Iterator[bool]:
    """Hold the file against other processes; False where it could not be had, which the kernel's O_APPEND makes up."""
    alone = _lock(descriptor)
    try:
        yield alone
    finally:
        if alone:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock(descriptor: int) -> bool:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        except OSError:  # a file system without locks
            return False
        else:
            return True


def _write(descriptor: int, line: bytes, *, alone: bool) -> None:
    size = os.fstat(descriptor).st_size
    if alone and size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line
    written = os.write(descriptor, line)
    if written == len(line):
        return
    if alone:
        os.ftruncate(descriptor, size)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
