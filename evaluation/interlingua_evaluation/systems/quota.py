"""A share of the candidates for every language, so that the reranker sees some of each.

    a first stage's scores, language by language --the best few of each--> kept
                                                 --the best of the rest until the depth is full--> kept
                                                 --all others--> -inf

It acts on which documents are candidates, not on their order: final ranks are the reranker's. The client does the same
(interlingua_client/index/search_index.py); a pool of one language is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.search_index import reserved_per_language

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.systems.first_stage import FirstStage, PoolScores

SHARE = 1.0


@dataclass(frozen=True)
class QuotaStage:
    """A first stage whose `depth` candidates are shared out.

    Attributes:
        languages: of every document of the dataset.
    """

    stage: FirstStage
    languages: npt.NDArray[np.str_]
    depth: int

    def pool(self, documents: IntArray) -> PoolScores:
        score = self.stage.pool(documents)
        names, language_of = np.unique(self.languages[documents], return_inverse=True)
        each = reserved_per_language(self.depth, len(names), SHARE)
        members = [np.flatnonzero(language_of == number) for number in range(len(names))]
        return lambda queries: _shared_out(score(queries), members, each, self.depth)


def _shared_out(scores: FloatArray, members: list[IntArray], each: int, depth: int) -> FloatArray:
    kept = np.zeros(scores.shape, dtype=bool)
    for columns in members:
        best = np.argsort(-scores[:, columns], axis=1, kind="stable")[:, :each]
        np.put_along_axis(kept, columns[best], values=True, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    free = ~np.take_along_axis(kept, order, axis=1)
    room = depth - kept.sum(axis=1, keepdims=True)
    np.put_along_axis(kept, order, np.take_along_axis(kept, order, axis=1) | (free & (free.cumsum(axis=1) <= room)), 1)
    out: FloatArray = np.where(kept, scores, -np.inf).astype(np.float32)
    return out
