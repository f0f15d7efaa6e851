"""What a run came to, for a terminal and for machines.

RunResult -> lines and two tables | one JSON object
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from interlingua_loadtest.drive import RunResult

_MODES = {
    "open": "open loop: latency from the scheduled moment",
    "closed": "closed loop: a slow server is asked less, so its latency looks better than it is",
    "offline": "offline: all at once, latency is the time until an answer",
}


def show(result: RunResult, console: Console) -> None:
    """Prints what was found."""
    summary = result.summary
    console.print(f"[bold]{result.folder}[/bold]  {_MODES[result.mode]}")
    console.print(
        f"{summary.scheduled} requests in {summary.seconds:.1f} s after {summary.warm_up_s:.1f} s of warm-up; "
        f"offered {summary.offered_rate:.2f}/s, answered {summary.achieved_rate:.2f}/s"
    )
    counted = ", ".join(f"{status} {count}" for status, count in summary.statuses.items() if count)
    console.print(f"statuses: {counted or 'none'}")
    if summary.goodput:
        good = summary.goodput
        verdict = "met" if good.is_met else "missed"
        console.print(f"goodput at {good.slo}: {good.rate:.2f}/s, {100 * good.share:.2f}% of the requests: {verdict}")
    console.print(_percentile_table(result))
    if result.triton:
        console.print(_server_table(result))
    for note in result.notes:
        console.print(f"note: {note}")


def _percentile_table(result: RunResult) -> Table:
    from rich.table import Table

    summary = result.summary
    table = Table("milliseconds", *summary.latency_s)
    rows = {
        "latency (from when it was due)": summary.latency_s,
        "service time (from sending)": summary.service_s,
        "lag of the generator": summary.lag_s,
    }
    for label, values in rows.items():
        table.add_row(label, *(_milliseconds(value) for value in values.values()))
    return table


def _server_table(result: RunResult) -> Table:
    from rich.table import Table

    table = Table(
        "the server counted", "requests", "failed", "texts", "batches", "texts a batch", "queue ms", "compute ms"
    )
    for counts in result.triton:
        requests = max(counts.requests, 1)
        table.add_row(
            f"{counts.model}/{counts.version}",
            str(counts.requests),
            str(counts.failures),
            str(counts.inferences),
            str(counts.executions),
            f"{counts.mean_batch:.2f}",
            f"{1e3 * counts.queue_s / requests:.2f}",
            f"{1e3 * counts.compute_infer_s / requests:.2f}",
        )
    return table


def _milliseconds(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{1e3 * seconds:.2f}"
