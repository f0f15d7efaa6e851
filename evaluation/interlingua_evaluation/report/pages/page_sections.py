"""The page's sections, in reading order, each with a sentence that says how to read it.

Report --> tables, charts --> PageSection ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.page import Html, PageSection, all_tables, folded, joined, table, tag
from interlingua_evaluation.report import evidence_tables, facts_tables, quality_tables
from interlingua_evaluation.report.heat_maps import difference_map, heat_map
from interlingua_evaluation.report.pages.page_bias import bias_bars
from interlingua_evaluation.report.pages.page_lines import rerank_charts
from interlingua_evaluation.report.pages.page_scatter import pictures
from interlingua_evaluation.report.pages.page_worst import worst_queries

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Report, SystemFigures


def sections(report: Report) -> Iterator[PageSection]:
    """In reading order."""
    yield PageSection(
        "systems",
        "Systems",
        "Averages over language pairs, each of which counts the same: query and documents in one language, in two, and "
        "documents of all languages in one pool. Own share: of the first ten, in the query's language.",
        joined(
            [
                table(quality_tables.systems(report)),
                folded("All measures", all_tables(quality_tables.measures(report))),
            ]
        ),
    )
    yield PageSection(
        "pairs",
        "Language pairs",
        "Rows are query languages, columns are pools: the documents of one language, or all of them (mixed). The "
        "second line is the 95% interval.",
        joined(_maps(report)),
    )
    yield PageSection(
        "bias",
        "Language bias",
        "A system without a preference shows each language as often as it is relevant: its bars end at the thick "
        "marks.",
        joined([*_bias_charts(report), all_tables([evidence_tables.bias(report)])]),
    )
    yield PageSection(
        "reranking",
        "Quality against rerank depth and cost",
        "Each line is a first stage, each point a depth; further right costs more. Thin lines are 95% intervals.",
        joined([rerank_charts(report) or Html(), all_tables([quality_tables.reranking(report)])]),
    )
    yield PageSection(
        "kinds",
        "Kinds of query",
        "The same averages over the queries of one kind only.",
        all_tables([quality_tables.kinds(report)]),
    )
    yield PageSection(
        "comparisons",
        "Comparisons with the baseline",
        "Differences list by list. Where the interval holds 0 and is wider than the difference, nothing was shown.",
        joined(_comparisons(report)),
    )
    yield PageSection(
        "gap",
        "Modality gap",
        "Languages that lie apart have a cloud each; where offsets help, the clouds become one, and translations are "
        "nearer to each other than strangers are.",
        joined([pictures(report.gap.picture), table(evidence_tables.gap(report.gap))]) if report.gap else Html(),
    )
    yield PageSection(
        "ann",
        "Approximate search",
        "What the graph would lose of the exact neighbours, apart from relevance; small indexes are searched exactly.",
        all_tables([evidence_tables.ann(report)]),
    )
    yield PageSection(
        "worst",
        "Worst queries",
        f"Where {report.worst.system if report.worst else report.best} fails: open a query to see what came instead.",
        worst_queries(report.worst) if report.worst else Html(),
    )
    yield PageSection(
        "dataset",
        "Dataset and counts",
        "What was found in the data, and what an average would hide.",
        joined(_dataset(report)),
    )
    yield PageSection(
        "configuration",
        "Configuration",
        "Equal digests and settings give equal figures.",
        joined(table(grid, class_="prose") for grid in facts_tables.configuration(report)),
    )


def _maps(report: Report) -> Iterator[Html]:
    first = [report.system(report.best)]
    others = [system for system in report.systems if system.name != report.best]
    for system in first + others:
        role = " (best)" if system.name == report.best else ""
        yield folded(f"{system.name}{role}", *_maps_of(report, system), is_open=system.name == report.best)


def _maps_of(report: Report, system: SystemFigures) -> Iterator[Html]:
    yield table(heat_map(report, system))
    comparison = report.comparison(system.name)
    if comparison is not None:
        yield table(difference_map(report, comparison))


def _bias_charts(report: Report) -> Iterator[Html]:
    for name in dict.fromkeys((report.best, report.baseline)):
        system = report.system(name)
        if system.bias is not None:
            yield bias_bars(name, system.bias)


def _comparisons(report: Report) -> Iterator[Html]:
    yield all_tables([evidence_tables.differences(report)])
    for comparison in report.comparisons:
        for warning in comparison.warnings:
            yield tag("p", f"Warning, {comparison.system}: {warning}", class_="warning")
    for comparison in report.comparisons:
        if comparison.detectable:
            seen = table(evidence_tables.detectable(comparison))
            yield folded(f"What could be seen: {comparison.system}", seen, is_open=comparison.system == report.best)
    others = evidence_tables.other_differences(report)
    if others:
        yield folded("Other measures", all_tables(others))


def _dataset(report: Report) -> Iterator[Html]:
    found = evidence_tables.findings(report)
    yield tag("p", "The checker found nothing.") if found is None else table(found, class_="prose")
    yield table(evidence_tables.counts(report))
    yield table(evidence_tables.languages(report))
