"""The queries that a system answers worst, and what came instead of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.report.model import Shown, WorstQueries, WorstQuery
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import JudgedDocument
    from interlingua_evaluation.measures.relevance import Values
    from interlingua_evaluation.report.averages import Averager
    from interlingua_evaluation.systems.system_runs import SystemRun

QUERIES = 20
_CAME = 5
_WANTED = 3
_LONGEST = 160  # characters


def worst_queries(run: SystemRun, ndcg: Values, averager: Averager, number: int = QUERIES) -> WorstQueries:
    """The worst queries of the mixed pool, or of all; at most a fifth in one language, none answered perfectly."""
    mixed = averager.chosen & (averager.sorts == MIXED)
    rows = np.flatnonzero((mixed if mixed.any() else averager.chosen) & (ndcg < 1))
    chosen: list[int] = []
    by_language: dict[str, int] = {}
    for row in rows[np.lexsort((rows, ndcg[rows]))].tolist():
        language = run.lists.pairs[row].asked
        if by_language.get(language, 0) < max(number // 5, 1):
            by_language[language] = by_language.get(language, 0) + 1
            chosen.append(row)
        if len(chosen) == number:
            break
    return WorstQueries(str(run.name), tuple(_worst_query(run.lists, row, float(ndcg[row])) for row in chosen))


def _worst_query(lists: CandidateLists, row: int, ndcg: float) -> WorstQuery:
    query = lists.dataset.queries[int(lists.queries[row])]
    listed = [number for number in lists.documents[row].tolist() if number != NOTHING]
    grades = lists.grades[row]
    ranks = {number: rank for rank, number in enumerate(listed, start=1)}
    documents = lists.dataset.documents

    def shown(number: int) -> Shown:
        document = documents[number]
        return Shown(ranks.get(number), document.id, document.language, grades.get(number, 0), _text(document))

    wanted = sorted(grades, key=lambda number: (-grades[number], ranks.get(number, len(documents)), number))
    return WorstQuery(
        id=query.id,
        language=query.language,
        kind=query.kind,
        text=query.text,
        pool=lists.pools[row],
        ndcg=ndcg,
        came=tuple(map(shown, listed[:_CAME])),
        wanted=tuple(map(shown, wanted[:_WANTED])),
    )


def _text(document: JudgedDocument) -> str:
    text = " ".join((document.title or document.text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"
