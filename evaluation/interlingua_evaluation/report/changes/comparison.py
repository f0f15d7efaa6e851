"""Two reports, before and after a change: what got better, what got worse, what cannot be told.

SavedReport, SavedReport --matched list by list--> ListChanges --> ReportComparison --> a table, JSON, an exit code
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_evaluation.measures.gains import FORMULAS
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.changes.list_changes import Change, ListChanges, Verdict
from interlingua_evaluation.report.saved_report import Matched, SavedReport, match

if TYPE_CHECKING:
    from interlingua_evaluation.systems.candidate_lists import Pair


@dataclass(frozen=True, kw_only=True)
class ReportComparison:
    """What changed between two reports.

    Attributes:
        before, after: the reports' folders.
        shared: lists in both; only_before, only_after: in one alone; left_out: shared, but NaN in either.
        averages: same, across, mixed -> change, as far as there are such pairs.
        kinds: kind of query -> the same; empty where there is only one kind.
        regression: an average of all queries or a pair is worse.
        warnings: to be read before the changes are.
    """

    before: str
    after: str
    system_before: str
    system_after: str
    measure: str
    tolerance: float
    shared: int
    only_before: int
    only_after: int
    left_out: int
    groups: int
    averages: Mapping[str, Change]
    kinds: Mapping[str, Mapping[str, Change]]
    pairs: Mapping[Pair, Change]
    regression: bool
    warnings: tuple[str, ...]


def compare_reports(
    before: SavedReport,
    after: SavedReport,
    *,
    measure: str,
    systems: tuple[str | None, str | None] = (None, None),
    tolerance: float = 0.0,
    across_datasets: bool = False,
) -> ReportComparison:
    """Compare one system of each report.

    Args:
        systems: of the earlier and the later report; None for the best.
        tolerance: a loss up to this is none.
        across_datasets: compare the lists that two datasets share, too.

    Raises:
        InputError: the datasets differ, a system or the measure is not there, no list is in both, or the measure is
            nDCG and they have different gains.
    """
    _require_equal_gains(before, after, measure)
    if before.digest != after.digest and not across_datasets:
        raise InputError(
            f"{before.folder} and {after.folder} are of different datasets ({before.dataset}, digest "
            f"{before.digest[:12]}, and {after.dataset}, digest {after.digest[:12]}): evaluate the same one, or "
            "compare the lists that they share with --across-datasets"
        )
    names = systems[0] or before.best, systems[1] or after.best
    matched = match(before, after, names, measure)
    compared = ListChanges(matched, tolerance)
    averages, pairs = compared.averages(), compared.by_pair()
    return ReportComparison(
        before=str(before.folder),
        after=str(after.folder),
        system_before=names[0],
        system_after=names[1],
        measure=measure,
        tolerance=tolerance,
        shared=matched.shared,
        only_before=matched.only_before,
        only_after=matched.only_after,
        left_out=matched.left_out,
        groups=compared.groups,
        averages=averages,
        kinds=compared.kinds(),
        pairs=pairs,
        regression=any(change.verdict == "worse" for change in (*averages.values(), *pairs.values())),
        warnings=tuple(_warnings(before, after, matched, averages)),
    )


def _require_equal_gains(before: SavedReport, after: SavedReport, measure: str) -> None:
    if before.gains != after.gains and measure.lower() == NDCG.lower():
        raise InputError(
            f"{NDCG} of {before.folder} has {FORMULAS[before.gains]}, that of {after.folder} {FORMULAS[after.gains]}: "
            f"evaluate one again (--gains {after.gains} or --gains {before.gains}), or compare another --measure"
        )


def _warnings(before: SavedReport, after: SavedReport, matched: Matched, averages: Mapping[str, Change]) -> list[str]:
    warnings = []
    if before.digest != after.digest:
        warnings.append(f"the datasets differ ({before.dataset}, {after.dataset}): {matched.shared} lists are in both")
    if before.half != after.half:
        warnings.append(f"before is of {before.named}, after of {after.named}")
    if matched.only_before or matched.only_after:
        warnings.append(
            f"not compared, since the other report lacks them: {matched.only_before} lists of before, "
            f"{matched.only_after} of after"
        )
    if matched.left_out:
        warnings.append(f"{matched.left_out} lists have no number in either report or in one: left out")
    for sort, change in averages.items():
        if change.verdict == "undecided":
            needed = f"; {change.groups_needed} groups would show it" if change.groups_needed else ""
            warnings.append(
                f"{sort}: the difference of {change.difference:+.3f} ({change.low:+.3f} to {change.high:+.3f}) may be "
                f"chance ({change.groups} groups{needed})"
            )
    return warnings


def changed(comparison: ReportComparison, verdict: Verdict) -> list[str]:
    """Averages and pairs of that verdict, the largest difference first."""
    named = {**comparison.averages, **{str(pair): change for pair, change in comparison.pairs.items()}}
    found = [name for name, change in named.items() if change.verdict == verdict]
    return sorted(found, key=lambda name: -abs(named[name].difference))
