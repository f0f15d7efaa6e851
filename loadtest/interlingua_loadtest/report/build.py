"""Folders to a report.

folders, an objective, what to compare with --run_collection.py--> runs --> LoadReport, and the runs for --fail-under
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua_loadtest.report.comparison import compare
from interlingua_loadtest.report.load_curve import find_knee, load_curve
from interlingua_loadtest.report.model import LoadReport
from interlingua_loadtest.report.run_collection import RecordedRuns, read_runs
from interlingua_loadtest.report.run_figures import run_figures

if TYPE_CHECKING:
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.report.model import LoadComparison


def build(
    folders: Sequence[Path],
    *,
    slo: Slo | None = None,
    against: Path | None = None,
    include_void: bool = False,
) -> tuple[LoadReport, RecordedRuns]:
    """The report, and the runs that it is of.

    Args:
        slo: of goodput; without it, each run's own.
        against: a run, or runs, that these are compared with.
        include_void: void and unfinished runs are parts of curves and comparisons.

    Raises:
        InputError: a folder holds no run that can be read, or there is nothing to compare.
    """
    recorded = read_runs(folders)
    runs = tuple(run_figures(run, slo, include_void=include_void) for run in recorded.runs)
    curve = load_curve(runs)
    knee, no_knee = find_knee(curve)
    unused = [run.name for run in runs if not run.is_used]
    left_out = f"left out of curves and comparisons: {', '.join(unused)} (--include-void takes void runs in)"
    report = LoadReport(
        created=datetime.now(UTC).strftime("%Y-%m-%d"),
        folders=tuple(map(str, folders)),
        slo=str(slo) if slo else None,
        runs=runs,
        searches=recorded.searches,
        curve=tuple(curve),
        knee=knee,
        no_knee=no_knee,
        comparison=_compared(recorded, against, slo, include_void=include_void) if against else None,
        warnings=(*recorded.unreadable, *([left_out] if unused else [])),
    )
    return report, recorded


def _compared(recorded: RecordedRuns, against: Path, slo: Slo | None, *, include_void: bool) -> LoadComparison:
    sides = [
        [run for run in found.runs if include_void or not run.is_void] for found in (read_runs([against]), recorded)
    ]
    return compare(sides[0], sides[1], str(against), slo)
