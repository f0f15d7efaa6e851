"""Fewer values a token: the directions that an index's own tokens vary in most.

    token vectors of a sample --mean m, covariance--> eigenvectors of the largest values --rotated--> matrix P [k, d]
    q . d = q . m + q . (d - m), of which P q . P (d - m) is the second part, as well as k values can give it

The first part is the same for all documents, and is computed of the query alone. The random rotation changes no dot
product; it spreads a token's length evenly over its values, which is what few bits a value need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.served.token_vectors import dot_products

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua_client.embedder import FloatArray

_SEED = 20260101


@dataclass(frozen=True, eq=False)
class TokenProjection:
    """A mean and the directions around it.

    Attributes:
        mean: float32 [d], of the sample's tokens.
        matrix: float32 [k, d], orthogonal rows of unit length.
    """

    mean: FloatArray
    matrix: FloatArray

    @property
    def dimension(self) -> int:
        """k, of a stored vector."""
        return int(self.matrix.shape[0])

    def document(self, vectors: FloatArray) -> FloatArray:
        """A document's vectors float32 [n, d] as they are stored, [n, k]."""
        centred: FloatArray = vectors - self.mean
        projected: FloatArray = centred @ self.matrix.T
        return projected

    def query(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A query's vectors float32 [n, d], [n, k] to be compared, and what each one's dot products lack, [n]."""
        return dot_products(vectors, self.matrix), dot_products(vectors, self.mean[None])[:, 0]

    def kept(self, vectors: FloatArray) -> float:
        """Share of documents' vectors' squared distance from the mean that is kept, 0 to 1; 1 of none."""
        whole = float(np.square(vectors - self.mean, dtype=np.float64).sum())
        return float(np.square(self.document(vectors), dtype=np.float64).sum()) / whole if whole else 1.0

    @classmethod
    def fit(cls, sample: Iterable[FloatArray], dimension: int, kept: int) -> TokenProjection:
        """The projection of token vectors [n, d] of several texts; `dimension` is d, `kept` is k, at most d."""
        count, total, moments = 0, np.zeros(dimension), np.zeros((dimension, dimension))
        for vectors in sample:
            count += len(vectors)
            total += vectors.sum(axis=0, dtype=np.float64)
            moments += vectors.astype(np.float64).T @ vectors.astype(np.float64)
        mean, kept = total / max(count, 1), min(kept, dimension)
        _, directions = np.linalg.eigh(moments - count * np.outer(mean, mean))  # ascending
        rotation, _ = np.linalg.qr(np.random.default_rng(_SEED).normal(size=(kept, kept)))
        return cls(mean.astype(np.float32), (rotation @ directions[:, -kept:].T).astype(np.float32))

    def to_bytes(self) -> bytes:
        """Mean and matrix as the store keeps them."""
        return np.vstack([self.mean, self.matrix]).astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, raw: bytes, dimension: int) -> TokenProjection:
        """Read it back. Raises ValueError: it is none of `dimension` columns."""
        rows = np.frombuffer(raw, "<f4").reshape(-1, dimension).astype(np.float32, copy=False)
        if not 2 <= len(rows) <= dimension + 1 or not np.isfinite(rows).all():
            raise ValueError("the projection of the token vectors is none")
        return cls(rows[0], rows[1:])
