"""What a worker says about itself when it has done its share: RUN/workers/<worker>.json.

A worker without one did not end by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.plain import saved
from interlingua.base.record_file import read_record, write_record

_FOLDER = "workers"


@saved
@dataclass(frozen=True, kw_only=True)
class WorkerNote:
    """One worker's share of a run.

    Attributes:
        start: instant of `time.monotonic()` that its outcomes' times are counted from.
        ended_s: when it had recorded the last one, in seconds from the start.
        clock_drift_s: how far the wall clock went away from the monotonic one meanwhile.
        varied: texts that came again and were told apart by a number.
        interrupted: it was stopped before all was sent.
    """

    worker: int
    workers: int
    start: float
    ended_s: float
    clock_drift_s: float
    varied: int
    interrupted: bool

    def write(self, run: Path) -> None:
        """Into the run's folder, whole or not at all."""
        write_record(run / _FOLDER / f"{self.worker}.json", self)


def read_worker_notes(run: Path) -> list[WorkerNote]:
    """Reads the notes of a run, by worker; raises InputError where one cannot be read."""
    files = (run / _FOLDER).glob("[!.]*.json")
    notes = [read_record(WorkerNote, file, what="worker's note", remedy="make the run again") for file in files]
    return sorted(notes, key=lambda note: note.worker)


def clock_difference() -> float:
    """Wall clock less monotonic clock: constant as long as nobody sets the former."""
    return time.time() - time.monotonic()
