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
    from interlingua_client.embedder import FloatArray

_SEED = 20260101
_ENOUGH = 20_000  # tokens, of some hundred dimensions
_AT_ONCE = 2048


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
        return dot_products(vectors - self.mean, self.matrix)

    def query(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A query's vectors float32 [n, d], [n, k] to be compared, and what each one's dot products lack, [n]."""
        return dot_products(vectors, self.matrix), dot_products(vectors, self.mean[None])[:, 0]

    def kept(self, vectors: FloatArray) -> float:
        """Share of documents' vectors' squared distance from the mean that is kept, 0 to 1; 1 of none."""
        vectors = _chosen(vectors)
        whole = float(np.square(vectors - self.mean).sum(dtype=np.float64))
        return float(np.square(self.document(vectors)).sum(dtype=np.float64)) / whole if whole else 1.0

    @classmethod
    def fit(cls, sample: FloatArray, kept: int) -> TokenProjection:
        """The projection of token vectors float32 [n, d]; `kept` is k, at most d."""
        dimension = sample.shape[1]
        chosen = _chosen(sample)
        mean = chosen.mean(axis=0, dtype=np.float64) if len(chosen) else np.zeros(dimension)
        moments, kept = np.zeros((dimension, dimension)), min(kept, dimension)
        for start in range(0, len(chosen), _AT_ONCE):
            centred = chosen[start : start + _AT_ONCE] - mean.astype(np.float32)
            moments += centred.T @ centred
        _, directions = np.linalg.eigh(moments)  # ascending
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


def _chosen(vectors: FloatArray) -> FloatArray:
    """Enough of them, evenly of all documents."""
    chosen: FloatArray = vectors[:: 1 + len(vectors) // _ENOUGH]
    return chosen
