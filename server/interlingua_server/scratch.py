"""A server's temporary folder, and what servers left that were killed.

    interlingua-server-*/lease, locked by the process that serves --> kernel lets go when that ends --> sweep removes it

A folder has its lease from the moment on at which others can see that: without one it is nobody's that may be judged.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from interlingua.base.errors import ServerError

ROOM = "make room there, or name another folder in TMPDIR"
_PREFIX, _LEASE = "interlingua-server-", "lease"


class Scratch:
    """One folder, from its making until `remove`."""

    def __init__(self) -> None:
        """Make it. Raises ServerError: there is no room for it."""
        try:
            self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX)
            self.path = Path(self._folder.name)
            self._lease = (self.path / f"{_LEASE}.new").open("w")
            fcntl.flock(self._lease, fcntl.LOCK_EX)
            (self.path / f"{_LEASE}.new").rename(self.path / _LEASE)
        except OSError as error:
            raise ServerError(f"cannot make a temporary folder ({error}): {ROOM}") from error

    def remove(self) -> None:
        """Take it away, and all that is in it."""
        self._folder.cleanup()
        self._lease.close()


def sweep_scratch() -> int:
    """Remove the folders of this user's servers that were killed; how many there were."""
    return sum(_removed(lease) for lease in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LEASE}"))


def _removed(lease: Path) -> bool:
    try:
        handle = os.open(lease, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(handle).st_uid != os.getuid():
            return False
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lease.parent, ignore_errors=True)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)
