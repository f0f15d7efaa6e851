"""A picture of the space: some documents of every language as points of a plane, before and after offsets.

    documents --<= 60 a language, the most translated groups first--> vectors [n, D] --PCA--> x, y

Both spaces are drawn from the same documents, each along its own two directions of most variance. Where languages lie
apart, the first picture has a cloud for each; without offsets the clouds should be one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray
    from interlingua_evaluation.datasets.dataset import JudgedDocument

DOCUMENTS_A_LANGUAGE = 60
_NO_VARIANCE = 1e-12  # share of the squared lengths that is rounding


class DrawnDocument(NamedTuple):
    """A document in the picture.

    Attributes:
        document: its id.
        language: its colour.
    """

    document: str
    language: str
    x: float
    y: float


@dataclass(frozen=True)
class Projection:
    """One picture.

    Attributes:
        points: in the documents' order.
        explained: shares of the variance along x and y, 0 to 1.
    """

    points: tuple[DrawnDocument, ...]
    explained: tuple[float, float]


@dataclass(frozen=True)
class Projections:
    """The same documents twice."""

    before: Projection
    after: Projection


def projections(
    documents: Sequence[JudgedDocument],
    before: FloatArray,
    after: FloatArray,
    documents_a_language: int = DOCUMENTS_A_LANGUAGE,
) -> Projections:
    """Draw both spaces.

    Args:
        before, after: float32 [documents, D], with the languages' offsets and without.
    """
    chosen = sample(documents, documents_a_language)
    shown = [documents[number] for number in chosen]
    return Projections(_projection(shown, before[chosen]), _projection(shown, after[chosen]))


def sample(documents: Sequence[JudgedDocument], documents_a_language: int) -> list[int]:
    """Numbers of the documents to draw, ascending: groups that most languages have first, then the earlier ones."""
    spoken = Counter(group for group, _ in {(document.group, document.language) for document in documents})
    order = sorted(range(len(documents)), key=lambda number: -spoken[documents[number].group])
    left = Counter({document.language: documents_a_language for document in documents})
    chosen = []
    for number in order:
        if left[documents[number].language] > 0:
            left[documents[number].language] -= 1
            chosen.append(number)
    return sorted(chosen)


def principal_axes(vectors: FloatArray) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """Coordinates [n, 2] along the two directions of most variance, and those directions' shares of it.

    The entry of a direction that is largest by its amount is positive, so that a picture is the same every time. A
    direction without variance has 0 everywhere.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    kept = axes[:2] * np.sign(np.take_along_axis(axes[:2], np.abs(axes[:2]).argmax(axis=1)[:, None], axis=1))
    total = float((lengths**2).sum())
    if total <= _NO_VARIANCE * float((vectors.astype(np.float64) ** 2).sum()):
        return np.zeros((len(vectors), 2)), (0.0, 0.0)
    places, shares = np.zeros((len(vectors), 2)), np.zeros(2)
    places[:, : len(kept)] = centred @ kept.T
    shares[: len(kept)] = lengths[:2] ** 2 / total
    return places, (float(shares[0]), float(shares[1]))


def _projection(shown: Sequence[JudgedDocument], vectors: FloatArray) -> Projection:
    places, explained = principal_axes(vectors)
    points = zip(shown, places.tolist(), strict=True)
    return Projection(
        tuple(DrawnDocument(document.id, document.language, x, y) for document, (x, y) in points), explained
    )
