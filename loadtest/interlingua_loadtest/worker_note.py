"""What a worker says about itself when it has done its share: RUN/workers/<worker>.json.

A worker without one did not end by itself.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole

_FOLDER = "workers"


@dataclass(frozen=True)
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
        folder = run / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        with whole(folder / f"{self.worker}.json") as partial:
            partial.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def read_worker_notes(run: Path) -> list[WorkerNote]:
    """Those of a run, by worker; raises InputError where one cannot be read."""
    try:
        rows = [json.loads(file.read_text(encoding="utf-8")) for file in (run / _FOLDER).glob("[!.]*.json")]
        return sorted((WorkerNote(**row) for row in rows), key=lambda note: note.worker)
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"cannot read the workers' notes of {run}: {error}") from error


def clock_difference() -> float:
    """Wall clock less monotonic clock: constant as long as nobody sets the former."""
    return time.time() - time.monotonic()
