"""What every first stage is: something that scores a pool's documents for queries.

a pool's documents --pool()--> ready --queries [n]--> scores [n, documents]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.embedder import FloatArray, IntArray

PoolScores = Callable[["IntArray"], "FloatArray"]


class FirstStage(Protocol):
    """Anything that scores documents for a query."""

    def pool(self, documents: IntArray) -> PoolScores:
        """Get ready to search these documents (numbers of the dataset's, ascending).

        What it gives takes the numbers of n queries, and answers with float32 [n, documents], best highest; -inf
        leaves a document out.
        """
        ...


@dataclass(frozen=True)
class Matrix:
    """Scores that are all there already.

    Attributes:
        scores: float32 [queries, documents].
    """

    scores: FloatArray

    def pool(self, documents: IntArray) -> PoolScores:
        return lambda queries: self.scores[np.ix_(queries, documents)]


@dataclass(frozen=True)
class KeptStage:
    """A first stage that searches some of the documents only.

    Attributes:
        kept: bool [documents].
    """

    stage: FirstStage
    kept: npt.NDArray[np.bool_]

    def pool(self, documents: IntArray) -> PoolScores:
        there = self.kept[documents]
        score = self.stage.pool(documents[there])

        def scores(queries: IntArray) -> FloatArray:
            out = np.full((len(queries), len(documents)), -np.inf, dtype=np.float32)
            out[:, there] = score(queries)
            return out

        return scores
