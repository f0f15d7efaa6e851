"""Two runs, or two ladders rate by rate: what differs, and whether it could be chance.

runs of one load, before and after --block bootstrap--> Difference ... with intervals -> Rung ... -> LoadComparison

Both sides have blocks of one length, by the side that changes faster: a stall is then not taken for the habit of a
slow process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_loadtest.report.comparability import differences as differing
from interlingua_loadtest.report.model import LoadComparison, Rung
from interlingua_loadtest.report.run_figures import slo_of
from interlingua_loadtest.report.statistics.block_bootstrap import BlockSample
from interlingua_loadtest.report.statistics.figure_differences import figure_differences
from interlingua_loadtest.report.statistics.time_blocks import correlation_time

if TYPE_CHECKING:
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.report.recorded_run import RecordedRun


def compare(
    before: Sequence[RecordedRun], after: Sequence[RecordedRun], against: str, slo: Slo | None
) -> LoadComparison:
    """Match runs by their load, and compare.

    Args:
        before, after: those that are to be used; several of one load are taken together.
        against: what the former are called.
        slo: of goodput; without one it is the runs' own, if it is the same.

    Raises:
        InputError: one side is empty, or no load occurs on both.
    """
    if not before or not after:
        where = against if not before else "the folder that is compared"
        raise InputError(f"nothing to compare: every run of {where} is void (--include-void takes them all the same)")
    if len(before) == len(after) == 1:
        rungs = [_rung(f"{after[0].load}", list(before), list(after), slo)]
        return LoadComparison(against, tuple(rungs), ())
    loads = list(dict.fromkeys(run.load for run in after))
    known = list(dict.fromkeys(run.load for run in before))
    if not (common := [load for load in loads if load in known]):
        raise InputError(f"nothing to compare: {against} has {', '.join(known)}, this has {', '.join(loads)}")
    alone = [load for load in dict.fromkeys(loads + known) if load not in common]
    rungs = [
        _rung(load, [run for run in before if run.load == load], [run for run in after if run.load == load], slo)
        for load in common
    ]
    return LoadComparison(against, tuple(rungs), tuple(alone))


def _rung(load: str, before: list[RecordedRun], after: list[RecordedRun], slo: Slo | None) -> Rung:
    times = [correlation_time(run.measured, run.validity.warm_up_s, run.seconds) for run in (*before, *after)]
    objective = slo or _common_slo([*before, *after])
    samples = [BlockSample(runs, min(times), objective) for runs in (before, after)]
    is_timed = all(run.mode != "offline" for run in (*before, *after))
    warnings = differing(before[-1], after[-1])
    if not is_timed:
        warnings.append("offline runs are one event each: no interval can be given")
    elif any(sample.is_short for sample in samples):
        warnings.append("latency changes slowly for so short a run: intervals are too narrow, run longer")
    return Rung(
        load=load,
        before=tuple(run.name for run in before),
        after=tuple(run.name for run in after),
        block_s=samples[0].block_s,
        blocks=sum(sample.number for sample in samples),
        differences=tuple(figure_differences(*samples, is_timed=is_timed)),
        warnings=tuple(warnings),
    )


def _common_slo(runs: list[RecordedRun]) -> Slo | None:
    objectives = {slo_of(run) for run in runs}
    return objectives.pop() if len(objectives) == 1 else None
