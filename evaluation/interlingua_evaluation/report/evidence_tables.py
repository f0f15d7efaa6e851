"""What stands behind the figures, as tables.

Comparison ... --> differences | what could be seen
BiasFigures, Gap, AnnRecall --> bias | gap | approximate search
Counts, Finding, LanguageCounts --> counts | findings | languages
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, DASH, figure_cell, number, share
from interlingua.display.grid import Cell, Grid, row
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.differences import SORT_NAMES, by_sort, difference_cell, verdict

if TYPE_CHECKING:
    from interlingua_evaluation.gap.modality_gap import GapOfPair
    from interlingua_evaluation.report.model import Comparison, Detectable, Gap, Report


def differences(report: Report) -> Grid | None:
    """Every system against the baseline; None where there is nothing to compare."""
    header = ("system", *SORT_NAMES, "better", "worse", "undecided")
    rows = tuple(
        row(
            comparison.system,
            *map(difference_cell, by_sort(comparison.differences[NDCG].all)),
            *(str(len(pairs)) for pairs in (comparison.better, comparison.worse, comparison.undecided)),
        )
        for comparison in report.comparisons
    )
    notes = (
        "* the 95% interval excludes 0. The last three columns count language pairs; undecided ones have an interval "
        "that is wider than the difference itself.",
    )
    return Grid(f"{NDCG} minus that of {report.baseline}", header, rows, notes=notes) if rows else None


def other_differences(report: Report) -> tuple[Grid, ...]:
    """The other measures, likewise."""
    names = [name for name in (report.comparisons[0].differences if report.comparisons else ()) if name != NDCG]
    return tuple(
        Grid(
            f"{name} minus that of {report.baseline}",
            ("system", *SORT_NAMES),
            tuple(
                row(comparison.system, *map(difference_cell, by_sort(comparison.differences[name].all)))
                for comparison in report.comparisons
            ),
        )
        for name in names
    )


def detectable(comparison: Comparison) -> Grid:
    """What the comparison could see, and how many groups it would take to see more."""
    figures = dict(zip(SORT_NAMES, by_sort(comparison.differences[NDCG].all), strict=True))
    sizes = list(next(iter(comparison.detectable.values())).groups_for) if comparison.detectable else []

    def line(sort: str, found: Detectable) -> tuple[Cell, ...]:
        figure = figures[sort]
        needed = (str(found.groups_for.get(size) or ABSENT) for size in sizes)
        groups = str(figure.groups) if figure else ABSENT
        return row(SORT_NAMES[sort], verdict(figure), groups, number(found.smallest), *needed)

    header = (
        "pairs",
        "so it is",
        "groups there are",
        "they show",
        *(f"groups for {size:g}" for size in sizes),
    )
    notes = ("With 80% power at the 5% level; translations of one text are one group.",)
    rows = tuple(line(sort, found) for sort, found in comparison.detectable.items())
    return Grid(f"What could be seen of {comparison.system} against {comparison.baseline}", header, rows, notes=notes)


def bias(report: Report) -> Grid | None:
    """Language bias of every system that has a mixed pool."""
    rows = tuple(
        row(
            system.name,
            figure_cell(system.bias.own_share),
            number(system.bias.relevant_own_share),
            *map(figure_cell, (system.bias.preference_rate, system.bias.lang_ndcg, system.bias.equal_rank)),
            ", ".join(f"{name} {count}" for name, count in system.bias.undefined.items() if count) or "0",
        )
        for system in report.systems
        if system.bias is not None
    )
    header = ("system", "own share", "of the relevant", "LPR", "Lang-nDCG@10", "PEER", "undefined")
    notes = (
        "Own share: of the first ten, in the query's language; a neutral system shows the share of the relevant. LPR "
        "and Lang-nDCG: arXiv 2605.07249; PEER: arXiv 2405.00978. Undefined: lists without a value.",
    )
    return Grid("Language bias in the mixed pool", header, rows, notes=notes) if rows else None


def gap(found: Gap) -> Grid:
    """Language pairs before and after offsets."""
    after = {pair.languages: pair for pair in found.after.pairs}
    rows = tuple(
        row(DASH.join(pair.languages), *_gap_cells(pair, after.get(pair.languages))) for pair in found.before.pairs
    )
    names = ("translations", "random", "separation", "centroids")
    header = ("languages", *(f"{name} {when}" for name in names for when in ("before", "after")), "translation pairs")
    left_out = found.before.without_translations
    notes = (
        "Translations, random: mean cosine of documents of one group, and of different groups. Separation: how "
        "probable it is that a translation is nearer than another document of its language (0.5 is chance, 1 ideal). "
        "Centroids: distance of the two languages' mean vectors.",
        *([f"{left_out} pairs of languages share no group and were left out."] if left_out else ()),
    )
    return Grid("Modality gap, before and after offsets", header, rows, notes=notes)


def ann(report: Report) -> Grid | None:
    """Approximate search against exact search."""
    rows = tuple(
        row(
            str(one.ef_search),
            str(one.k),
            *map(number, (one.recall, one.worst)),
            str(one.unreached),
            f"{one.p50_us:.0f}",
        )
        for one in report.ann
    )
    header = ("ef_search", "k", "recall", "worst query", "not reached", "median, microseconds")
    return Grid("The graph's neighbours against exact search", header, rows) if rows else None


def counts(report: Report) -> Grid:
    """What an average would hide."""
    rows = tuple(row(system.name, *map(str, vars(system.counts).values())) for system in report.systems)
    header = ("system", "lists", "empty", "tied", "with NaN", "not reranked")
    notes = (
        "Empty lists count as 0. Tied: the first ten depend on the order of equal scores (the earlier document comes "
        "first). With NaN: lists with a document whose score was no number; such documents are left out. Not reranked: "
        "kept the first stage's order, since the reranker gave no number.",
        f"Queries without any judgment: {report.dataset.unjudged}; they are in no average.",
    )
    return Grid("Counted, not averaged", header, rows, notes=notes)


def findings(report: Report) -> Grid | None:
    """What the dataset's checker found."""
    rows = tuple(
        row(found.severity, found.kind, str(found.count), found.message, ", ".join(found.examples))
        for found in report.dataset.findings
    )
    return Grid("Found in the dataset", ("severity", "kind", "count", "what", "examples"), rows) if rows else None


def languages(report: Report) -> Grid:
    """Documents and queries by language."""
    rows = tuple(
        row(one.language, str(one.documents), str(one.queries), share(one.detected)) for one in report.dataset.languages
    )
    return Grid("Languages", ("language", "documents", "queries", "detected rightly"), rows)


def _gap_cells(before: GapOfPair, after: GapOfPair | None) -> list[str]:
    names = ("translation", "random", "separation", "centroid_distance")
    values = (number(getattr(pair, name) if pair else None) for name in names for pair in (before, after))
    return [*values, str(before.pairs)]
