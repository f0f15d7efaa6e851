"""The file of stored token vectors: rows of one width, only ever added to, read in place.

    tokens-<random>.rows   header (32 bytes: kind, version, width, the name's random part) | row | row | ...

Which rows belong to which document stands in SQLite (token_tables.py), each document's with a checksum: what was lost,
cut off or written over is told from what was written. Rows are flushed to the disk before a commit names them; what
lies behind the last row that was named is left of a run that died, and is written over. A file is never cut and never
changed in place by us: what makes it smaller is another file. What others do to it meanwhile is damage, and no signal:
it is read call by call, through the kernel's cache, and not mapped.
"""

from __future__ import annotations

import contextlib
import os
import struct
import uuid
import weakref
import zlib
from itertools import accumulate
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InterlinguaError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from interlingua_client.index.token_store.quantization import Rows

_PREFIX, _SUFFIX = "tokens-", ".rows"
_HEADER = struct.Struct("<8sII16s")
_KIND, _VERSION = b"iltokens", 1


class TokenFileError(InterlinguaError):
    """The file of token vectors is missing, or is not the one that the store names."""


class TokenSpan(NamedTuple):
    """Where a document's rows lie: from row `start` on, `tokens` of them, with the CRC-32 of all their bytes."""

    start: int
    tokens: int
    checksum: int


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


def write_rows(path: Path, at: int, rows: Rows, lengths: Sequence[int]) -> list[TokenSpan]:
    """Put documents' rows uint8 [n, width] behind the first `at`, flushed to the disk. Raises TokenFileError.

    Args:
        lengths: rows of each document; they sum to n.

    Returns:
        Each document's span.
    """
    with _explained(path), path.open("r+b") as file:
        _require_header(path, file.read(_HEADER.size), rows.shape[1])
        file.seek(_HEADER.size + at * rows.shape[1])
        _flushed(file, rows.tobytes())
    ends = accumulate(lengths)
    return [
        TokenSpan(at + end - tokens, tokens, zlib.crc32(rows[end - tokens : end].tobytes()))
        for tokens, end in zip(lengths, ends, strict=True)
    ]


def remove_token_files(directory: Path, but: Collection[str]) -> None:
    """Remove all files of token vectors except those that are named; the caller holds the writer's lock."""
    for path in directory.glob(f"{_PREFIX}*{_SUFFIX}"):
        if path.name not in but:
            with contextlib.suppress(OSError):
                path.unlink()


class TokenFile:
    """A file that is read; safe to use from several threads. What was opened stays, whatever becomes of its name."""

    def __init__(self, path: Path, width: int) -> None:
        """Open it. Raises TokenFileError: it is missing, or is another one."""
        self.path, self._width = path, width
        with _explained(path):
            self._descriptor = os.open(path, os.O_RDONLY)
            weakref.finalize(self, os.close, self._descriptor)
            _require_header(path, os.pread(self._descriptor, _HEADER.size, 0), width)
            # A document lies by itself: what is behind it is not read ahead.
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_RANDOM)

    def read(self, spans: Sequence[TokenSpan]) -> tuple[Rows, list[int]]:
        """The rows of those spans that are as they were written, one after the other.

        Returns:
            Rows, uint8 [tokens, width], and the places of their spans among `spans`; the others are damaged.
        """
        sizes = [span.tokens * self._width for span in spans]
        for span, size in zip(spans, sizes, strict=True):
            if size:  # the kernel reads them beside one another, where they are not in memory
                os.posix_fadvise(self._descriptor, self._place(span), size, os.POSIX_FADV_WILLNEED)
        rows = np.empty(sum(sizes), np.uint8)
        memory, at, sound = rows.data, 0, []
        for number, (span, size) in enumerate(zip(spans, sizes, strict=True)):
            piece = memory[at : at + size]
            if self._fills(piece, span) and zlib.crc32(piece) == span.checksum:
                sound.append(number)
                at += size
        return rows[:at].reshape(-1, self._width), sound

    def rows(self) -> int:
        """How many whole rows it holds at the moment."""
        return max(os.fstat(self._descriptor).st_size - _HEADER.size, 0) // self._width

    def _fills(self, piece: memoryview, span: TokenSpan) -> bool:
        try:
            return os.preadv(self._descriptor, [piece], self._place(span)) == len(piece)
        except OSError:  # of the disk
            return False

    def _place(self, span: TokenSpan) -> int:
        return _HEADER.size + span.start * self._width


def _require_header(path: Path, header: bytes, width: int) -> None:
    name = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if header != _HEADER.pack(_KIND, _VERSION, width, bytes.fromhex(name)):
        raise TokenFileError(f"{path} is not the file of token vectors that the index names")


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
