"""Token vectors in one byte or half a byte a value, each with a step of its own.

    int8  value = code * step,          codes -127 to 127, a byte each
    4bit  value = (code - 7.5) * step,  codes 0 to 15, two a byte: values 0 to ceil(d/2) - 1 are the low halves
    row:  codes | step (float16, little-endian)

A step is what fits a row's codes best in the sense of least squares. A row stands for itself: no codebook, nothing to
train, and a document's rows are one piece of a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.served.token_vectors import dot_products

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua_client.embedder import FloatArray

Rows = npt.NDArray[np.uint8]

_STEP = np.dtype("<f2")
_LEAST_STEP = 1e-7  # float16 has nothing below but zero


@dataclass(frozen=True)
class TokenFormat:
    """How a value is stored.

    Attributes:
        values: of a stored vector; a network's own dimension, where that is smaller.
        largest: code; the smallest is 0, or the same below zero.
        middle: the code, or what lies between two, that stands for zero.
    """

    name: str
    bits: int
    values: int
    largest: int
    middle: float

    def width(self, dimension: int) -> int:
        """Bytes of a row."""
        return (self.bits * dimension + 7) // 8 + _STEP.itemsize

    def quantized(self, vectors: FloatArray) -> Rows:
        """Vectors float32 [n, dimension] as rows, uint8 [n, width]."""
        peak = np.abs(vectors).max(axis=1, initial=0.0, keepdims=True)
        step = np.maximum(peak / (self.largest - self.middle), _LEAST_STEP)
        if self.middle:
            codes = np.clip(np.floor(vectors / step + self.middle + 0.5), 0, self.largest)
        else:
            codes = np.rint(vectors / step)
        levels = codes - np.float32(self.middle)
        fitting = (vectors * levels).sum(axis=1) / np.maximum((levels * levels).sum(axis=1), 1.0)
        steps = fitting.astype(_STEP)[:, None].view(np.uint8)
        return np.concatenate([self._packed(codes.astype(np.int8)), steps], axis=1)

    def restored(self, rows: Rows, dimension: int) -> FloatArray:
        """Rows uint8 [n, width] as vectors, float32 [n, dimension]."""
        values = np.concatenate(list(self._codes(rows, dimension)), axis=1) - np.float32(self.middle)
        values *= _steps(rows)
        return values

    def similarities(self, rows: Rows, query: FloatArray) -> FloatArray:
        """Dot products of stored rows uint8 [n, width] with a query's float32 [m, dimension], [n, m].

        They are those of `restored`; steps and the middle are brought in after the product, where there is less of it.
        """
        found = np.zeros((len(rows), len(query)), np.float32)
        place = 0
        for codes in self._codes(rows, query.shape[1]):
            found += dot_products(codes, query[:, place : place + codes.shape[1]])
            place += codes.shape[1]
        if self.middle:
            found -= np.float32(self.middle) * query.sum(axis=1)
        found *= _steps(rows)
        return found

    def _packed(self, codes: npt.NDArray[np.int8]) -> Rows:
        if self.bits == 8:
            return codes.view(np.uint8)
        half = (codes.shape[1] + 1) // 2
        packed = codes[:, :half].astype(np.uint8)
        packed[:, : codes.shape[1] - half] |= codes[:, half:].astype(np.uint8) << 4
        return packed

    def _codes(self, rows: Rows, dimension: int) -> Iterator[FloatArray]:
        """The codes of all rows, a part of the values at a time, float32 [n, part]."""
        packed = rows[:, : -_STEP.itemsize]
        if self.bits == 8:
            yield packed.view(np.int8).astype(np.float32)
            return
        yield (packed & 15).astype(np.float32)
        yield (packed[:, : dimension - packed.shape[1]] >> 4).astype(np.float32)


def _steps(rows: Rows) -> FloatArray:
    """The step of each row, float32 [n, 1]."""
    return np.ascontiguousarray(rows[:, -_STEP.itemsize :]).view(_STEP).astype(np.float32)


_KINDS = (
    TokenFormat("4bit", bits=4, values=256, largest=15, middle=7.5),
    TokenFormat("4bit-128", bits=4, values=128, largest=15, middle=7.5),
    TokenFormat("int8", bits=8, values=128, largest=127, middle=0.0),
)
FORMATS = {kind.name: kind for kind in _KINDS}
DEFAULT_FORMAT = "4bit"
NO_TOKENS = "none"
CHOICES = (NO_TOKENS, *FORMATS)


def require_choice(name: str) -> str:
    """Raises InputError: it is neither a format nor `none`."""
    if name not in CHOICES:
        raise InputError(f"token vectors are {name!r}, they must be one of {', '.join(CHOICES)}")
    return name
