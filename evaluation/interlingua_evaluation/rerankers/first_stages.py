"""The systems under comparison, each as its values over the same lists.

DenseVectors --> raw lists, offset lists --> "dense raw", "dense + offsets"
MixedScores  --> offset lists reordered  --> a reranker alone (w = 1), or mixed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua_evaluation.measures.relevance import Judge, Values
from interlingua_evaluation.systems.candidate_lists import CandidateLists, candidate_lists

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.dense_vectors import DenseVectors
    from interlingua_evaluation.systems.rerank.reranking import MixedScores

RAW = "dense raw"
BASELINE = "dense + offsets"


@dataclass(frozen=True)
class SystemValues:
    """One system's values, one a list (R).

    Attributes:
        weight: of the reranker in the mix; None without one.
    """

    name: str
    weight: float | None
    ndcg: Values
    own_share: Values


@dataclass(frozen=True)
class FirstStages:
    """Both first stages on one dataset, over the same lists."""

    raw: CandidateLists
    offsets: CandidateLists
    judge: Judge

    @classmethod
    def of(cls, dataset: Dataset, vectors: DenseVectors) -> FirstStages:
        raw, offsets = (candidate_lists(dataset, vectors.searched(dataset, use_offsets=use)) for use in (False, True))
        return cls(raw, offsets, Judge(offsets))

    def dense(self) -> list[SystemValues]:
        """The first stage without reranking."""
        return [
            SystemValues(name, None, self.judge.ndcg(lists.documents), self.judge.own_share(lists.documents))
            for name, lists in ((RAW, self.raw), (BASELINE, self.offsets))
        ]

    def reranked(self, name: str, mixed: MixedScores, weight: float) -> SystemValues:
        """With the reranker's share of the score."""
        ranked = mixed.ranked(weight)
        return SystemValues(name, weight, self.judge.ndcg(ranked), self.judge.own_share(ranked))

    def recall(self) -> Values:
        """What share of the answers the reranker gets to see, a list."""
        return self.judge.recall(self.offsets.documents)
