"""What a question's words do to the candidates of the first stage.

codes    candidates + the passages that hold the question's names and codes, at most ADDED, with their cosines; in the
         end those that hold its codes come first
bm25     the passages with the greatest BM25 in place of the candidates, of as many documents
fusion   both lists by reciprocal rank (Cormack, Clarke and Buettcher 2009): the sum of 1 / (60 + rank)
off      candidates
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.base.errors import InterlinguaError
from interlingua_client.index.search_index import Candidates
from interlingua_client.index.words.exact_matches import ADDED, OF_A_DOCUMENT, ExactMatches

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.index.scope.search_scope import SearchScope
    from interlingua_client.index.search_index import SearchIndex

CODES, OFF, BM25, FUSION = "codes", "off", "bm25", "fusion"
MODES = (CODES, OFF, BM25, FUSION)

_RANK_CONSTANT = 60  # the paper's
_AT_ONCE = 100


@dataclass(frozen=True)
class WordUse:
    """What a search made of the question's words.

    Attributes:
        mode: one of MODES.
        words: names and codes that were looked up and are rare enough; codes without a hyphen between letter and digit.
        added: candidates that only their words brought.
        reason: why words had no say although they were asked for; else "".
    """

    mode: str
    words: tuple[str, ...] = ()
    added: int = 0
    reason: str = ""


class Worded(NamedTuple):
    """Candidates after the words.

    Attributes:
        added: labels that only their words brought.
        coded: labels that hold the question's codes, and stand before all others (exact_matches.py).
    """

    candidates: Candidates
    use: WordUse
    added: frozenset[int] = frozenset()
    coded: frozenset[int] = frozenset()


def with_words(
    index: SearchIndex,
    question: str,
    vector: FloatArray,
    language: str | None,
    candidates: Candidates,
    *,
    mode: str,
    wide: Callable[[Callable[[int], Candidates]], Candidates],
    least: float | None = None,
    languages: Collection[str] = (),
    scope: SearchScope | None = None,
    known: SearchScope | None = None,
) -> Worded:
    """The candidates after the question's words; as they are where words cannot be searched.

    Args:
        vector: float32 [D], the question's, as the network gave it.
        language: of the question; None when unknown.
        wide: looks as far as the first stage does, with what finds so many passages, best first.
        least: cosine of what is added.
        languages: tags of the index to search in; empty for all.
        scope: to search in; everywhere without it.
        known: what the asker may know of; everything without it.
    """
    if mode == OFF:
        return Worded(candidates, WordUse(OFF))
    if reason := index.words.why_not():
        return Worded(candidates, WordUse(mode, reason=reason))
    try:
        if mode == CODES:
            matches = index.exact_matches(question, languages, scope=scope, known=known)
            return _with_codes(index, matches, vector, language, candidates, least)
        best = wide(lambda k: index.best_by_words(question, language, k, languages, scope=scope))
    except InterlinguaError as error:
        return Worded(candidates, WordUse(mode, reason=f"words could not be read: {error}"))
    found = best if mode == BM25 else wide(lambda k: fused(candidates, best, k))
    added = frozenset(found.labels.tolist()) - frozenset(candidates.labels.tolist())
    return Worded(found, WordUse(mode, added=len(added)), added)


def _with_codes(
    index: SearchIndex,
    matches: ExactMatches,
    vector: FloatArray,
    language: str | None,
    candidates: Candidates,
    least: float | None,
) -> Worded:
    there = set(candidates.labels.tolist())
    new = {label: weight for label, weight in matches.weights.items() if label not in there}
    labels, scores = _chosen(index, new, lambda labels: index.similarities(vector, language, labels), least)
    joined = Candidates(
        np.concatenate([candidates.labels, labels]), np.concatenate([candidates.scores, scores]), candidates.exact
    )
    use = WordUse(CODES, tuple(matches.words), len(labels))
    return Worded(joined, use, frozenset(labels.tolist()), matches.coded)


def _chosen(
    index: SearchIndex,
    weights: Mapping[int, float],
    similarities: Callable[[IntArray], FloatArray],
    least: float | None,
) -> tuple[IntArray, FloatArray]:
    """The ADDED ones with the greatest weights, the nearest of equal ones, OF_A_DOCUMENT of a document; and cosines.

    Vectors are read of as many as it takes, _AT_ONCE and those that weigh the same.
    """
    by_weight = sorted(weights, key=lambda label: (-weights[label], label))
    of_document: Counter[int] = Counter()
    chosen: list[tuple[int, float]] = []
    while by_weight and len(chosen) < ADDED:
        least_weight = weights[by_weight[:_AT_ONCE][-1]]
        part = [label for label in by_weight if weights[label] >= least_weight]
        del by_weight[: len(part)]
        labels = np.array(part, np.int64)
        scores, numbers = similarities(labels), index.documents_of(labels)
        for row in np.lexsort((labels, -scores, -np.array([weights[label] for label in part]))).tolist():
            number = int(numbers[row])
            if (least is None or scores[row] >= least) and of_document[number] < OF_A_DOCUMENT:
                of_document[number] += 1
                chosen.append((int(labels[row]), float(scores[row])))
    del chosen[ADDED:]
    return np.array([label for label, _ in chosen], np.int64), np.array([score for _, score in chosen], np.float32)


def fused(nearest: Candidates, best: Candidates, k: int) -> Candidates:
    """The k best by reciprocal rank, which are their scores; of equal ones the nearest first."""
    sums: dict[int, float] = {}
    for found in (nearest, best):
        for rank, label in enumerate(found.labels.tolist(), start=1):
            sums[label] = sums.get(label, 0.0) + 1 / (_RANK_CONSTANT + rank)
    ordered = sorted(sums, key=lambda label: -sums[label])[:k]  # stable: the nearest come first
    scores = np.array([sums[label] for label in ordered], np.float32)
    return Candidates(np.array(ordered, np.int64), scores, nearest.exact)
