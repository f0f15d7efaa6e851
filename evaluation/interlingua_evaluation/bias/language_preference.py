"""Preference for the query's language, apart from finding the right content, after MLAIRE (arXiv 2605.07249).

    a query whose answer exists in its own and in other languages
        --which version comes first?-----------------> Language Preference Rate
        --own versions gain more than the others-----> Lang-nDCG@10

MLAIRE (Jang, Hong, Moon, Lim 2026) searches pools in which every answer exists in all languages. These readings fit
its description and its published figures; its formulas were not at hand, so figures here need not equal the paper's:

- Language Preference Rate: of the versions of the best answer (the list's highest grade), the one that comes first is
  in the query's language. Lists in which none of them was found show no preference and are left out: the rate speaks
  of language, the other measures speak of whether anything was found.
- Lang-nDCG: nDCG with the report's gains, of which a document in another language earns the share `other_language`.

All are NaN for pools of one language and where the query's language has no relevant document: the system had no
choice. A version that is missing from other languages does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_evaluation.measures.gains import DEFAULT, Gains
from interlingua_evaluation.measures.relevance import CUTOFF

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.bias.relevant_documents import Flags, RelevantDocuments
    from interlingua_evaluation.measures.relevance import Values

OTHER_LANGUAGE = 0.5


def language_preference_rate(relevant: RelevantDocuments, ranked: IntArray) -> Values:
    """Whether the own version comes before all other versions, float64 [R]: 1, 0 or NaN.

    NaN too where there is no version in another language, and where the ranking has no version at all.

    Args:
        ranked: int64 [R, any depth], document numbers, NOTHING at the end.
    """
    depth = ranked.shape[1]
    versions = relevant.grades == _highest(relevant)[relevant.rows]
    ranks = relevant.ranks(ranked, depth)
    own = _first(relevant, ranks, versions & relevant.own, depth)
    other = _first(relevant, ranks, versions & ~relevant.own, depth)
    choice = (relevant.counts(versions & relevant.own) > 0) & (relevant.counts(versions & ~relevant.own) > 0)
    return np.where(choice & (np.minimum(own, other) <= depth), own < other, np.nan)


def lang_ndcg(
    relevant: RelevantDocuments, ranked: IntArray, other_language: float = OTHER_LANGUAGE, gains: Gains = DEFAULT
) -> Values:
    """nDCG@10 in which documents of other languages gain less, float64 [R].

    Args:
        ranked: int64 [R, any depth], document numbers, NOTHING at the end.
        other_language: 0 (worthless) to 1 (plain nDCG).

    Raises:
        InputError: `other_language` is out of that range.
    """
    if not 0 <= other_language <= 1:
        raise InputError(f"the gain of other languages is {other_language}, it must be from 0 to 1")
    of_grades = relevant.grades.astype(np.float64)
    full = of_grades if gains == "linear" else 2.0**of_grades - 1
    gained = full * np.where(relevant.own, 1.0, other_language)
    found = _discounted(relevant, gained, relevant.ranks(ranked, CUTOFF))
    ideal = _discounted(relevant, gained, _ideal_ranks(relevant, gained))
    defined = relevant.counts(relevant.own) > 0
    return np.where(defined, found / np.where(defined, ideal, 1), np.nan)


def _highest(relevant: RelevantDocuments) -> IntArray:
    """The highest grade of each list, [R]; 0 where it has no entries."""
    highest = np.zeros(len(relevant.mixed), dtype=np.int64)
    np.maximum.at(highest, relevant.rows, relevant.grades)
    return highest


def _first(relevant: RelevantDocuments, ranks: IntArray, which: Flags, depth: int) -> IntArray:
    """The best rank of each list among the entries that are marked, [R]; depth + 1 where none was found."""
    first = np.full(len(relevant.mixed), depth + 1, dtype=np.int64)
    np.minimum.at(first, relevant.rows[which], ranks[which])
    return first


def _ideal_ranks(relevant: RelevantDocuments, gains: Values) -> IntArray:
    """The rank of each entry if each list were sorted by gain, [J]."""
    order = np.lexsort((-gains, relevant.rows))
    starts = np.searchsorted(relevant.rows, relevant.rows)  # rows ascend: where each entry's list begins
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - starts + 1
    return ranks


def _discounted(relevant: RelevantDocuments, gains: Values, ranks: IntArray) -> Values:
    return relevant.sums(np.where(ranks <= CUTOFF, gains / np.log2(ranks + 1), 0))
