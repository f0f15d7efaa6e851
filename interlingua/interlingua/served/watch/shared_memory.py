"""Shared memory that a dead Triton left: its stubs' regions stay in /dev/shm for ever when it is killed.

    /dev/shm/triton_*_backend_shm_region_* --whoever has one open or mapped for writing?--> nobody: removed

The kernel answers (a lease, fcntl(2)), for every process of the machine, those of other containers that share /dev/shm
among them, and there is no moment between making and mapping a region at which it looks unused. Without an answer (a
file system without leases, another user's region) a region stays.
"""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = Path("/dev/shm")  # noqa: S108 - where Triton makes it
_REGIONS = "triton_*_backend_shm_region_*"
_F_SETSIG = 10  # linux/fcntl.h; Python's fcntl has no name for it


def sweep(folder: Path = _FOLDER) -> int:
    """Remove the regions that nobody has; how many there were."""
    return sum(_removed(path) for path in folder.glob(_REGIONS))


def remove(regions: Iterable[str]) -> None:
    """Remove those of stubs that ended: a Triton that goes on keeps them mapped, and their names would outlive it."""
    for region in regions:
        if region and region == Path(region).name:
            with suppress(OSError):
                (_FOLDER / region).unlink()


def _removed(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Who opens it while the lease is held breaks it, which is told by a signal: one that is ignored by default.
        fcntl.fcntl(handle, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        path.unlink()
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
