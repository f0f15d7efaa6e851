"""Every system against the baseline, list by list: what is better, what is worse, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.averages import SORTS, sort_of
from interlingua_evaluation.report.model import Comparison, Detectable, Figure, MeasureFigures
from interlingua_evaluation.significance.bootstrap import Interval
from interlingua_evaluation.significance.sample_size import groups_needed, visible_difference

if TYPE_CHECKING:
    from interlingua_evaluation.measures.relevance import Values
    from interlingua_evaluation.report.averages import Averager
    from interlingua_evaluation.systems.candidate_lists import Pair

DIFFERENCES = (0.01, 0.02, 0.05)
_FEW_GROUPS = 20


def compare(
    name: str, values: Mapping[str, Values], baseline_name: str, baseline: Mapping[str, Values], averager: Averager
) -> Comparison:
    """One system and the baseline; both have the same measures, [R] each."""
    differences = {measure: averager.measure(values[measure] - baseline[measure]) for measure in values}
    ndcg = differences[NDCG]
    intervals = {pair: _interval(figure) for pair, figure in ndcg.pairs.items()}
    return Comparison(
        system=name,
        baseline=baseline_name,
        differences=differences,
        better=tuple(pair for pair, interval in intervals.items() if interval.is_better),
        worse=tuple(pair for pair, interval in intervals.items() if interval.is_worse),
        undecided=tuple(pair for pair, interval in intervals.items() if interval.is_undecided),
        detectable=_detectable(values[NDCG] - baseline[NDCG], averager),
        warnings=tuple(_warnings(ndcg)),
    )


def _detectable(differences: Values, averager: Averager) -> dict[str, Detectable]:
    resampling = averager.resampling(differences)
    groups = len({averager.lists.groups[row] for row in averager.chosen.nonzero()[0].tolist()})
    found = {}
    for sort in SORTS:
        pairs: list[Pair] = [pair for pair in resampling.pairs if sort_of(pair) == sort]
        if pairs:
            error = resampling.standard_error(pairs)
            needed = {size: groups_needed(size, error, groups) or 0 for size in DIFFERENCES}
            found[sort] = Detectable(visible_difference(error), needed)
    return found


def _warnings(ndcg: MeasureFigures) -> list[str]:
    warnings = []
    for sort in SORTS:
        figure: Figure | None = getattr(ndcg.all, sort)
        if figure is None:
            continue
        interval = _interval(figure)
        if interval.is_undecided:
            warnings.append(
                f"{sort}: the difference of {interval.mean:+.3f} is smaller than its interval is wide "
                f"({interval.low:+.3f} to {interval.high:+.3f}): it may be chance"
            )
        if figure.groups < _FEW_GROUPS:
            warnings.append(f"{sort}: {figure.groups} groups are too few for an interval to be trusted")
    return warnings


def _interval(figure: Figure) -> Interval:
    return Interval(figure.mean, figure.low, figure.high)
