"""The report's tables; times in milliseconds.

LoadReport, RunFigures --> Grid ...
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, DASH, digits, milliseconds, number, share
from interlingua.display.grid import Cell, Grid, row
from interlingua_loadtest.report.stage_budget import STAGES

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import GroupFigures, LoadReport, RunFigures
    from interlingua_loadtest.report.stage_budget import Budget
    from interlingua_loadtest.report.statistics.percentile_interval import Percentile

_INTERVALS = "Second line: 95% interval; ? where there are too few requests to know that end."
_BUDGET = (
    "Means over the requests whose latency ranks around the percentile; each row adds up to its latency. client is "
    "what the other stages leave."
)


def overview(report: LoadReport) -> Grid:
    """A row a run: how it went."""
    header = ("run", "verdict", "offered/s", "answered/s", *(entry.name for entry in report.runs[0].percentiles))
    rows = [
        row(
            run.name,
            Cell(run.state if run.is_used else f"{run.state}, not used", strong=run.state != "valid"),
            number(run.summary.offered_rate, 2),
            number(run.summary.achieved_rate, 2),
            *map(percentile_cell, run.percentiles),
        )
        for run in report.runs
    ]
    note = "Milliseconds from when a request was due, of the answered ones. " + _INTERVALS
    return Grid("Latency", header, tuple(rows), notes=(note,), names=2)


def answers(report: LoadReport) -> Grid:
    """A row a run: what came of its requests."""
    header = (
        "run",
        "requests",
        "ok",
        "degraded",
        "rejected",
        "late",
        "away",
        "error",
        "unsent",
        "objective",
        "goodput",
    )
    rows = [row(run.name, str(run.summary.scheduled), *_statuses(run), *_goodput(run)) for run in report.runs]
    note = "goodput: of the requests that were due, those answered within the objective's time; second line: a second."
    return Grid("Answers", header, tuple(rows), notes=(note,))


def reranking(runs: Iterable[RunFigures]) -> Grid | None:
    """A row a run that searched: how; None where none did."""
    header = ("run", "by stored token vectors", "as pairs", "both ways", "not reranked", "candidates compared", "pairs")
    rows = [
        row(run.name, *map(str, (how.by_stored, how.by_pairs, how.by_both, how.not_reranked, how.stored, how.pairs)))
        for run in runs
        if (how := run.summary.reranking)
    ]
    note = "Of the answered searches; both ways: candidates without stored token vectors went as pairs."
    return Grid("How searches were reranked", header, tuple(rows), notes=(note,)) if rows else None


def budget_table(runs: Sequence[RunFigures]) -> Grid:
    """Two rows a run and kind of request."""
    found = [(f"{run.name}, {budget.kind}", budget) for run in runs for budget in run.budgets if budget.group == "all"]
    return _budgets("Where the time goes", "run, kind", found)


def group_budgets(run: RunFigures, group: str) -> Grid | None:
    """Budgets of one run by language or by length; None where there are no such groups."""
    found = [(f"{budget.kind}, {budget.name}", budget) for budget in run.budgets if budget.group == group]
    title = f"Where the time goes, by {'language' if group == 'language' else 'tokens of the text'}: {run.name}"
    return _budgets(title, "kind, group", found) if found else None


def groups(run: RunFigures, title: str, found: Sequence[GroupFigures]) -> Grid | None:
    """Latency of groups of one run's requests; None for less than one."""
    if not found:
        return None
    header = ("", "requests", "answered", *(entry.name for entry in found[0].percentiles), "goodput")
    rows = [
        row(
            group.name or "unknown",
            str(group.scheduled),
            str(group.answered),
            *map(percentile_cell, group.percentiles),
            share(group.goodput, 2),
        )
        for group in found
    ]
    return Grid(f"{title}: {run.name}", header, tuple(rows), notes=(_INTERVALS,))


def server(runs: Iterable[RunFigures]) -> Grid | None:
    """What the server counted; None where nobody knows."""
    header = ("run", "model", "requests", "failed", "batches", "texts a batch", "queue", "compute")
    rows = [
        row(
            run.name,
            entry.model,
            str(entry.requests),
            str(entry.failures),
            str(entry.executions),
            digits(entry.mean_batch),
            milliseconds(entry.queue_s),
            milliseconds(entry.compute_s),
        )
        for run in runs
        for entry in run.server
    ]
    note = "Of the whole run, its warm-up included; queue and compute in milliseconds a request."
    return Grid("What the server counted", header, tuple(rows), notes=(note,), names=2) if rows else None


def processes(runs: Iterable[RunFigures]) -> Grid | None:
    """CPU and memory; None where no process was sampled."""
    rows = [
        row(run.name, entry.name, digits(entry.cpu), *map(digits, (entry.peak_pss_mb, entry.peak_rss_mb)))
        for run in runs
        for entry in run.processes
    ]
    header = ("run", "process", "cores", "peak PSS, MB", "peak RSS, MB")
    note = "cores: on average; 1 is one core. PSS divides shared pages among their users. MB: 2^20 bytes."
    return Grid("CPU and memory", header, tuple(rows), notes=(note,), names=2) if rows else None


def settings(report: LoadReport) -> Grid:
    """What each run was asked to do."""
    rows = [
        row(
            run.name,
            run.mode,
            ", ".join(f"{name} {value}" for name, value in run.settings.items()),
            run.environment[:12] or ABSENT,
        )
        for run in report.runs
    ]
    note = "Settings at their defaults are left out. Equal digests: equal hardware, versions, configurations, commit."
    return Grid("Settings", ("run", "mode", "settings", "environment"), tuple(rows), notes=(note,), names=4)


def percentile_cell(found: Percentile) -> Cell:
    """Milliseconds, and the interval in small."""
    if not math.isfinite(found.seconds):
        return Cell(ABSENT)
    ends = (milliseconds(end) if math.isfinite(end) else "?" for end in (found.low_s, found.high_s))
    return Cell(milliseconds(found.seconds), DASH.join(ends))


def _statuses(run: RunFigures) -> list[str]:
    counted = run.summary.statuses
    return [str(counted[name]) for name in ("ok", "degraded", "rejected", "deadline", "away", "error", "unsent")]


def _goodput(run: RunFigures) -> tuple[Cell, Cell]:
    good = run.summary.goodput
    if good is None:
        return Cell(ABSENT), Cell(ABSENT)
    verdict = Cell(good.slo, "held" if run.holds else "missed", strong=not run.holds)
    return verdict, Cell(share(good.share, 2), f"{number(good.rate, 2)}/s")


def _budgets(title: str, first: str, found: Sequence[tuple[str, Budget]]) -> Grid:
    stages = [name for name in STAGES if any(name in budget.stages for _, budget in found)]
    rows = [
        row(
            name,
            f"p{budget.percent:g}",
            *(_stage(budget, stage) for stage in stages),
            Cell(milliseconds(budget.latency_s), strong=True),
            f"{budget.requests} of {budget.of}",
        )
        for name, budget in found
    ]
    missing = sum(budget.unknown for _, budget in found)
    notes = [_BUDGET]
    if missing:
        notes.append("Some requests lack the times of some stages, which are then in client's.")
    return Grid(title, (first, "around", *stages, "latency", "requests"), tuple(rows), notes=tuple(notes), names=2)


def _stage(budget: Budget, name: str) -> Cell:
    if name not in budget.stages:
        return Cell("")
    seconds = budget.stages[name]
    return Cell(milliseconds(seconds), strong=seconds == max(v for v in budget.stages.values() if v == v))
