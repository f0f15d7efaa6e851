"""One run from beginning to end, from a process that is not patched by Locust.

RunSettings, Target -> check -> run.json -> counters before -> generator, sampled -> counters after
                    -> processes, histograms, verdict -> RunResult
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import ServerError
from interlingua.display.progress import progress
from interlingua.repository.published import Published
from interlingua_loadtest.generator.processes import Generator
from interlingua_loadtest.record.outages import outage_sentences
from interlingua_loadtest.record.percentiles import LatencyHistogram, merged
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.record.run_summary import RunSummary
from interlingua_loadtest.record.validity import Validity, judge
from interlingua_loadtest.record.worker_note import WorkerNote, read_worker_notes
from interlingua_loadtest.run.environment import describe_environment
from interlingua_loadtest.run.gpu_samples import GpuSampler
from interlingua_loadtest.run.process_samples import ProcessSampler
from interlingua_loadtest.run.target import Target, require_fit
from interlingua_loadtest.run.triton_statistics import ModelCounts, difference, snapshot

if TYPE_CHECKING:
    from interlingua_loadtest.record.record import ProcessSample
    from interlingua_loadtest.record.request_columns import Requests
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.record.validity import ValidityBounds
    from interlingua_loadtest.traffic.run_settings import RunSettings

_CLOCK_DRIFT_S = 0.010


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What one run came to.

    Attributes:
        folder: the raw record.
        mode: open, closed or offline.
        triton: what the server counted meanwhile, a model each; empty where it was away afterwards.
        notes: what else there is to say, in words.
        interrupted: it was stopped from outside: the record ends there.
    """

    folder: str
    mode: str
    summary: RunSummary
    validity: Validity
    triton: tuple[ModelCounts, ...]
    notes: tuple[str, ...]
    interrupted: bool


def drive(
    settings: RunSettings,
    target: Target,
    out: Path,
    *,
    workers: int = 1,
    slo: Slo | None = None,
    bounds: ValidityBounds | None = None,
) -> RunResult:
    """Make one run and write it to `out`, a new folder.

    Ctrl-C ends the run; what was measured is recorded and judged, by `bounds` where others than the usual are wanted.

    Raises:
        InputError: the settings do not fit the server, the dataset or the index, or `out` is not empty.
        ServerError: the server is away before the run.
        GeneratorError: nothing could be sent.
    """
    services = require_fit(target, settings)
    settings = dataclasses.replace(settings, record=str(out.resolve()))
    # Texts, depths and times are drawn once here, so that what cannot be drawn is said before anything is written.
    offered = _check_traffic(settings)
    facts = {**asdict(settings), "mode": settings.mode, "workers": workers, "slo": str(slo) if slo else None}
    facts["goodput"] = slo.goodput if slo else None
    facts |= {"server": target.server, "services": services, "scheduled": offered, "command": sys.argv}
    served = Published.read(target.repository) if target.repository else None
    folder = RunFolder.create(out, facts, describe_environment(served))
    folder.write_json("triton-before", snapshot(target.address, target.metrics_url))
    generator, interrupted, samples = _generate(settings, target, workers)
    notes = read_worker_notes(out)
    said = _write_counters(folder, target)
    _write_processes(folder, samples, notes)
    requests = folder.requests()
    _write_histograms(folder, requests, workers)
    validity = _judged(folder, requests, settings, generator, notes, bounds, interrupted=interrupted)
    folder.write_validity(validity)
    end = _end(settings, requests, notes, cut_short=interrupted or bool(generator.died))
    triton, fault = _counted(folder)
    return RunResult(
        folder=str(out),
        mode=settings.mode,
        summary=RunSummary.of(requests, validity.warm_up_s, end, slo),
        validity=validity,
        triton=tuple(triton),
        notes=tuple(filter(None, (said, fault, *_remarks(notes), *outage_sentences(requests)))),
        interrupted=interrupted,
    )


def _check_traffic(settings: RunSettings) -> int | None:
    """Requests that will be due; None of a closed loop, where the server decides."""
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_loadtest.traffic.request_stream import Traffic

    Traffic.of_dataset(open_dataset(settings.dataset), settings.mix(), settings.seed)
    return None if settings.mode == "closed" else len(settings.times())


def _generate(settings: RunSettings, target: Target, workers: int) -> tuple[Generator, bool, list[ProcessSample]]:
    """Run the generator to its end; whether it was interrupted."""
    interrupted = False
    with Generator(settings, target.server, workers=workers) as generator:
        roots = {name: lambda name=name: generator.pid(name) for name in generator.names}
        processes, gpus = ProcessSampler({"server": target.follow(), **roots}), GpuSampler()
        with processes, gpus, _seconds(settings) as tick:
            try:
                generator.wait(tick)
            except KeyboardInterrupt:
                interrupted = True
                print("interrupted: recording what was measured ...", file=sys.stderr)
                generator.stop()
    # The GPUs of another machine are not seen from here.
    return generator, interrupted, processes.samples + (gpus.samples if target.pid else [])


@contextmanager
def _seconds(settings: RunSettings) -> Iterator[Any]:
    """Progress by the clock: how many requests there are is known to other processes."""
    total = None if settings.mode == "offline" else round(settings.seconds)
    with progress("loading", unit="seconds", total=total) as bar:
        began, shown = time.monotonic(), 0

        def tick() -> None:
            nonlocal shown
            passed = min(int(time.monotonic() - began), total or sys.maxsize)
            if passed > shown:
                bar.advance(passed - shown)
                shown = passed

        yield tick


def _write_counters(folder: RunFolder, target: Target) -> str:
    try:
        after = snapshot(target.address, target.metrics_url)
    except ServerError as error:
        folder.write_json("triton-after", {"fault": str(error)})
        return f"after the run: {error}"
    folder.write_json("triton-after", after)
    return f"no metrics page: {after['metrics_fault']}" if after["metrics_fault"] else ""


def _counted(folder: RunFolder) -> tuple[list[ModelCounts], str]:
    before, after = folder.read_json("triton-before"), folder.read_json("triton-after")
    if "fault" in after:
        return [], ""
    try:
        return difference(before, after), ""
    except ServerError as error:
        return [], str(error)


def _write_processes(folder: RunFolder, samples: list[ProcessSample], notes: list[WorkerNote]) -> None:
    start = notes[0].start if notes else (samples[0].time_s if samples else 0.0)
    with folder.process_samples() as writer:
        for sample in samples:
            writer.add(dataclasses.replace(sample, time_s=sample.time_s - start))


def _write_histograms(folder: RunFolder, requests: Requests, workers: int) -> None:
    """Latencies of what was answered: of each worker, and of all together."""
    answered = requests.where(requests.answered)
    parts = {
        f"worker-{number}": LatencyHistogram.of(np.maximum(answered.latency_s[answered.worker == number], 0.0))
        for number in range(workers)
    }
    folder.write_histograms({**parts, "run": merged(parts.values())})


def _judged(
    folder: RunFolder,
    requests: Requests,
    settings: RunSettings,
    generator: Generator,
    notes: list[WorkerNote],
    bounds: ValidityBounds | None,
    *,
    interrupted: bool,
) -> Validity:
    """The record's verdict, and what the record cannot know."""
    verdict = judge(requests, folder.processes(), offline=settings.mode == "offline", bounds=bounds)
    reasons, kinds = list(verdict.reasons), list(verdict.kinds)
    if generator.died and not interrupted:
        who = ", ".join(f"{name} (exit code {code})" for name, code in generator.died.items())
        reasons.append(f"processes of the generator died: {who}; what they had to send is missing")
        kinds.append("unsent")
    drifts = [note.clock_drift_s for note in notes if abs(note.clock_drift_s) > _CLOCK_DRIFT_S]
    if drifts:
        reasons.append(f"the wall clock was set by {max(drifts, key=abs):.3f} s during the run")
        kinds.append("clock")
    return dataclasses.replace(verdict, is_valid=not reasons, reasons=tuple(reasons), kinds=tuple(kinds))


def _end(settings: RunSettings, requests: Requests, notes: list[WorkerNote], *, cut_short: bool) -> float:
    if settings.mode == "offline":
        finished = requests.finished_s[~np.isnan(requests.finished_s)]
        return float(finished.max()) if len(finished) else 0.0
    ended = max((note.ended_s for note in notes), default=settings.seconds)
    return min(settings.seconds, ended) if cut_short else settings.seconds


def _remarks(notes: list[WorkerNote]) -> list[str]:
    varied = max((note.varied for note in notes), default=0)
    if varied and not any(note.interrupted for note in notes):
        return [f"{varied} texts came again, and were told apart by a number at their end"]
    return []
