"""The systems' answers, over the same lists.

SystemName --first stage (kept: several systems share one)--> CandidateLists
           --reranker, asked once for all pairs of all systems--> SystemRun
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_evaluation.systems.calibration import CalibratedStage
from interlingua_evaluation.systems.candidate_lists import CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import FirstStage, KeptStage
from interlingua_evaluation.systems.fusion import fuse
from interlingua_evaluation.systems.lexical import Bm25Stage
from interlingua_evaluation.systems.quota import QuotaStage
from interlingua_evaluation.systems.rerank.pair_scores import Pairs, PairScorer, PairScores
from interlingua_evaluation.systems.rerank.reranked_lists import rerank

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.dense_vectors import DenseVectors
    from interlingua_evaluation.systems.system_name import SystemName

LIST_DEPTH = 100


@dataclass(frozen=True)
class SystemRun:
    """One system's answers.

    Attributes:
        lists: as a user would get them.
        candidates: what the reranker saw, in the first stage's order; the lists themselves without reranking.
        refused: lists that were not reranked, since a logit was missing or no number.
        weight: of the reranker; None without one.
    """

    name: SystemName
    lists: CandidateLists
    candidates: CandidateLists
    refused: int = 0
    weight: float | None = None


@dataclass(kw_only=True)
class SystemRuns:
    """What runs systems on one dataset.

    Attributes:
        vectors: gives the dataset's vectors; called only if a system needs them.
        asked_in: every query's language, as the search knows it; None where it does not.
        scorer: the reranker; None where none is published.
        kept: bool [documents], those that are searched; None for all.
    """

    dataset: Dataset
    vectors: Callable[[], DenseVectors]
    asked_in: Sequence[str | None]
    scorer: PairScorer | None
    kept: npt.NDArray[np.bool_] | None = None
    _lists: dict[tuple[SystemName, int], CandidateLists] = field(default_factory=dict)

    def of(self, names: Sequence[SystemName]) -> list[SystemRun]:
        """The systems' answers, in their order.

        Raises:
            InputError: a system reranks and there is no reranker.
            ServerError: a server is needed, and cannot be reached.
        """
        reranked = [name for name in names if name.depth is not None]
        logits = self._logits(reranked) if reranked else None
        return [self._run(name, logits) for name in names]

    def candidates(self, name: SystemName) -> CandidateLists:
        """What the system's reranker sees; the whole lists without one."""
        depth = name.depth
        if depth is None:
            return self.first_stage(name)
        if name.quota:
            stage = QuotaStage(self._dense(name), self._languages, depth)
            return self._kept(name.before_reranking, depth, lambda: candidate_lists(self.dataset, stage, depth))
        return self.first_stage(name).cut(depth)

    def _run(self, name: SystemName, logits: PairScores | None) -> SystemRun:
        candidates = self.candidates(name)
        if logits is None or name.depth is None or self.scorer is None:
            return SystemRun(name, candidates, candidates)
        weight = self.scorer.weight if name.weight is None else name.weight
        asked_in = [None] * len(self.asked_in) if name.unbalanced else self.asked_in
        result = rerank(candidates, self.first_stage(name), logits, weight, asked_in)
        return SystemRun(name, result.lists, candidates, result.refused, weight)

    def _logits(self, names: Sequence[SystemName]) -> PairScores:
        if self.scorer is None:
            raise InputError(
                f"{names[0]} reranks, and no reranker is published: run `interlingua export e5-small-reranker`, "
                "or evaluate systems without reranking"
            )
        documents = len(self.dataset.documents)
        lists = ((self.candidates(name), name.depth or 0) for name in names)
        pairs = Pairs.of(lists, documents)
        return PairScores(pairs, documents, self.scorer.scores(self.dataset, pairs))

    def first_stage(self, name: SystemName) -> CandidateLists:
        """Whole lists, before a quota."""
        key = type(name)(first=name.first, offsets=name.offsets, calibration=name.calibration)
        return self._kept(key, LIST_DEPTH, lambda: self._searched(key))

    def _searched(self, name: SystemName) -> CandidateLists:
        if name.first == "bm25":
            return candidate_lists(self.dataset, self._among(Bm25Stage.of(self.dataset)), LIST_DEPTH)
        if name.first == "dense":
            return candidate_lists(self.dataset, self._dense(name), LIST_DEPTH)
        parts = [
            self.first_stage(type(name)(first="dense", offsets=name.offsets, calibration=name.calibration)),
            self.first_stage(type(name)(first="bm25")),
        ]
        return fuse(parts, LIST_DEPTH)

    def _dense(self, name: SystemName) -> FirstStage:
        stage = self.vectors().searched(self.dataset, use_offsets=name.offsets, asked_in=self.asked_in)
        return self._among(CalibratedStage(stage, self._languages) if name.calibration else stage)

    def _among(self, stage: FirstStage) -> FirstStage:
        return stage if self.kept is None else KeptStage(stage, self.kept)

    def _kept(self, name: SystemName, depth: int, make: Callable[[], CandidateLists]) -> CandidateLists:
        if (name, depth) not in self._lists:
            self._lists[name, depth] = make()
        return self._lists[name, depth]

    @cached_property
    def _languages(self) -> npt.NDArray[np.str_]:
        return np.array([document.language for document in self.dataset.documents])
