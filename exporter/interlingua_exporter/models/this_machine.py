"""What is free here: memory (within the container's limit, if there is one), disk, and what the Hub has sent already.

/proc/meminfo, /sys/fs/cgroup --free_memory--> bytes;  a folder --free_disk--> bytes;  both, and cores --here--> Machine
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int:
    """Bytes that a new process can have: the kernel's estimate, or what the control group leaves if that is less.

    A group's `memory.current` has the pages of files in it; those that are not in use are given up when memory is
    short, so `inactive_file` is not counted, as Kubernetes does not.
    """
    available = _available(meminfo)
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is None or used is None:
        return available
    return max(min(available, limit - max(used - _inactive(cgroup / "memory.stat"), 0)), 0)


def free_disk(folder: Path) -> int:
    """Bytes on the disk that holds a folder, or will hold it."""
    return shutil.disk_usage(_present(folder)).free


def device(folder: Path) -> int:
    """A number for the file system that holds a folder, or will hold it."""
    return _present(folder).stat().st_dev


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Machine:
    """What is free: bytes of memory, cores, and bytes of disk for a folder."""

    memory: int
    cores: int
    disk: Callable[[Path], int] = free_disk

    @classmethod
    def here(cls) -> Machine:
        """The machine that this runs on."""
        return cls(free_memory(), cores())


def hub_cache() -> Path:
    """Where huggingface_hub keeps what it fetches, by the environment variables that it documents."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(home).expanduser() / "hub"


def hub_cached(model_id: str) -> int:
    """Bytes that it has of a model, whole files or not."""
    blobs = hub_cache() / f"models--{model_id.replace('/', '--')}" / "blobs"
    return sum(path.stat().st_size for path in blobs.glob("*")) if blobs.is_dir() else 0


def _present(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _available(meminfo: Path) -> int:
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _inactive(stat: Path) -> int:
    """Bytes of files' pages that nobody uses; 0 where it is not said."""
    try:
        rows = dict(line.split(" ", 1) for line in stat.read_text(encoding="ascii").splitlines())
        return int(rows.get("inactive_file", 0))
    except (OSError, ValueError):
        return 0


def _number(path: Path) -> int | None:
    """None where there is no such file, or no limit in it (`max`)."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
