"""The file of stored token vectors: rows of one width, only ever added to, read through a memory map.

    tokens-<random>.rows   header (32 bytes: kind, version, width, the name's random part) | row | row | ...

Which rows belong to which document stands in SQLite (token_tables.py). Rows are flushed to the disk before a commit
names them; what lies behind the last row that was named is left of a run that died, and is written over. A file is
never cut and never changed in place: what makes it smaller is another file.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import uuid
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InterlinguaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from interlingua_client.index.token_store.quantization import Rows

_PREFIX, _SUFFIX = "tokens-", ".rows"
_HEADER = struct.Struct("<8sII16s")
_KIND, _VERSION = b"iltokens", 1


class TokenFileError(InterlinguaError):
    """The file of token vectors is missing, or is not the one that the store names."""


class TokenSpan(NamedTuple):
    """Where a document's rows lie: from row `start` on, `tokens` of them."""

    start: int
    tokens: int


def make_token_file(directory: Path, width: int) -> str:
    """An empty file for rows of `width` bytes, on the disk; its name. Raises TokenFileError: it cannot be written."""
    number = uuid.uuid4()
    path = directory / f"{_PREFIX}{number.hex}{_SUFFIX}"
    with _explained(path):
        with path.open("xb") as file:
            _flushed(file, _HEADER.pack(_KIND, _VERSION, width, number.bytes))
        folder = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path.name


def write_rows(path: Path, at: int, rows: Rows) -> None:
    """Put rows uint8 [n, width] behind the first `at`, flushed to the disk. Raises TokenFileError."""
    with _explained(path), path.open("r+b") as file:
        _require_header(path, file.read(_HEADER.size), rows.shape[1], at, path.stat().st_size)
        file.seek(_HEADER.size + at * rows.shape[1])
        _flushed(file, rows.tobytes())


def remove_token_files(directory: Path, but: str) -> None:
    """Remove all files of token vectors except the one in use; the caller holds the writer's lock."""
    for path in directory.glob(f"{_PREFIX}*{_SUFFIX}"):
        if path.name != but:
            with contextlib.suppress(OSError):
                path.unlink()


class TokenFile:
    """A file that is read; safe to use from several threads. What was mapped stays, whatever becomes of the file."""

    def __init__(self, path: Path, width: int, rows: int) -> None:
        """Map it. Raises TokenFileError: it is missing, is another one, or holds fewer than `rows` rows."""
        self.path, self._width = path, width
        self._map = self._mapped(rows)

    def read(self, spans: Sequence[TokenSpan]) -> Rows:
        """The rows of the spans one after the other, uint8 [tokens, width]. Raises TokenFileError."""
        end = max((span.start + span.tokens for span in spans), default=0)
        if _HEADER.size + end * self._width > len(self._map):  # it has grown since
            self._map = self._mapped(end)
        memory, pieces = self._map, []
        for start, tokens in spans:
            self._expect(memory, _HEADER.size + start * self._width, tokens * self._width)
        for start, tokens in spans:
            place = _HEADER.size + start * self._width
            pieces.append(np.frombuffer(memory, np.uint8, tokens * self._width, place))
        return np.concatenate([np.empty(0, np.uint8), *pieces]).reshape(-1, self._width)

    @staticmethod
    def _expect(memory: mmap.mmap, place: int, size: int) -> None:
        """Have the kernel read it at once and beside the others, where it is not in memory."""
        if size:
            first = place // mmap.PAGESIZE * mmap.PAGESIZE
            memory.madvise(mmap.MADV_WILLNEED, first, place + size - first)

    def _mapped(self, rows: int) -> mmap.mmap:
        with _explained(self.path), self.path.open("rb") as file:
            header, size = file.read(_HEADER.size), os.fstat(file.fileno()).st_size
            _require_header(self.path, header, self._width, rows, size)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        mapped.madvise(mmap.MADV_RANDOM)  # a document lies by itself: what is behind it is not read ahead
        return mapped


def _require_header(path: Path, header: bytes, width: int, rows: int, size: int) -> None:
    name = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if header != _HEADER.pack(_KIND, _VERSION, width, bytes.fromhex(name)):
        raise TokenFileError(f"{path} is not the file of token vectors that the index names")
    if size < _HEADER.size + rows * width:
        raise TokenFileError(f"{path} has {size} bytes, {_HEADER.size + rows * width} were written: its end is missing")


def _flushed(file: IO[bytes], data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TokenFileError(f"cannot use {path}: {error.strerror or error}") from error
