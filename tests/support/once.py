"""What several workers of a run need is made once: by the first who asks, while the others wait."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path


def once(
    folder: Path, make: Callable[[Path], object], is_whole: Callable[[Path], bool] = lambda folder: folder.is_dir()
) -> Path:
    """`folder`, filled by `make(new folder)` unless it is there, whole; a `make` that fails leaves nothing behind."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not is_whole(folder):
            fresh = folder.with_name(f"{folder.name}.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            make(fresh)
            shutil.rmtree(folder, ignore_errors=True)
            fresh.rename(folder)
    return folder
