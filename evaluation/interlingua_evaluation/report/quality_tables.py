"""How good the systems are, as tables.

SystemFigures ... --> headline | systems | every measure | kinds of query | reranking
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, figure_cell, number, share
from interlingua.display.grid import Grid, row
from interlingua_evaluation.measures.gains import FORMULAS
from interlingua_evaluation.measures.relevance import MRR, NDCG, RECALL
from interlingua_evaluation.report.differences import SORT_NAMES, by_sort, difference_cell, verdict

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Report, SystemFigures


def headline(report: Report) -> Grid:
    """The best system's three averages beside the baseline's."""
    best, baseline = (report.system(name).measures[NDCG].all for name in (report.best, report.baseline))
    comparison = report.comparison(report.best)
    differences = by_sort(comparison.differences[NDCG].all if comparison else None)
    rows = tuple(
        row(name, figure_cell(mine), figure_cell(theirs), difference_cell(difference), verdict(difference))
        for name, mine, theirs, difference in zip(
            SORT_NAMES.values(), by_sort(best), by_sort(baseline), differences, strict=True
        )
    )
    header = (NDCG, "best", "baseline", "difference", "so it is")
    return Grid(f"Best: {report.best}; baseline: {report.baseline}", header, rows, notes=(formula(report),))


def formula(report: Report) -> str:
    """Which nDCG it is: figures of two formulas cannot be compared."""
    return f"{NDCG} has {FORMULAS[report.configuration.gains]}, discount log2(rank + 1)."


def systems(report: Report) -> Grid:
    """One line a system."""
    header = ("system", *SORT_NAMES, f"{RECALL}\nmixed", f"{MRR}\nmixed", "own\nshare")
    rows = tuple(
        row(
            _named(report, system),
            *map(figure_cell, by_sort(system.measures[NDCG].all)),
            number(_mixed(system, RECALL)),
            number(_mixed(system, MRR)),
            number(system.bias.own_share.mean if system.bias else None),
        )
        for system in report.systems
    )
    return Grid(f"{NDCG} with 95% intervals, {RECALL}, {MRR}", header, rows, notes=(formula(report),))


def measures(report: Report) -> Iterator[Grid]:
    """Each measure in full."""
    for measure in report.systems[0].measures:
        rows = tuple(
            row(_named(report, system), *map(figure_cell, by_sort(system.measures[measure].all)))
            for system in report.systems
        )
        yield Grid(measure, ("system", *SORT_NAMES), rows)


def kinds(report: Report) -> Grid | None:
    """The best system and the baseline by kind of query; None where all are of one kind."""
    names = list(dict.fromkeys((report.best, report.baseline)))
    by_kind = [(name, report.system(name).measures[NDCG].kinds) for name in names]
    rows = tuple(
        row(kind, name, *map(figure_cell, by_sort(breakdown)), str(report.dataset.queries_by_kind.get(kind, ABSENT)))
        for kind in by_kind[0][1]
        for name, breakdowns in by_kind
        if (breakdown := breakdowns.get(kind))
    )
    header = ("kind", "system", *SORT_NAMES, "queries")
    return Grid(f"{NDCG} by kind of query", header, rows, names=2) if rows else None


def reranking(report: Report) -> Grid | None:
    """What reranking costs and gives; None without a reranker."""
    rows = tuple(
        row(
            system.name,
            number(system.rerank.weight, 2),
            number(system.rerank.pairs_per_query, 1),
            number(system.rerank.seconds_per_query, 2),
            *(number(figure.mean if figure else None) for figure in by_sort(system.rerank.ceiling)),
            number(system.rerank.best_ndcg.mixed.mean if system.rerank.best_ndcg.mixed else None),
            f"{share(system.rerank.rescued.mixed.mean if system.rerank.rescued.mixed else None)}",
            str(system.rerank.rescuable),
        )
        for system in report.systems
        if system.rerank is not None
    )
    ceilings = (f"recall of candidates, {sort}" for sort in SORT_NAMES)
    header = ("system", "weight", "pairs a query", "seconds", *ceilings, "best order, mixed", "rescued", "rescuable")
    notes = (
        f"Recall of candidates is the ceiling: no order of them can exceed it. Best order: {NDCG} if the candidates "
        "were sorted by their judgments. Rescued: of the rescuable lists (a relevant document within the first "
        "hundred, none within the first ten), the share that has one within the first ten after reranking; the "
        "share is the mixed pool's, the number counts all lists.",
    )
    return Grid("What reranking costs, and what it could do", header, rows, notes=notes) if rows else None


def _mixed(system: SystemFigures, measure: str) -> float | None:
    figure = system.measures[measure].all.mixed
    return figure.mean if figure else None


def _named(report: Report, system: SystemFigures) -> str:
    roles = [role for role, name in (("best", report.best), ("baseline", report.baseline)) if name == system.name]
    return f"{system.name} ({', '.join(roles)})" if roles else system.name
