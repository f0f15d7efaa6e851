"""Who comes first in the mixed pool: a language's share of the first ten, for its own queries and for all.

own share   of the first ten of a query in the language, those in the language; beside their share among its relevant
exposure    (the language's documents in all first tens / all documents there)
            / (its documents among the relevant / all that are relevant), each relevant document once a query
            1: as often shown as it is right; 0.5: half as often

Both with intervals over groups, as everything else (bootstrap.py). Lists that find nothing are left out of own shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.bias.own_language import relevant_own_share
from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
from interlingua_evaluation.measures.relevance import CUTOFF, Judge
from interlingua_evaluation.significance.bootstrap import Interval, Resampler, Resampling
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, Pair

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.measures.relevance import Values

_FIRST, _RELEVANT, _ALL = "first", "relevant", "*"
_LEVELS = (0.025, 0.975)


@dataclass(frozen=True)
class OwnShare:
    """The own-language share of the queries of one language.

    Attributes:
        first: share of the first ten that is in the query's language.
        relevant: the same share among the relevant documents, which a neutral system would show.
        excess: first minus relevant, list by list.
    """

    first: Interval
    relevant: float
    excess: Interval


def own_shares(lists: CandidateLists, half: str) -> dict[str, OwnShare]:
    """By query language; {} where all documents are in one language."""
    rows = _mixed_rows(lists, half)
    if len(lists.dataset.languages) < 2 or not len(rows):
        return {}
    judge, relevant = Judge(lists), RelevantDocuments.of(lists)
    found = (lists.documents[rows] != NOTHING).any(axis=1)
    first = np.where(found, judge.own_share(lists.documents)[rows], np.nan)
    wanted = np.where(found, relevant_own_share(relevant)[rows], np.nan)
    pairs = [lists.pairs[row] for row in rows.tolist()]
    resampler = Resampler([lists.groups[row] for row in rows.tolist()])
    of_first, of_wanted, of_excess = (resampler.of(values, pairs) for values in (first, wanted, first - wanted))
    return {
        pair.asked: OwnShare(of_first.of_pair(pair), of_wanted.of_pair(pair).mean, of_excess.of_pair(pair))
        for pair in of_first.pairs
    }


def exposures(lists: CandidateLists, half: str) -> dict[str, Interval]:
    """By document language; a language that is never relevant has none."""
    rows = _mixed_rows(lists, half)
    languages = lists.dataset.languages
    if len(languages) < 2 or not len(rows):
        return {}
    resampling = _resampled(rows, lists)
    columns = {pair: number for number, pair in enumerate(resampling.pairs)}
    found = {tag: _ratio(resampling, columns, tag) for tag in languages}
    return {tag: interval for tag, interval in found.items() if interval is not None}


def _resampled(rows: IntArray, lists: CandidateLists) -> Resampling:
    """Counts a list, each kind of count as a pair of its own, so that all are of the same draws."""
    counts = {
        _FIRST: _counts((row[row != NOTHING].tolist() for row in lists.documents[rows, :CUTOFF]), lists),
        _RELEVANT: _counts((lists.grades[row] for row in rows.tolist()), lists),
    }
    names = (*lists.dataset.languages, _ALL)
    pairs = [Pair(what, name) for what in counts for name in names for _ in rows]
    values: Values = np.concatenate([counted.T.ravel() for counted in counts.values()])
    groups = [lists.groups[row] for row in rows.tolist()] * (len(counts) * len(names))
    return Resampler(groups).of(values, pairs)


def _counts(documents: Iterable[Iterable[int]], lists: CandidateLists) -> npt.NDArray[np.float64]:
    """Documents of each language, and in the last column all, [rows, languages + 1]."""
    numbers = {tag: number for number, tag in enumerate(lists.dataset.languages)}
    spoken = np.array([numbers[document.language] for document in lists.dataset.documents])
    counted = np.array([np.bincount(spoken[list(row)], minlength=len(numbers)) for row in map(list, documents)])
    return np.hstack([counted, counted.sum(axis=1, keepdims=True)]).astype(np.float64)


def _ratio(resampling: Resampling, columns: Mapping[Pair, int], tag: str) -> Interval | None:
    places = [columns[Pair(what, name)] for what in (_FIRST, _RELEVANT) for name in (tag, _ALL)]
    first, of_first, relevant, of_relevant = resampling.observed[places]
    if not relevant or not of_first:
        return None
    drawn = resampling.resampled[:, places]
    drawn = drawn[(drawn[:, 1:] > 0).all(axis=1)]
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1] / (drawn[:, 2] / drawn[:, 3]), _LEVELS)
    return Interval(float(first / of_first / (relevant / of_relevant)), float(low), float(high))


def _mixed_rows(lists: CandidateLists, half: str) -> IntArray:
    mixed = np.array([pool == MIXED for pool in lists.pools])
    return np.flatnonzero(mixed & lists.of_half(half))
