"""Rankings of a network against torch's, language by language.

    rankings, answers, torch's answers --agreements--> one LanguageAgreement a language, with its worst pair

A cosine says how far a vector moved, not whether anything changes places. What users get is an order, in their own
language: so the gate's verdict is one for each language, and the mean over languages decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_exporter.texts.parity_texts import ParitySet, Ranking

Values = NDArray[np.float64]

TOP = 10
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class LanguageAgreement:
    """How far a language's rankings are torch's.

    Attributes:
        language: of the queries.
        queries: rankings compared.
        overlap: mean share of torch's first 10 candidates among ours.
        correlation: mean rank correlation (Spearman) over all candidates.
        worst_pair: `query-document`, the languages whose candidates alone agree least.
        worst_pair_correlation: mean rank correlation of those.
        passed: whether both figures are within the bounds.
    """

    language: str
    queries: int
    overlap: float
    correlation: float
    worst_pair: str
    worst_pair_correlation: float
    passed: bool

    def describe(self) -> str:
        """One line of a message."""
        return (
            f"{self.language} (top-{TOP} overlap {self.overlap:.3f}, rank correlation {self.correlation:.4f}, least in "
            f"{self.worst_pair}: {self.worst_pair_correlation:.4f})"
        )


def top_overlap(ours: Values, theirs: Values, k: int = TOP) -> float:
    """The share of the reference's k best that are among ours: scores [c] twice -> 0 to 1."""
    k = min(k, max(len(ours) // 2, 1))  # of few candidates, all of them would always overlap
    return len(set(np.argsort(-ours)[:k]) & set(np.argsort(-theirs)[:k])) / k


def rank_correlation(ours: Values, theirs: Values) -> float:
    """Spearman's rho of two score lists [c]; 1 where the order is the same."""
    ranks = [np.argsort(np.argsort(scores)).astype(np.float64) for scores in (ours, theirs)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def agreements(
    parity: ParitySet, ours: Values, theirs: Values, *, overlap: float, correlation: float
) -> tuple[LanguageAgreement, ...]:
    """Every language's agreement, worst first.

    Args:
        ours, theirs: answers [samples, D], in the order of `parity.samples`.
        overlap, correlation: the least a language may have.
    """
    by_language: dict[str, list[Ranking]] = {}
    for ranking in parity.rankings:
        by_language.setdefault(ranking.language, []).append(ranking)
    found = []
    for language, rankings in by_language.items():
        scores = [(scores_of(ranking, ours), scores_of(ranking, theirs)) for ranking in rankings]
        overlaps = float(np.mean([top_overlap(*pair) for pair in scores]))
        correlations = float(np.mean([rank_correlation(*pair) for pair in scores]))
        pair, least = _worst_pair(parity, rankings, scores)
        # A NaN is within no bound.
        passed = overlaps >= overlap and correlations >= correlation
        found.append(
            LanguageAgreement(
                language=language,
                queries=len(rankings),
                overlap=overlaps,
                correlation=correlations,
                worst_pair=pair,
                worst_pair_correlation=least,
                passed=passed,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.passed, np.nan_to_num(each.correlation, nan=-1.0))))


def scores_of(ranking: Ranking, answers: Values) -> Values:
    """What a ranking sorts its candidates by: cosines with the query, or a reranker's scores."""
    candidates = answers[list(ranking.candidates)]
    if ranking.query is None:
        return candidates[:, 0]
    query = answers[ranking.query]
    lengths = np.linalg.norm(candidates, axis=1) * np.linalg.norm(query)
    scores: Values = (candidates @ query) / np.maximum(lengths, _TINY)
    return scores


def translations_found(rankings: Sequence[Ranking], answers: Values) -> float:
    """The mean share of a query's translations among as many best candidates."""
    shares = []
    for ranking in rankings:
        best = np.argsort(-scores_of(ranking, answers))[: len(ranking.answers)]
        shares.append(np.mean([ranking.candidates[place] in ranking.answers for place in best]))
    return float(np.mean(shares))


def _worst_pair(
    parity: ParitySet, rankings: Sequence[Ranking], scores: Sequence[tuple[Values, Values]]
) -> tuple[str, float]:
    """The document language whose candidates, taken alone, agree least; and the mean correlation of it."""
    by_pair: dict[str, list[float]] = {}
    for ranking, (ours, theirs) in zip(rankings, scores, strict=True):
        pairs = np.array([_pair(parity, ranking, at) for at in ranking.candidates])
        for pair in dict.fromkeys(pairs.tolist()):
            chosen = pairs == pair
            by_pair.setdefault(pair, []).append(rank_correlation(ours[chosen], theirs[chosen]))
    means = {pair: float(np.mean(values)) for pair, values in by_pair.items()}
    worst = min(means, key=lambda pair: np.nan_to_num(means[pair], nan=-1.0))
    return worst, means[worst]


def _pair(parity: ParitySet, ranking: Ranking, candidate: int) -> str:
    """A reranker's sample is a pair already."""
    language = parity.samples[candidate].language
    return language if ranking.query is None else f"{ranking.language}-{language}"
