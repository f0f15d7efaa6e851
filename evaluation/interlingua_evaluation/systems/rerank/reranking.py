"""Logits and similarities --> orders of the candidates, mixed as the client mixes them.

logits [queries, documents] --the candidates'--> [R, depth] --client's mixing, weight w--> ranked documents
w is chosen on the development half: the one with the best nDCG@10 across languages
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua_client.language_tag import base_language
from interlingua_client.search.score_mixing import balanced, standardized
from interlingua_evaluation.systems.candidate_lists import MIXED, CandidateLists, Pair

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.measures.relevance import Judge, Values

Own = npt.NDArray[np.bool_]

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))


@dataclass(frozen=True)
class MixedScores:
    """Both scores of all candidates, standardized within each list, [R, depth]; 0 where there is no document."""

    lists: CandidateLists
    similarities: Values
    logits: Values

    @classmethod
    def of(cls, lists: CandidateLists, scores: FloatArray, own: Own | None = None) -> MixedScores:
        """From a reranker's logits of all candidates, [queries, documents], or of the lists' own, [R, depth].

        Args:
            own: which candidates are in the query's language, to take out what they gain by that; None leaves it in.
        """
        logits = scores if scores.shape == lists.documents.shape else scores[lists.queries[:, None], lists.documents]
        return cls(lists, _standardized_rows(lists, lists.scores, own), _standardized_rows(lists, logits, own))

    def ranked(self, weight: float) -> IntArray:
        """The candidates' numbers by mixed score, int64 [R, depth]; the first stage's order decides ties."""
        return np.take_along_axis(self.lists.documents, self.order(weight), axis=1)

    def mixed(self, weight: float) -> Values:
        """The scores they are ordered by, [R, depth]; -inf where there is no document."""
        mixed: Values = (1 - weight) * self.similarities + weight * self.logits
        mixed[~self.lists.filled] = -np.inf
        return mixed

    def order(self, weight: float) -> IntArray:
        """Places of the candidates, best first, int64 [R, depth]."""
        return np.argsort(-self.mixed(weight), axis=1, kind="stable")


def across_mean(values: Values, pairs: Sequence[Pair]) -> float:
    """The average over the cross-language pairs, each of which counts the same."""
    across = {pair: [] for pair in pairs if pair.pool not in (MIXED, pair.asked)}  # type: dict[Pair, list[float]]
    for value, pair in zip(values.tolist(), pairs, strict=True):
        if pair in across:
            across[pair].append(value)
    return float(np.mean([np.mean(of_pair) for of_pair in across.values()]))


def weight_curve(mixed: MixedScores, judge: Judge) -> dict[float, float]:
    """Each weight's nDCG@10 across languages on the development half; {} where the dataset has none."""
    chosen = mixed.lists.of_half("development")
    if not chosen.any():
        return {}
    pairs = [pair for pair, is_in in zip(mixed.lists.pairs, chosen, strict=True) if is_in]
    return {weight: across_mean(judge.ndcg(mixed.ranked(weight))[chosen], pairs) for weight in WEIGHTS}


def best_weight(curve: dict[float, float]) -> float:
    """The best of them; of equally good ones the smallest, which trusts the first stage more."""
    return max(curve, key=lambda weight: (curve[weight], -weight))


def wanted_pairs(lists: CandidateLists) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which query has which document among its candidates in any pool, bool [queries, documents]."""
    wanted = np.zeros((len(lists.dataset.queries), len(lists.dataset.documents)), dtype=bool)
    rows = np.broadcast_to(lists.queries[:, None], lists.documents.shape)
    wanted[rows[lists.filled], lists.documents[lists.filled]] = True
    return wanted


def own_language(lists: CandidateLists, asked_in: Sequence[str | None]) -> Own:
    """Which candidates are in their query's language, bool [R, depth]; none where that is unknown.

    Args:
        asked_in: every query's language, as the search knows it.
    """
    tags = np.array([base_language(document.language) for document in lists.dataset.documents])
    asked = np.array(["" if tag is None else base_language(tag) for tag in asked_in])[lists.queries]
    own: Own = (tags[lists.documents] == asked[:, None]) & lists.filled
    return own


def _standardized_rows(lists: CandidateLists, scores: FloatArray, own: Own | None) -> Values:
    rows = np.zeros(scores.shape)
    for number, (row, filled) in enumerate(zip(scores, lists.filled, strict=True)):
        values = row[filled].tolist()
        rows[number, filled] = standardized(
            balanced(values, own[number, filled].tolist()) if own is not None else values
        )
    return rows
