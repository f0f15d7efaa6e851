"""Fewer values a token: the directions that an index's own tokens vary in most.

    token vectors of a sample --second moments [d, d]--> eigenvectors of the largest values --rotated--> matrix [k, d]

Not centred: what is kept are dot products, and of all matrices of k orthogonal rows this one keeps most of the tokens'
squared length. The random rotation changes no dot product; it spreads a token's length evenly over its values, which
is what few bits a value need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_client.embedder import FloatArray

STORED_DIMENSION = 128

_SEED = 20260101


@dataclass(frozen=True, eq=False)
class TokenProjection:
    """Orthogonal rows of unit length, float32 [k, d]."""

    matrix: FloatArray

    @property
    def dimension(self) -> int:
        """k, of a stored vector."""
        return int(self.matrix.shape[0])

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Vectors float32 [n, d] as [n, k]; dot products are kept as well as k values can."""
        projected: FloatArray = vectors @ self.matrix.T
        return projected

    def kept(self, vectors: FloatArray) -> float:
        """Share of the vectors' squared length that is kept, 0 to 1; 1 of none."""
        whole = float(np.square(vectors, dtype=np.float64).sum())
        return float(np.square(self(vectors), dtype=np.float64).sum()) / whole if whole else 1.0

    @classmethod
    def fit(cls, sample: Iterable[FloatArray], dimension: int) -> TokenProjection:
        """The projection of token vectors [n, d] of several texts; `dimension` is d."""
        moments = np.zeros((dimension, dimension))
        for vectors in sample:
            moments += vectors.astype(np.float64).T @ vectors.astype(np.float64)
        kept = min(STORED_DIMENSION, dimension)
        _, directions = np.linalg.eigh(moments)  # ascending
        rotation, _ = np.linalg.qr(np.random.default_rng(_SEED).normal(size=(kept, kept)))
        return cls((rotation @ directions[:, -kept:].T).astype(np.float32))

    def to_bytes(self) -> bytes:
        """The matrix as the store keeps it."""
        return np.ascontiguousarray(self.matrix, "<f4").tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes, dimension: int) -> TokenProjection:
        """Read it back. Raises ValueError: it is none of `dimension` columns."""
        matrix = np.frombuffer(raw, "<f4").reshape(-1, dimension).astype(np.float32, copy=False)
        if not len(matrix) or not np.isfinite(matrix).all():
            raise ValueError("the projection of the token vectors is none")
        return cls(matrix)
