"""Files that are there whole or not at all.

with whole(file) as partial: write to `partial`  --renamed--> file
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(file: Path, *, durable: bool = False) -> Iterator[Path]:
    """A place beside the file to write to; it takes the file's place when the block ends without an error.

    Args:
        durable: when the block has ended, the file outlasts a power cut.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        yield partial
        if durable:
            _flush(partial)
        partial.replace(file)
        if durable:
            _flush(file.parent)
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Bring a file's bytes, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
