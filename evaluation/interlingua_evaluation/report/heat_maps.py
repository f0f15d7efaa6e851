"""Language pairs as a table: query languages are rows, pools are columns, the pool of all languages last.

MeasureFigures.pairs --> Grid whose cells have a heat
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, figure_cell, number, signed
from interlingua.display.grid import Cell, Grid, row
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.differences import difference_cell
from interlingua_evaluation.systems.candidate_lists import MIXED, Pair

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Comparison, Figure, MeasureFigures, Report, SystemFigures

_LEAST_SCALE = 0.05  # differences that are all small are not painted as if they were large


def heat_map(report: Report, system: SystemFigures) -> Grid:
    """nDCG@10 of every pair, coloured on one scale for all systems of the report."""
    figures = system.measures[NDCG]
    low, high = _scale(report)
    marks = pair_marks(report.comparison(system.name))

    def cell(pair: Pair) -> Cell:
        figure = figures.pairs.get(pair)
        if figure is None or math.isnan(figure.mean):
            return Cell(ABSENT)
        shown = figure_cell(figure)
        heat = (figure.mean - low) / (high - low) if high > low else 0.5
        return shown._replace(text=shown.text + marks.get(pair, ""), heat=heat, title=_title(pair, shown, figure))

    notes: tuple[str, ...] = (f"Palest: {number(low)}, darkest: {number(high)}, for all systems alike.",)
    if marks:
        notes += (f"+ and - mark pairs that are better or worse than {report.baseline} with their whole interval.",)
    return _grid(report, figures, f"{NDCG} of {system.name}", cell, notes)


def difference_map(report: Report, comparison: Comparison) -> Grid:
    """The difference of every pair from the baseline, with an asterisk where it is real."""
    figures = comparison.differences[NDCG]
    sizes = [abs(figure.mean) for figure in figures.pairs.values() if math.isfinite(figure.mean)]
    largest = max([*sizes, _LEAST_SCALE])
    marks = pair_marks(comparison)

    def cell(pair: Pair) -> Cell:
        figure = figures.pairs.get(pair)
        if figure is None or math.isnan(figure.mean):
            return Cell(ABSENT)
        shown = difference_cell(figure)
        real = pair in marks
        text = signed(figure.mean) + ("*" if real else "")
        return shown._replace(
            text=text, heat=figure.mean / largest, strong=real, title=_title(pair, shown._replace(text=text), figure)
        )

    title = f"{NDCG} of {comparison.system} minus {comparison.baseline}"
    notes = (
        f"{len(comparison.better)} pairs better, {len(comparison.worse)} worse (* and a frame: the 95% interval "
        f"excludes 0), {len(comparison.undecided)} undecided. Darkest: {largest:.3f} in either direction.",
    )
    return _grid(report, figures, title, cell, notes)


def pair_marks(comparison: Comparison | None) -> dict[Pair, str]:
    """+ and - of the pairs that differ from the baseline with their whole interval."""
    if comparison is None:
        return {}
    return dict.fromkeys(comparison.better, "+") | dict.fromkeys(comparison.worse, "-")


def _grid(
    report: Report, figures: MeasureFigures, title: str, cell: Callable[[Pair], Cell], notes: tuple[str, ...]
) -> Grid:
    asked, pools = _languages_of(report, figures)
    rows = tuple(row(language, *(cell(Pair(language, pool)) for pool in pools)) for language in asked)
    return Grid(title, ("query", *pools), rows, notes=notes)


def _title(pair: Pair, shown: Cell, figure: Figure) -> str:
    return f"{pair}: {shown.text} ({shown.small}), {figure.lists} lists in {figure.groups} groups"


def _scale(report: Report) -> tuple[float, float]:
    """The lowest and the highest pair of all systems, to a tenth outwards."""
    means = [figure.mean for system in report.systems for figure in system.measures[NDCG].pairs.values()]
    finite = [mean for mean in means if math.isfinite(mean)] or [0.0, 1.0]
    return math.floor(min(finite) * 10) / 10, math.ceil(max(finite) * 10) / 10


def _languages_of(report: Report, figures: MeasureFigures) -> tuple[list[str], list[str]]:
    """Query languages and pools of its pairs, in the dataset's order; the mixed pool comes last."""
    order = [counts.language for counts in report.dataset.languages]
    asked = sorted({pair.asked for pair in figures.pairs}, key=lambda tag: _place(order, tag))
    pools = sorted({pair.pool for pair in figures.pairs}, key=lambda tag: _place(order, tag))
    return asked, pools


def _place(order: list[str], tag: str) -> tuple[bool, int, str]:
    return tag == MIXED, order.index(tag) if tag in order else len(order), tag
