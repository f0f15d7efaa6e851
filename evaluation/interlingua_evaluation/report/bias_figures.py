"""Language bias of a system in the mixed pool, as figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.bias.equal_rank import peer
from interlingua_evaluation.bias.language_preference import lang_ndcg, language_preference_rate
from interlingua_evaluation.bias.own_language import relevant_own_share
from interlingua_evaluation.measures.relevance import CUTOFF
from interlingua_evaluation.report.model import BiasFigures
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
    from interlingua_evaluation.measures.relevance import Judge
    from interlingua_evaluation.report.averages import Averager
    from interlingua_evaluation.report.model import Figure


def bias_figures(
    lists: CandidateLists, relevant: RelevantDocuments, judge: Judge, averager: Averager
) -> BiasFigures | None:
    """None where the mixed pool has no list, or documents of one language only."""
    mixed = averager.chosen & (averager.sorts == MIXED)
    if not mixed.any() or len(lists.dataset.languages) < 2:
        return None
    own_share = judge.own_share(lists.documents)
    measures = {
        "LPR": language_preference_rate(relevant, lists.documents),
        "Lang-nDCG@10": lang_ndcg(relevant, lists.documents, gains=judge.gains),
        "PEER": peer(relevant, lists.documents),
    }
    share = averager.mixed(own_share)
    if share is None:
        return None
    relevant_share = averager.mixed(relevant_own_share(relevant))
    return BiasFigures(
        own_share=share,
        own_share_by_language=_in_order(averager.by_language(own_share), lists.dataset.languages),
        relevant_own_share=relevant_share.mean if relevant_share else 0.0,
        first_share_by_language=_shares(lists, lists.documents[mixed, :CUTOFF]),
        relevant_share_by_language=_relevant_shares(lists, mixed),
        preference_rate=averager.mixed(measures["LPR"]),
        lang_ndcg=averager.mixed(measures["Lang-nDCG@10"]),
        equal_rank=averager.mixed(measures["PEER"]),
        undefined={name: int(np.isnan(values[mixed]).sum()) for name, values in measures.items()},
    )


def _in_order(figures: Mapping[str, Figure], languages: Sequence[str]) -> dict[str, Figure]:
    """Languages of the documents first, in their order; then those in which only queries are."""
    order = [*(language for language in languages if language in figures), *figures]
    return {language: figures[language] for language in dict.fromkeys(order)}


def _shares(lists: CandidateLists, documents: npt.NDArray[np.int64]) -> dict[str, float]:
    languages = np.array([document.language for document in lists.dataset.documents])
    found = languages[documents[documents != NOTHING]]
    return {tag: float((found == tag).mean()) if len(found) else 0.0 for tag in lists.dataset.languages}


def _relevant_shares(lists: CandidateLists, mixed: npt.NDArray[np.bool_]) -> dict[str, float]:
    numbers = [number for row in np.flatnonzero(mixed).tolist() for number in lists.grades[row]]
    return _shares(lists, np.array(numbers, dtype=np.int64))
