"""Runs --> Report, and the values of every list.

SystemRun ... --Judge--> values [R] a measure --Averager--> SystemFigures, Comparison ... --> Report
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
from interlingua_evaluation.measures.gains import DEFAULT, Gains
from interlingua_evaluation.measures.relevance import NDCG, Judge
from interlingua_evaluation.report.advice import advice, overall
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.report.bias_figures import bias_figures
from interlingua_evaluation.report.comparisons import compare
from interlingua_evaluation.report.list_values import ListValues
from interlingua_evaluation.report.model import Comparison, ListCounts, SystemFigures, WorstQueries
from interlingua_evaluation.report.rerank_figures import rerank_figures
from interlingua_evaluation.report.worst_queries import worst_queries

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Half
    from interlingua_evaluation.measures.relevance import Values
    from interlingua_evaluation.systems.candidate_lists import CandidateLists
    from interlingua_evaluation.systems.system_runs import SystemRun


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the runs say.

    Attributes:
        values: of the lists that count.
    """

    systems: tuple[SystemFigures, ...]
    comparisons: tuple[Comparison, ...]
    best: str
    worst: WorstQueries
    advice: tuple[str, ...]
    values: ListValues


def judge_runs(
    runs: Sequence[SystemRun],
    first_stages: Mapping[str, CandidateLists],
    half: Half,
    baseline: str,
    pairs_per_second: float | None,
    gains: Gains = DEFAULT,
) -> Findings:
    """Measure the systems.

    Args:
        first_stages: system's name -> its whole lists before reranking.
        baseline: one of the systems.
        pairs_per_second: at which the rerank service reads; None where it was not measured.
    """
    lists = runs[0].lists
    judge, relevant = Judge(lists, gains), RelevantDocuments.of(lists)
    averager = Averager(lists, lists.of_half(half))
    values: dict[str, dict[str, Values]] = {}
    systems = []
    for run in runs:
        values[str(run.name)] = measured = judge.measure(run.lists.documents)
        systems.append(
            SystemFigures(
                name=str(run.name),
                measures={measure: averager.measure(of_lists) for measure, of_lists in measured.items()},
                bias=bias_figures(run.lists, relevant, judge, averager),
                rerank=rerank_figures(run, first_stages[str(run.name)], judge, averager, pairs_per_second),
                counts=_counts(run, averager),
            )
        )
    comparisons = tuple(
        compare(name, measured, baseline, values[baseline], averager)
        for name, measured in values.items()
        if name != baseline
    )
    best = max(systems, key=overall).name
    best_run = next(run for run in runs if str(run.name) == best)
    return Findings(
        systems=tuple(systems),
        comparisons=comparisons,
        best=best,
        worst=worst_queries(best_run, values[best][NDCG], averager),
        advice=advice(systems, comparisons, best),
        values=_list_values(lists, averager, values),
    )


def _counts(run: SystemRun, averager: Averager) -> ListCounts:
    chosen = averager.chosen
    return ListCounts(
        lists=int(chosen.sum()),
        empty=int((~run.lists.filled.any(axis=1) & chosen).sum()),
        tied=int((run.lists.tied & chosen).sum()),
        not_a_number=int(((run.lists.not_a_number > 0) & chosen).sum()),
        not_reranked=run.refused,
    )


def _list_values(lists: CandidateLists, averager: Averager, values: Mapping[str, Mapping[str, Values]]) -> ListValues:
    queries = [lists.dataset.queries[number] for number in lists.queries.tolist()]
    whole = ListValues(
        query=np.array([query.id for query in queries]),
        pool=np.array(lists.pools),
        language=np.array([query.language for query in queries]),
        kind=np.array([query.kind for query in queries]),
        group=np.array([query.group for query in queries]),
        values=values,
    )
    return whole.rows(np.flatnonzero(averager.chosen))
