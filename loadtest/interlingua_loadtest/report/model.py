"""What a report says, as records: JSON is made of these, and so are the terminal's tables and the page.

Durations are seconds, rates are requests a second, shares are from 0 to 1; what is NaN here is null in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlingua.base.plain import saved
from interlingua_loadtest.record.percentiles import CurvePoint
from interlingua_loadtest.record.run_summary import RunSummary
from interlingua_loadtest.report.load_curve import Knee, LoadPoint
from interlingua_loadtest.report.run_collection import RecordedSearch
from interlingua_loadtest.report.stage_budget import Budget
from interlingua_loadtest.report.statistics.figure_differences import Difference
from interlingua_loadtest.report.statistics.percentile_interval import Percentile


@saved
@dataclass(frozen=True)
class GroupFigures:
    """Requests of one kind, language or length.

    Attributes:
        scheduled, answered: how many were due, and how many have an answer.
        percentiles: of the answered ones' latency.
        goodput: share of the due ones that met the objective; None without one.
    """

    name: str
    scheduled: int
    answered: int
    percentiles: tuple[Percentile, ...]
    goodput: float | None


@dataclass(frozen=True, kw_only=True)
class ServerFigures:
    """What the server counted of one version of a model during the run, from its first request to its last.

    Attributes:
        mean_batch: texts an execution; NaN without one.
        queue_s, compute_s: a request.
    """

    model: str
    requests: int
    failures: int
    executions: int
    mean_batch: float
    queue_s: float
    compute_s: float


@dataclass(frozen=True)
class ProcessFigures:
    """One process during the measured part.

    Attributes:
        cpu: cores used on average; NaN unknown.
        peak_rss_mb, peak_pss_mb: of the whole run; NaN unknown.
    """

    name: str
    pid: int
    cpu: float
    peak_rss_mb: float
    peak_pss_mb: float


@saved
@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """One run.

    Attributes:
        settings: those that are not at their defaults, and the rate.
        load: what was asked of the server, as in 20/s.
        state: valid, not steady, void, unfinished; is_used: it is part of curves and comparisons.
        summary: of all its measured requests.
        percentiles: of the answered ones' latency, with intervals; curve: the same without, ever closer to 100.
        rejected, late, degraded: of the scheduled ones: refused, past their deadline, answered with less than asked.
        answered_share: of the scheduled ones.
        block_s: length of the blocks that intervals rest on; is_short: the run is too short for as long ones as needed.
        holds: whether the objective was held; None without one.
    """

    name: str
    folder: str
    mode: str
    load: str
    state: str
    is_used: bool
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    environment: str
    summary: RunSummary
    answered_share: float
    rejected: int
    late: int
    degraded: int
    holds: bool | None
    percentiles: tuple[Percentile, ...]
    curve: tuple[CurvePoint, ...]
    block_s: float
    is_short: bool
    by_kind: tuple[GroupFigures, ...]
    by_language: tuple[GroupFigures, ...]
    by_length: tuple[GroupFigures, ...]
    budgets: tuple[Budget, ...]
    server: tuple[ServerFigures, ...]
    processes: tuple[ProcessFigures, ...]

    def percentile(self, percent: float) -> Percentile:
        """One of `percentiles`; raises StopIteration for others."""
        return next(entry for entry in self.percentiles if entry.percent == percent)


@saved
@dataclass(frozen=True, kw_only=True)
class Rung:
    """Runs of one load on both sides.

    Attributes:
        block_s: seconds of a block.
        blocks: on both sides, together.
        warnings: in what else the sides differ, and what makes intervals doubtful.
    """

    load: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    block_s: float
    blocks: int
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class LoadComparison:
    """All rungs.

    Attributes:
        rungs: in the order of the side that is compared.
        unmatched: loads that one side has alone.
    """

    against: str
    rungs: tuple[Rung, ...]
    unmatched: tuple[str, ...]

    @property
    def decided(self) -> int:
        """Figures that differ by more than chance."""
        return sum(entry.is_decided for rung in self.rungs for entry in rung.differences)

    @property
    def figures(self) -> int:
        """Figures that could have come out decided."""
        return sum(entry.verdict != "unknown" for rung in self.rungs for entry in rung.differences)


@saved
@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """All of it.

    Attributes:
        created: a date.
        slo: the objective that was given for all runs; None: each run's own, if any.
        curve: a point for each open-loop run that is used, by offered rate.
        knee: None where there is none, and then `no_knee` says why.
        comparison: None where nothing was compared.
        warnings: what a reader has to know before any figure.
    """

    created: str
    folders: tuple[str, ...]
    slo: str | None
    runs: tuple[RunFigures, ...]
    searches: tuple[RecordedSearch, ...]
    curve: tuple[LoadPoint, ...]
    knee: Knee | None
    no_knee: str
    comparison: LoadComparison | None
    warnings: tuple[str, ...]

    @property
    def used(self) -> tuple[RunFigures, ...]:
        """Runs that are to be believed, or were asked for all the same."""
        return tuple(run for run in self.runs if run.is_used)

    @property
    def focus(self) -> RunFigures:
        """The run whose details matter most: at the knee, else the last that is used, else the last."""
        at_knee = [run for run in self.used if self.knee and run.name == self.knee.run]
        return (at_knee or self.used or self.runs)[-1]
