"""Logits of query-document pairs, wherever they come from, and what has to be asked of them.

    CandidateLists of some systems --wanted--> Pairs --a PairScorer--> PairScores --of a system's lists--> [R, depth]

A pair is asked once, however many pools and systems have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from interlingua_evaluation.systems.candidate_lists import NOTHING, CandidateLists

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.datasets.dataset import Dataset


@dataclass(frozen=True)
class Pairs:
    """Pairs to score, each once, by query and then by document.

    Attributes:
        queries, documents: int64 [n], numbers of the dataset's.
    """

    queries: IntArray
    documents: IntArray

    @classmethod
    def of(cls, lists: Iterable[tuple[CandidateLists, int]], documents: int) -> Pairs:
        """The first so many candidates of every list; `documents` is how many the dataset has."""
        codes = [_codes(of_system, depth, documents) for of_system, depth in lists]
        wanted = np.unique(np.concatenate([np.empty(0, np.int64), *codes]))
        wanted = wanted[wanted >= 0]
        return cls(wanted // documents, wanted % documents)

    def __len__(self) -> int:
        return len(self.queries)


class PairScorer(Protocol):
    """A reranker that scores pairs."""

    @property
    def digest(self) -> str:
        """The reranker's digest; equal digests, equal logits."""
        ...

    @property
    def model_id(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def weight(self) -> float:
        """Its share in the score, 0 to 1, as it states it."""
        ...

    @property
    def how(self) -> str:
        """For the report: how the logits were computed."""
        ...

    def scores(self, dataset: Dataset, pairs: Pairs) -> FloatArray:
        """Logits, float32 [n]; NaN where the reranker gave none."""
        ...


@dataclass(frozen=True)
class PairScores:
    """Logits of pairs.

    Attributes:
        logits: float32 [n].
    """

    pairs: Pairs
    documents: int
    logits: FloatArray

    def of(self, lists: CandidateLists) -> FloatArray:
        """The logit of every candidate, float32 [R, depth]; NaN where there is none, or it was not asked for."""
        known = self.pairs.queries * self.documents + self.pairs.documents
        codes = _codes(lists, lists.documents.shape[1], self.documents)
        places = np.minimum(np.searchsorted(known, codes), max(len(known) - 1, 0))
        found = (known[places] == codes) if len(known) else np.zeros(codes.shape, dtype=bool)
        logits = np.full(codes.shape, np.nan, dtype=np.float32)
        logits[found] = self.logits[places[found]]
        return logits.reshape(lists.documents.shape)


def _codes(lists: CandidateLists, depth: int, documents: int) -> IntArray:
    """One number a pair, of every candidate within the depth, one list after the other; -1 where there is none."""
    part = lists.documents[:, :depth]
    codes: IntArray = np.where(part == NOTHING, -1, lists.queries[:, None] * documents + part).ravel()
    return codes
