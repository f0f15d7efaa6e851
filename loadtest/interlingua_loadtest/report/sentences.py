"""What the report says in words, on a terminal and on the page.

LoadReport --> sentences
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua_loadtest.report.load_curve import KEPT_UP, SLOWER

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import LoadReport, RunFigures
    from interlingua_loadtest.report.run_collection import RecordedSearch

MODES = {
    "open": "open loop: latency from the scheduled moment",
    "closed": "closed loop: a slow server is asked less, so its latency looks better than it is",
    "offline": "offline: all at once, latency is the time until an answer",
    "users": "Locust's users: a closed loop",
}


def knee_sentence(report: LoadReport) -> str:
    """Where the knee is, or why there is none."""
    if report.knee is None:
        return f"No knee: {report.no_knee}."
    how = (
        f"{100 * KEPT_UP:g}% of what is offered is answered and p99 is within {SLOWER:g} times that of the lowest rate"
    )
    if report.knee.is_last:
        return f"No knee up to {report.knee.rate:g}/s, the highest rate tried: there, {how}."
    return f"Knee at {report.knee.rate:g}/s: up to there, {how}."


def search_sentence(search: RecordedSearch) -> str:
    """What a search for the highest rate found."""
    what = f"the highest rate within {search.slo or 'the objective'}"
    if search.rate is None:
        return f"{search.folder}: the search found no rate within {search.slo or 'the objective'}."
    interval = f" ({search.low:g} to {search.high:g})" if search.low is not None and search.high is not None else ""
    return f"{search.folder}: {what} is {search.rate:g}/s{interval}."


def run_remarks(run: RunFigures) -> Iterator[str]:
    """What speaks against a run, and what else is to be known of it."""
    if run.mode != "open":
        yield MODES.get(run.mode, run.mode)
    for reason in run.reasons:
        yield f"{run.state}: {reason}"
    yield from run.notes
    if run.is_short and run.mode != "offline":
        yield "latency changes slowly for so short a run: its intervals are too narrow"
