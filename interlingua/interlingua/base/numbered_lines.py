"""The lines of a file, plain or gzipped, or of standard input, with their numbers."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from interlingua.base.errors import InputError

STANDARD_INPUT = "-"
_GZIP_MAGIC = b"\x1f\x8b"


def numbered_lines(source: str | Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, counted from 1. Raises InputError: the source cannot be read, or not to its end."""
    number = 0
    try:
        with _opened(source) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        where = f" after line {number}" if number else ""
        reason = (error.strerror or error) if isinstance(error, OSError) else error
        raise InputError(f"cannot read {name_of(source)}{where}: {reason}") from error


def name_of(source: str | Path) -> str:
    """What a message calls a source."""
    return "standard input" if source == STANDARD_INPUT else str(source)


@contextmanager
def _opened(source: str | Path) -> Iterator[IO[bytes]]:
    if source == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as raw:
        if raw.peek(2)[:2] == _GZIP_MAGIC:
            with gzip.open(raw) as file:
                yield cast("IO[bytes]", file)
        else:
            yield raw
