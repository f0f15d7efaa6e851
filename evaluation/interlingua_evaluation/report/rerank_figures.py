"""What reranking could do with the candidates it was given, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.measures.relevance import CUTOFF
from interlingua_evaluation.report.model import RerankFigures
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.measures.relevance import Judge
    from interlingua_evaluation.report.averages import Averager
    from interlingua_evaluation.systems.system_runs import SystemRun


def rerank_figures(
    run: SystemRun, before: CandidateLists, judge: Judge, averager: Averager, pairs_per_second: float | None
) -> RerankFigures | None:
    """None for a system without a reranker.

    Args:
        before: the first stage's whole lists.
        pairs_per_second: at which the service reads; None where it was not measured.
    """
    if run.weight is None or run.name.depth is None:
        return None
    relevant = _relevant(run.lists)
    was_hidden = _any(before.documents, relevant) & ~_any(before.documents[:, :CUTOFF], relevant)
    rescued = np.where(was_hidden, _any(run.lists.documents[:, :CUTOFF], relevant), np.nan)
    mixed = averager.chosen & (averager.sorts == MIXED)
    # Stored token vectors are compared, and no pair is read.
    seen = run.candidates.filled[mixed if mixed.any() else averager.chosen].sum(axis=1)
    pairs = 0.0 if run.name.form else float(seen.mean())
    return RerankFigures(
        depth=run.name.depth,
        weight=run.weight,
        ceiling=averager.breakdown(judge.recall(run.candidates.documents)),
        best_ndcg=averager.breakdown(judge.ndcg(_best_order(run.candidates))),
        rescued=averager.breakdown(rescued),
        rescuable=int((was_hidden & averager.chosen).sum()),
        pairs_per_query=pairs,
        seconds_per_query=None if pairs_per_second is None else pairs / pairs_per_second,
    )


def _relevant(lists: CandidateLists) -> list[set[int]]:
    return [set(grades) for grades in lists.grades]


def _any(documents: IntArray, relevant: list[set[int]]) -> npt.NDArray[np.bool_]:
    found = [not relevant[row].isdisjoint(listed) for row, listed in enumerate(documents.tolist())]
    return np.array(found, dtype=bool)


def _best_order(candidates: CandidateLists) -> IntArray:
    """The candidates by their grades, the best first."""
    documents = candidates.documents.copy()
    for row, grades in enumerate(candidates.grades):
        key = [-grades.get(number, 0) if number != NOTHING else 1 for number in documents[row].tolist()]
        documents[row] = documents[row][np.argsort(key, kind="stable")]
    return documents
