"""Questions to a file system that may refuse to answer: a refusal is a no.

pathlib raises where a folder cannot be searched, or where a name from a configuration is too long or holds a NUL.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def is_file(path: Path) -> bool:
    """A regular file, links followed; never a pipe, which would be waited for."""
    found = _stat(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_folder(path: Path) -> bool:
    """A folder, links followed."""
    found = _stat(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_link(path: Path) -> bool:
    """A symbolic link, to something or to nothing."""
    found = _stat(path, follow=False)
    return found is not None and stat.S_ISLNK(found.st_mode)


def exists(path: Path) -> bool:
    """Anything at all, links followed."""
    return _stat(path) is not None


def size(path: Path) -> int:
    """Bytes of a regular file, -1 where there is none."""
    found = _stat(path)
    return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else -1


def changed(path: Path) -> float:
    """Modification time in Unix seconds, 0 where there is none."""
    found = _stat(path)
    return found.st_mtime if found is not None else 0.0


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; nothing where it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except (OSError, ValueError):
        return []


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path, links followed, lies in a folder."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def _stat(path: Path, *, follow: bool = True) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=follow)
    except (OSError, ValueError):
        return None
