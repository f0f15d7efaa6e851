"""One run's record, as figures.

RecordedRun, an objective --groups, percentiles, budgets--> RunFigures
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import InputError
from interlingua_loadtest.record.percentiles import LatencyHistogram
from interlingua_loadtest.record.run_summary import PERCENTILES, RunSummary
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.report.model import GroupFigures, ProcessFigures, RunFigures, ServerFigures
from interlingua_loadtest.report.stage_budget import budgets, length_bands
from interlingua_loadtest.report.statistics.percentile_interval import percentiles
from interlingua_loadtest.report.statistics.time_blocks import Blocks
from interlingua_loadtest.traffic.run_settings import RunSettings

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Mask, Processes, Requests
    from interlingua_loadtest.report.recorded_run import RecordedRun
    from interlingua_loadtest.run.triton_statistics import ModelCounts

# Where the record lies, and what does not change what is measured.
_UNSAID = frozenset({"record", "slo", "grace_s", "in_flight"})
_GROUP_PERCENTILES = (50.0, 99.0)


def run_figures(run: RecordedRun, slo: Slo | None, *, include_void: bool = False) -> RunFigures:
    """All figures of one run; `slo` in place of the run's own."""
    slo = slo or slo_of(run)
    summary = RunSummary.of(run.requests, run.validity.warm_up_s, run.end_s, slo)
    measured, blocks = run.measured, Blocks.of(run)
    answered = measured.where(measured.answered)
    return RunFigures(
        name=run.name,
        folder=str(run.path),
        mode=run.mode,
        load=run.load,
        state=run.state,
        is_used=include_void or not run.is_void,
        reasons=run.validity.reasons,
        notes=run.notes,
        settings=brief(run.settings),
        environment=str(run.environment.get("digest") or ""),
        summary=summary,
        answered_share=len(answered) / len(measured),
        rejected=summary.statuses["rejected"],
        late=summary.statuses["deadline"],
        degraded=summary.statuses["degraded"],
        holds=None if slo is None else slo.holds(endless(measured)),
        percentiles=percentiles(answered.latency_s, blocks.places(answered.scheduled_s), PERCENTILES),
        curve=tuple(LatencyHistogram.of(np.maximum(answered.latency_s, 0.0)).curve()),
        block_s=blocks.block_s,
        is_short=blocks.is_short,
        by_kind=_groups(measured, _by_word(measured.kind), blocks, slo),
        by_language=_groups(measured, _by_word(measured.language), blocks, slo),
        by_length=_groups(measured, length_bands(measured.tokens), blocks, slo),
        budgets=tuple(budgets(measured)),
        server=tuple(_server(counts) for counts in run.counts),
        processes=tuple(_processes(run.processes, run.validity.warm_up_s, run.end_s)),
    )


def slo_of(run: RecordedRun) -> Slo | None:
    """The objective that the run was made with; None without one, or where it cannot be read."""
    try:
        return Slo.parse(str(run.settings.get("slo") or ""))
    except InputError:
        return None


def endless(requests: Requests) -> Floats:
    """Latencies, infinite where there was no answer."""
    latency: Floats = np.where(requests.answered, requests.latency_s, np.inf)
    return latency


def brief(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What tells one run from another: the settings that somebody chose."""
    defaults = {entry.name: entry.default for entry in fields(RunSettings)}
    chosen = {name: settings[name] for name in defaults if name in settings and name not in _UNSAID}
    kept = {"kinds", "dataset", "seconds"}
    said = {name: value for name, value in chosen.items() if name in kept or value != defaults[name]}
    others = ("workers", "server")
    return said | {name: settings[name] for name in others if name in settings}


def _by_word(words: Any) -> dict[str, Mask]:
    return {word: words == word for word in np.unique(words).tolist()}


def _groups(
    requests: Requests, groups: Mapping[str, Mask], blocks: Blocks, slo: Slo | None
) -> tuple[GroupFigures, ...]:
    return tuple(_group(name, requests.where(rows), blocks, slo) for name, rows in groups.items())


def _group(name: str, requests: Requests, blocks: Blocks, slo: Slo | None) -> GroupFigures:
    answered = requests.where(requests.answered)
    places = blocks.places(answered.scheduled_s)
    met = None if slo is None else float(slo.met(requests).mean())
    found = percentiles(answered.latency_s, places, _GROUP_PERCENTILES)
    return GroupFigures(name, len(requests), len(answered), found, met)


def _server(counts: ModelCounts) -> ServerFigures:
    return ServerFigures(
        model=f"{counts.model}/{counts.version}",
        requests=counts.requests,
        failures=counts.failures,
        executions=counts.executions,
        mean_batch=counts.mean_batch,
        queue_s=counts.mean_queue_s,
        compute_s=counts.mean_compute_s,
    )


def _processes(samples: Processes, start_s: float, end_s: float) -> Iterable[ProcessFigures]:
    inside = (samples.time_s >= start_s) & (samples.time_s <= end_s) & ~np.isnan(samples.cpu_share)
    # GPUs have no number of their own.
    for name, pid in sorted(set(zip(samples.name.tolist(), samples.pid.tolist(), strict=True))):
        own = (samples.pid == pid) & (samples.name == name)
        shares = samples.cpu_share[own & inside]
        yield ProcessFigures(
            name=name,
            pid=pid,
            cpu=float(shares.mean()) if len(shares) else math.nan,
            peak_rss_mb=_peak(samples.rss_mb[own]),
            peak_pss_mb=_peak(samples.pss_mb[own]),
        )


def _peak(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else math.nan
