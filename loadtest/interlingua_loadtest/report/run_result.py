"""What a run came to, for a terminal: RunResult --> lines and two tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.figures import number
from interlingua.display.grid import Cell, Grid, Line, row
from interlingua_loadtest.report.sentences import MODES

if TYPE_CHECKING:
    from interlingua.display.terminal import Part
    from interlingua_loadtest.run.drive import RunResult
    from interlingua_loadtest.run.triton_statistics import ModelCounts

_SERVER = ("the server counted", "requests", "failed", "texts", "batches", "texts a batch", "queue ms", "compute ms")


def parts(result: RunResult) -> Iterator[Part]:
    """What is printed, piece by piece."""
    summary = result.summary
    yield Line(f"  {MODES[result.mode]}", head=result.folder)
    yield (
        f"{summary.scheduled} requests in {summary.seconds:.1f} s after {summary.warm_up_s:.1f} s of warm-up; "
        f"offered {summary.offered_rate:.2f}/s, answered {summary.achieved_rate:.2f}/s"
    )
    counted = ", ".join(f"{status} {count}" for status, count in summary.statuses.items() if count)
    yield f"statuses: {counted or 'none'}"
    if summary.goodput:
        good = summary.goodput
        verdict = "met" if good.is_met else "missed"
        yield f"goodput at {good.slo}: {good.rate:.2f}/s, {100 * good.share:.2f}% of the requests: {verdict}"
    if summary.reranking:
        yield str(summary.reranking)
    yield _percentiles(result)
    if result.triton:
        yield Grid("", _SERVER, tuple(map(_counts, result.triton)))
    for note in result.notes:
        yield f"note: {note}"


def _percentiles(result: RunResult) -> Grid:
    summary = result.summary
    rows = {
        "latency (from when it was due)": summary.latency_s,
        "service time (from sending)": summary.service_s,
        "lag of the generator": summary.lag_s,
    }
    cells = (row(name, *(number(1e3 * value, 2) for value in values.values())) for name, values in rows.items())
    return Grid("", ("milliseconds", *summary.latency_s), tuple(cells))


def _counts(counts: ModelCounts) -> tuple[Cell, ...]:
    return row(
        f"{counts.model}/{counts.version}",
        str(counts.requests),
        str(counts.failures),
        str(counts.inferences),
        str(counts.executions),
        f"{counts.mean_batch:.2f}",
        f"{1e3 * counts.mean_queue_s:.2f}",
        f"{1e3 * counts.mean_compute_s:.2f}",
    )
