"""The report as tables: on a terminal, and as Markdown for the documents.

RerankerReport --> one summary a dataset, then what each system changed, pair by pair --> Grid ... | Markdown
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, number
from interlingua.display.grid import Grid, row
from interlingua.display.markdown import markdown
from interlingua_evaluation.measures.gains import DEFAULT, FORMULAS
from interlingua_evaluation.systems.candidate_lists import MIXED, Pair

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Breakdown, Figure
    from interlingua_evaluation.rerankers.reranker_report import DatasetReport, RerankerReport
    from interlingua_evaluation.rerankers.system_report import SystemReport

_NAMED = 6  # pairs that a cell has room for
_COLUMNS = ("same language", "across languages", "mixed pool")


def as_markdown(report: RerankerReport) -> str:
    """For a document."""
    return "\n\n".join(map(markdown, grids(report))) + "\n"


def grids(report: RerankerReport) -> Iterator[Grid]:
    """All tables, dataset by dataset."""
    for dataset in report.datasets:
        yield _summary(dataset)
        if len(dataset.systems) > 1:
            yield _differences(dataset)
    for dataset in report.datasets:
        last = dataset.systems[-1]
        if last.difference is not None:
            yield _pairs(dataset, last)


def _summary(dataset: DatasetReport) -> Grid:
    of_half = f", {dataset.half} half" if dataset.half else ""
    ceiling = f"candidates' recall: {', '.join(_ceiling(dataset.recall))}"
    return Grid(
        f"{dataset.name}{of_half}: nDCG@10 of {dataset.queries} queries in {dataset.groups} groups "
        f"over {dataset.documents} documents",
        ("system", "weight", *_COLUMNS, "own-language share"),
        tuple(
            row(system.name, _weight(system), *_means(system.ndcg), number(system.own_share))
            for system in dataset.systems
        ),
        notes=(f"nDCG@10 has {FORMULAS[DEFAULT]}", ceiling, *_facts(dataset)),
    )


def _differences(dataset: DatasetReport) -> Grid:
    rows = [
        row(
            system.name,
            *(_signed(figure) for figure in _kinds(system.difference)),
            str(len(system.better)),
            _listed(system.worse),
        )
        for system in dataset.systems
        if system.difference is not None
    ]
    baseline = next(system.name for system in dataset.systems if system.difference is None)
    return Grid(
        f"{dataset.name}: difference from {baseline!r}, with its 95% interval",
        ("system", *_COLUMNS, "pairs better", "pairs worse"),
        tuple(rows),
    )


def _pairs(dataset: DatasetReport, system: SystemReport) -> Grid:
    asked = list(dict.fromkeys(pair.asked for pair in system.pairs))
    pools = [pool for pool in dict.fromkeys(pair.pool for pair in system.pairs) if pool != MIXED]
    rows = tuple(
        row(language, *(_cell(system, Pair(language, pool)) for pool in (*pools, MIXED))) for language in asked
    )
    return Grid(
        f"{dataset.name}: nDCG@10 of {system.name!r} by query language (rows) and documents' language (columns); "
        "+ and - mark a difference from the baseline whose interval excludes 0",
        ("", *pools, MIXED),
        rows,
    )


def _listed(pairs: Sequence[Pair]) -> str:
    """All of a few; the number and the first of many."""
    names = ", ".join(map(str, pairs[:_NAMED]))
    return f"{len(pairs)}: {names}, ..." if len(pairs) > _NAMED else names or "none"


def _cell(system: SystemReport, pair: Pair) -> str:
    if pair not in system.pairs:
        return ""
    difference = system.pair_differences[pair]
    mark = "+" if difference.is_better else "-" if difference.is_worse else ""
    return f"{system.pairs[pair].mean:.3f}{mark}"


def _kinds(of: Breakdown) -> tuple[Figure | None, ...]:
    return of.same, of.across, of.mixed


def _means(of: Breakdown) -> tuple[str, ...]:
    return tuple(number(figure.mean if figure else None) for figure in _kinds(of))


def _ceiling(recall: Breakdown) -> tuple[str, ...]:
    return tuple(f"{name} {mean}" for name, mean in zip(_COLUMNS, _means(recall), strict=True))


def _facts(dataset: DatasetReport) -> Iterator[str]:
    for name, value in dataset.facts.items():
        shown = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, Mapping) else value
        yield f"{name.replace('_', ' ')}: {shown}"


def _weight(system: SystemReport) -> str:
    return "" if system.weight is None else f"{system.weight:.1f}"


def _signed(figure: Figure | None) -> str:
    return ABSENT if figure is None else f"{figure.mean:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
