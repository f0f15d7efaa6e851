"""A run as it lies in its folder, with what was said of it when it was made.

FOLDER --run_folder.py--> record, verdict, counters, the workers' notes -> RecordedRun

A run that has no verdict was killed: it is judged here by what it left, and is not used unless that is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interlingua.base.errors import InputError, InterlinguaError
from interlingua.base.record_file import read_record
from interlingua_loadtest.record.outages import outage_sentences
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.record.validity import Validity, judge
from interlingua_loadtest.record.worker_note import read_worker_notes
from interlingua_loadtest.run.triton_statistics import difference

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Processes, Requests
    from interlingua_loadtest.record.worker_note import WorkerNote
    from interlingua_loadtest.run.triton_statistics import ModelCounts

State = Literal["valid", "not steady", "void", "unfinished"]


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedRun:
    """One run.

    Attributes:
        name: what it is called in a report.
        requests: all of them, those of the warm-up too.
        end_s: nothing is due later; for requests that are all due at once, when the last one was answered.
        counts: what the server counted; empty where that is unknown.
        notes: what else there is to say, in words.
        is_finished: it has a verdict of its own.
    """

    name: str
    path: Path
    settings: Mapping[str, Any]
    environment: Mapping[str, Any]
    requests: Requests
    processes: Processes
    validity: Validity
    end_s: float
    counts: tuple[ModelCounts, ...]
    notes: tuple[str, ...]
    is_finished: bool

    @classmethod
    def read(cls, path: Path, name: str = "") -> RecordedRun:
        """Read a run's folder.

        Raises:
            InputError: it holds no run, nothing was sent, or a file in it is damaged.
        """
        folder = RunFolder(path)
        content = _mapping(folder.read_json("run"), path, "run.json")
        settings = _mapping(content.get("settings"), path, "run.json")
        requests = folder.requests()
        sound = requests.where(~np.isnan(requests.scheduled_s))
        if not len(sound):
            raise InputError(f"{path} has no requests: nothing was sent, make the run again")
        processes, notes = folder.processes(), read_worker_notes(path)
        is_finished = (path / "validity.json").is_file()
        validity = _verdict(path / "validity.json") if is_finished else _judged(requests, processes, settings)
        counts, fault = _counts(folder)
        run = cls(
            name=name or path.resolve().name,
            path=path,
            settings=settings,
            environment=_mapping(content.get("environment") or {}, path, "run.json"),
            requests=requests,
            processes=processes,
            validity=validity,
            end_s=_end(settings, sound, notes, is_finished=is_finished),
            counts=counts,
            notes=tuple(filter(None, (fault, *_remarks(notes), *outage_sentences(requests)))),
            is_finished=is_finished,
        )
        if not len(run.measured):
            raise InputError(f"{path} has no requests after its warm-up of {validity.warm_up_s:.1f} s: run longer")
        return run

    @cached_property
    def measured(self) -> Requests:
        """The requests due after the warm-up."""
        return self.requests.where(self.requests.scheduled_s >= self.validity.warm_up_s)

    @property
    def seconds(self) -> float:
        """Length of the measured part."""
        return max(self.end_s - self.validity.warm_up_s, 1e-9)

    @property
    def mode(self) -> str:
        """open, closed, offline or users."""
        return str(self.settings.get("mode") or "open")

    @property
    def rate(self) -> float:
        """Requests a second that were asked for; 0 where a rate was not."""
        return float(self.settings.get("rate") or 0.0)

    @property
    def load(self) -> str:
        """What is asked of the server, as in 20/s; runs of equal load can be compared."""
        if self.mode == "closed":
            return f"{self.settings.get('concurrency', 0)} users"
        if self.mode == "offline":
            return f"{self.settings.get('offline', 0)} at once"
        if self.settings.get("schedule") == "replay":
            return f"replay x{self.settings.get('replay_speed', 1.0):g}"
        return f"{self.rate:g}/s"

    @property
    def state(self) -> State:
        """Whether it is to be believed."""
        if self.validity.is_void:
            return "void"
        if not self.is_finished:
            return "unfinished"
        return "valid" if self.validity.is_valid else "not steady"

    @property
    def is_void(self) -> bool:
        """It says nothing of the server, or nobody knows whether it does."""
        return self.state in ("void", "unfinished")


def _mapping(value: Any, path: Path, file: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{path / file} is not of a load test: it is damaged, or somebody else's")
    return dict(value)


def _verdict(file: Path) -> Validity:
    return read_record(Validity, file, what="verdict", remedy="make the run again")


def _judged(requests: Requests, processes: Processes, settings: Mapping[str, Any]) -> Validity:
    verdict = judge(requests, processes, offline=settings.get("mode") == "offline")
    reason = "the run did not come to its end: it has no validity.json, and its last requests may be missing"
    return dataclasses.replace(verdict, is_valid=False, reasons=(reason, *verdict.reasons))


def _end(settings: Mapping[str, Any], sound: Requests, notes: list[WorkerNote], *, is_finished: bool) -> float:
    if settings.get("mode") == "offline":
        finished = sound.finished_s[~np.isnan(sound.finished_s)]
        return float(finished.max()) if len(finished) else 0.0
    last = float(sound.scheduled_s.max())
    planned = float(settings.get("seconds") or last)
    if not is_finished:
        return min(planned, last)
    cut_short = notes and (any(note.interrupted for note in notes) or len(notes) < notes[0].workers)
    return min(planned, max(note.ended_s for note in notes)) if cut_short else planned


def _counts(folder: RunFolder) -> tuple[tuple[ModelCounts, ...], str]:
    if not all((folder.path / f"triton-{when}.json").is_file() for when in ("before", "after")):
        return (), ""
    before, after = folder.read_json("triton-before"), folder.read_json("triton-after")
    if "fault" in after:
        return (), f"after the run: {after['fault']}"
    try:
        return tuple(difference(before, after)), ""
    except (InterlinguaError, KeyError, TypeError) as error:
        return (), str(error)


def _remarks(notes: list[WorkerNote]) -> list[str]:
    if not any(note.interrupted for note in notes):
        return []
    return [f"interrupted after {max(note.ended_s for note in notes):.1f} s: what was measured until then counts"]
