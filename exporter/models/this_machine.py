"""What is free here: memory (within the container's limit, if there is one) and disk.

/proc/meminfo, /sys/fs/cgroup --free_memory--> bytes;  a folder --free_disk--> bytes
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int:
    """Bytes that a new process can have: the kernel's estimate, or what the control group leaves if that is less."""
    available = _available(meminfo)
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    return available if limit is None or used is None else max(min(available, limit - used), 0)


def free_disk(folder: Path) -> int:
    """Bytes on the disk that holds a folder, or will hold it."""
    present = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(present).free


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


def _available(meminfo: Path) -> int:
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _number(path: Path) -> int | None:
    """None where there is no such file, or no limit in it (`max`)."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
