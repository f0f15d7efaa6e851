"""The token vectors of a text, their form on the wire, and the score of two texts.

    uint32 tokens | uint32 dimension | float32 weights[tokens] | float32 vectors[tokens][dimension]    little-endian

    score(query, document) = sum_i weight_i * max_j (query_i . document_j)      i: query rows, j: document rows

The sum is ColBERT's (Khattab and Zaharia 2020); a model's scale, importances and divisor are in the query's weights.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_HEADER = struct.Struct("<II")
_FLOAT = np.dtype("<f4")
_ONE_THREAD = 2**18  # multiplications


class TokenVectors(NamedTuple):
    """The rows of one text that take part in a score.

    Attributes:
        vectors: float32 [tokens, dimension], of unit length.
        weights: float32 [tokens], what a query's row counts in the score; a document's are 1 and mean nothing.
    """

    vectors: Floats
    weights: Floats


def packed(text: TokenVectors) -> bytes:
    """The wire form: 8 + 4 * tokens * (1 + dimension) bytes. Raises ValueError: not one weight a row."""
    vectors, weights = np.asarray(text.vectors, _FLOAT), np.asarray(text.weights, _FLOAT)
    if vectors.ndim != 2 or weights.shape != vectors.shape[:1]:
        raise ValueError(f"token vectors of shape {vectors.shape} with weights of shape {weights.shape}")
    return b"".join((_HEADER.pack(*vectors.shape), weights.tobytes(), vectors.tobytes()))


def unpacked(wire: bytes) -> TokenVectors:
    """What `packed` wrote, read-only, without a copy. Raises ValueError: too short, too long, or no dimension."""
    if len(wire) < _HEADER.size:
        raise ValueError(f"{len(wire)} bytes are no token vectors: their header has {_HEADER.size}")
    tokens, dimension = _HEADER.unpack_from(wire)
    expected = _HEADER.size + _FLOAT.itemsize * tokens * (1 + dimension)
    if not dimension or len(wire) != expected:
        raise ValueError(f"{tokens} token vectors of {dimension} values take {expected} bytes, not {len(wire)}")
    values = np.frombuffer(wire, _FLOAT, offset=_HEADER.size).astype(np.float32, copy=False)
    return TokenVectors(values[tokens:].reshape(tokens, dimension), values[:tokens])


def max_sim(query: TokenVectors, documents: Floats, starts: npt.NDArray[np.int64], empty: float) -> Floats:
    """The scores of a query with documents that lie one after the other, float32 [n].

    Args:
        documents: float32 [tokens, dimension]; document i has the rows starts[i] to starts[i + 1].
        starts: int64 [n + 1], ascending.
        empty: what the closest row counts as where a document has none.

    Raises:
        ValueError: query and documents are not of one dimension.
    """
    # Documents first: the maximum is then taken over whole rows, not over strided columns.
    return sum_of_maxima(dot_products(documents[: starts[-1]], query.vectors), query.weights, starts, empty)


def dot_products(rows: Floats, query: Floats) -> Floats:
    """The dot products of rows float32 [n, k] with a query's float32 [m, k], [n, m], in one thread.

    A product of a millisecond is not worth the wait for another thread: beside a server that has all cores busy it
    takes twenty, and burns them. OpenBLAS takes one thread for a product of up to 2**18 multiplications, and numpy
    hands it a stack of matrices one by one.
    """
    count, (asked, values) = len(rows), query.shape
    piece = max(_ONE_THREAD // max(asked * values, 1), 1)
    pieces = count // piece
    whole = pieces * piece
    found = np.empty((count, asked), np.float32)
    np.matmul(rows[:whole].reshape(pieces, piece, values), query.T, out=found[:whole].reshape(pieces, piece, asked))
    np.matmul(rows[whole:], query.T, out=found[whole:])
    return found


def sum_of_maxima(similarities: Floats, weights: Floats, starts: npt.NDArray[np.int64], empty: float) -> Floats:
    """The scores that similarities float32 [documents' tokens, query's rows] come to, float32 [n]; as `max_sim`."""
    filled = starts[1:] > starts[:-1]
    closest = np.full((len(filled), len(weights)), empty, np.float32)
    if filled.any():
        closest[filled] = np.maximum.reduceat(similarities, starts[:-1][filled], axis=0)
    scores: Floats = closest @ weights
    return scores
