"""The systems' answers, over the same lists.

SystemName --first stage (kept: several systems share one)--> CandidateLists
           --reranker, asked once for all pairs of all systems, once a stored form--> SystemRun
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InputError
from interlingua_evaluation.systems.calibration import CalibratedStage
from interlingua_evaluation.systems.candidate_lists import CandidateLists, candidate_lists
from interlingua_evaluation.systems.code_candidates import CodeLeg
from interlingua_evaluation.systems.first_stage import FirstStage, KeptStage
from interlingua_evaluation.systems.fusion import fuse
from interlingua_evaluation.systems.lexical import Bm25Stage
from interlingua_evaluation.systems.passage_search import PassageScorer, PassageSearch, PassageStage
from interlingua_evaluation.systems.quota import QuotaStage
from interlingua_evaluation.systems.rerank.pair_scores import Pairs, PairScorer, PairScores
from interlingua_evaluation.systems.rerank.reranked_lists import rerank

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.dense_vectors import DenseVectors
    from interlingua_evaluation.systems.system_name import SystemName

LIST_DEPTH = 100


class _Group(NamedTuple):
    """Systems of one group rerank the same texts."""

    form: str
    passages: bool
    offsets: bool


def _group(name: SystemName) -> _Group:
    return _Group(name.form, name.passages, name.passages and name.offsets)


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
        scorer: the reranker by pairs; None where none is published.
        stored: the reranker by stored token vectors, by their form's name.
        kept: bool [documents], those that are searched; None for all.
        by_passages: what systems with `passages` search; None where none is one.
    """

    dataset: Dataset
    vectors: Callable[[], DenseVectors]
    asked_in: Sequence[str | None]
    scorer: PairScorer | None
    kept: npt.NDArray[np.bool_] | None = None
    stored: Mapping[str, PairScorer] = field(default_factory=dict)
    by_passages: PassageSearch | None = None
    _lists: dict[tuple[SystemName, int], CandidateLists] = field(default_factory=dict)

    def of(self, names: Sequence[SystemName]) -> list[SystemRun]:
        """The systems' answers, in their order.

        Raises:
            InputError: a system reranks and there is no reranker.
            ServerError: a server is needed, and cannot be reached.
        """
        reranked = [name for name in names if name.depth is not None]
        groups = dict.fromkeys(map(_group, reranked))
        scores = {
            group: self._scores(group.form, [name for name in reranked if _group(name) == group]) for group in groups
        }
        return [self._run(name, scores.get(_group(name))) for name in names]

    def candidates(self, name: SystemName) -> CandidateLists:
        """What the system's reranker sees; the whole lists without one."""
        depth = name.depth
        if depth is None:
            return self.first_stage(name)
        if name.codes:
            return self._kept(
                replace(name, unbalanced=False, weight=None, form=""),
                depth,
                lambda: self._codes.added(self.candidates(replace(name, codes=False)), self._dense(name), self.kept),
            )
        if name.quota:
            stage = QuotaStage(self._dense(name), self._languages, depth)
            return self._kept(name.before_reranking, depth, lambda: candidate_lists(self.dataset, stage, depth))
        return self.first_stage(name, max(depth, LIST_DEPTH)).cut(depth)

    def _run(self, name: SystemName, logits: PairScores | None) -> SystemRun:
        candidates = self.candidates(name)
        scorer = self._scorer(name.form)
        if logits is None or name.depth is None or scorer is None:
            return SystemRun(name, candidates, candidates)
        weight = scorer.weight if name.weight is None else name.weight
        asked_in = [None] * len(self.asked_in) if name.unbalanced else self.asked_in
        result = rerank(candidates, self.first_stage(name), logits, weight, asked_in)
        lists = self._codes.first(result.lists, self.kept) if name.codes else result.lists
        return SystemRun(name, lists, candidates, result.refused, weight)

    @cached_property
    def _codes(self) -> CodeLeg:
        return CodeLeg(self.dataset)

    def _scorer(self, form: str) -> PairScorer | None:
        return self.stored.get(form) if form else self.scorer

    def _scores(self, form: str, names: Sequence[SystemName]) -> PairScores:
        scorer = self._scorer(form)
        if scorer is None:
            raise InputError(
                f"{names[0]} reranks, and no reranker is published: run `interlingua export e5-small-reranker`, "
                "or evaluate systems without reranking"
            )
        documents = len(self.dataset.documents)
        lists = ((found := self.candidates(name), found.documents.shape[1]) for name in names)
        pairs = Pairs.of(lists, documents)
        return PairScores(pairs, documents, self._reading(names[0], scorer).scores(self.dataset, pairs))

    def _reading(self, name: SystemName, scorer: PairScorer) -> PairScorer:
        """The scorer, which reads passages where the system finds them."""
        if not name.passages:
            return scorer
        return PassageScorer(scorer, self._passages().passages, self._by_passages(name))

    def first_stage(self, name: SystemName, depth: int = LIST_DEPTH) -> CandidateLists:
        """Whole lists, before a quota; deeper ones where a reranker sees more."""
        key = type(name)(first=name.first, passages=name.passages, offsets=name.offsets, calibration=name.calibration)
        return self._kept(key, depth, lambda: self._searched(key, depth))

    def _searched(self, name: SystemName, depth: int) -> CandidateLists:
        if name.first == "bm25":
            return candidate_lists(self.dataset, self._among(Bm25Stage.of(self.dataset)), depth)
        if name.first == "dense":
            return candidate_lists(self.dataset, self._dense(name), depth)
        parts = [
            self.first_stage(replace(name, first="dense"), depth),
            self.first_stage(type(name)(first="bm25"), depth),
        ]
        return fuse(parts, depth)

    def _dense(self, name: SystemName) -> FirstStage:
        stage: FirstStage
        if name.passages:
            stage = self._by_passages(name)
        else:
            stage = self.vectors().searched(self.dataset, use_offsets=name.offsets, asked_in=self.asked_in)
        return self._among(CalibratedStage(stage, self._languages) if name.calibration else stage)

    def _by_passages(self, name: SystemName) -> PassageStage:
        return self._passages().stage(use_offsets=name.offsets, asked_in=self.asked_in)

    def _passages(self) -> PassageSearch:
        if self.by_passages is None:
            raise InputError("no passages were made here: evaluate such a system with `interlingua evaluate`")
        return self.by_passages

    def _among(self, stage: FirstStage) -> FirstStage:
        return stage if self.kept is None else KeptStage(stage, self.kept)

    def _kept(self, name: SystemName, depth: int, make: Callable[[], CandidateLists]) -> CandidateLists:
        if (name, depth) not in self._lists:
            self._lists[name, depth] = make()
        return self._lists[name, depth]

    @cached_property
    def _languages(self) -> npt.NDArray[np.str_]:
        return np.array([document.language for document in self.dataset.documents])
