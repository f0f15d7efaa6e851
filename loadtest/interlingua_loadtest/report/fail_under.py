"""`--fail-under`: what a run has to hold, for a pipeline that should stop when it gets slow.

    [LANGUAGE:]pNN=TIME | goodput=SHARE | rate=RATE

    p99=300ms       at most; a request without an answer counts as one that takes for ever, as in --slo
    goodput=0.99    at least this share of the requests that were due met the objective (--slo, or the run's own)
    rate=50         at least so many answers a second
    de:p99=400ms    the same of one language's requests

Every run that was given has to hold every one. A figure that is not there fails, and so does a run that is void or
unfinished, since nothing was shown to be good enough.

specs --parse_all--> Bound ... --with a run--> a sentence for each failure
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.report.run_figures import endless, slo_of
from interlingua_loadtest.report.statistics.percentile_interval import rank

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Requests
    from interlingua_loadtest.report.recorded_run import RecordedRun
    from interlingua_loadtest.report.run_collection import RecordedRuns

GOODPUT, RATE = "goodput", "rate"

_FORM = re.compile(r"(?:(?P<language>[^:=]+):)?(?P<figure>p[\d.]+|goodput|rate)=(?P<bound>.+)")


@dataclass(frozen=True)
class Bound:
    """What one figure has to hold.

    Attributes:
        spec: as it was written.
        language: None for all requests.
        percent: of a latency; None for goodput and rate.
        limit: seconds at most; a share or a rate at least.
    """

    spec: str
    language: str | None
    figure: str
    percent: float | None
    limit: float


def parse_all(specs: Iterable[str]) -> list[Bound]:
    """Read specs; raises InputError naming all that are none."""
    bounds, faults = [], []
    for spec in specs:
        try:
            bounds.append(_bound(spec))
        except InputError as fault:
            faults.append(str(fault))
    if faults:
        raise InputError(f"--fail-under: {'; '.join(faults)}. It is p99=300ms, goodput=0.99, rate=50 or de:p99=400ms")
    return bounds


def check(recorded: RecordedRuns, bounds: Sequence[Bound], slo: Slo | None) -> list[str]:
    """A sentence for each failure, run by run; `slo` in place of each run's own."""
    if not bounds:
        return []
    return [*recorded.unreadable, *(said for run in recorded.runs for said in _failures(run, bounds, slo))]


def _bound(spec: str) -> Bound:
    found = _FORM.fullmatch(spec.strip())
    if found is None:
        raise InputError(f"{spec!r} is no bound")
    language, figure = found["language"], found["figure"]
    if figure not in (GOODPUT, RATE):
        slo = Slo.parse(f"{figure}={found['bound']}")
        return Bound(spec, language, figure, slo.percent, slo.limit_s)
    try:
        least = float(found["bound"])
    except ValueError:
        least = math.nan
    if not 0 <= least <= (1 if figure == GOODPUT else math.inf) or math.isinf(least):
        form = "a share from 0 to 1" if figure == GOODPUT else "a number of requests a second"
        raise InputError(f"{spec!r}: {found['bound']!r} is not {form}")
    return Bound(spec, language, figure, None, least)


def _failures(run: RecordedRun, bounds: Sequence[Bound], slo: Slo | None) -> Iterator[str]:
    if run.is_void:
        yield f"{run.name} is {run.state}: {'; '.join(run.validity.reasons)}"
        return
    for bound in bounds:
        requests = run.measured
        if bound.language is not None:
            requests = requests.where(requests.language == bound.language)
        said = _failure(run, requests, bound, slo or slo_of(run))
        if said:
            yield f"{run.name}: {said}; --fail-under {bound.spec}"


def _failure(run: RecordedRun, requests: Requests, bound: Bound, slo: Slo | None) -> str:
    """Why a bound is not held; "" where it is."""
    if not len(requests):
        return f"there are no requests in {bound.language}"
    if bound.percent is not None:
        return _slow(requests, bound)
    if bound.figure == GOODPUT:
        if slo is None:
            return "there is no goodput without an objective (--slo p99=300ms)"
        share = float(slo.met(requests).mean())
        return "" if share >= bound.limit else f"goodput at {slo} is {share:.6g}"
    rate = _answers(run, bound.language) / run.seconds
    return "" if rate >= bound.limit else f"{rate:.6g} answers a second"


def _slow(requests: Requests, bound: Bound) -> str:
    latency = np.sort(endless(requests))
    seconds = float(latency[rank(bound.percent or 0.0, len(latency)) - 1])
    if seconds <= bound.limit:
        return ""
    if math.isinf(seconds):
        missing = int((~requests.answered).sum())
        return f"{bound.figure} is never: {missing} of {len(requests)} requests have no answer"
    return f"{bound.figure} is {1e3 * seconds:.6g} ms"


def _answers(run: RecordedRun, language: str | None) -> int:
    """The answers that came in the measured part, to whatever was due before its end."""
    requests = run.requests
    wanted = requests.answered & (requests.finished_s >= run.validity.warm_up_s) & (requests.finished_s <= run.end_s)
    return int((wanted & (requests.language == language)).sum() if language is not None else wanted.sum())
