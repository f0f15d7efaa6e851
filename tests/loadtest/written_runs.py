"""Runs written by hand, as `interlingua loadtest` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from interlingua_loadtest.record.record import Outcome, ProcessSample
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.record.validity import Validity
from interlingua_loadtest.record.worker_note import WorkerNote

SETTINGS: Mapping[str, Any] = {
    "dataset": "helpdesk12", "kinds": "embed_query=1", "mode": "open", "schedule": "poisson", "rate": 20.0,
    "seconds": 10.0, "seed": 1, "workers": 1, "slo": "p99=300ms",
}  # fmt: skip
VALID = Validity(True, (), 0.0, ())
VOID = Validity(False, ("the generator was late",), 0.0, (), ("lag",))


def outcome(number: int, scheduled: float, latency: float, **others: Any) -> Outcome:
    """An answered `embed_query`, unless it is said otherwise; sent when it is due."""
    given = {"kind": "embed_query", "language": "de", "status": "ok", "tokens": 8, **others}
    given = {"sent_s": scheduled, "finished_s": scheduled + latency, "query_kind": "", "depth": 0, **given}
    return Outcome(number=number, scheduled_s=scheduled, **given)


def write_run(
    path: Path,
    outcomes: Iterable[Outcome],
    *,
    validity: Validity | None = VALID,
    environment: Mapping[str, Any] | None = None,
    samples: Iterable[ProcessSample] = (),
    note: WorkerNote | None = None,
    **settings: Any,
) -> Path:
    """A run's folder; without a verdict it is one that was killed."""
    facts = environment or {"digest": "e" * 64, "hardware": {"cpu": "x"}}
    folder = RunFolder.create(path, {**SETTINGS, **settings}, facts)
    with folder.outcomes() as writer:
        for entry in outcomes:
            writer.add(entry)
    with folder.process_samples() as process_writer:
        for sample in samples:
            process_writer.add(sample)
    if validity is not None:
        folder.write_validity(validity)
    if note is not None:
        note.write(path)
    return path


def queue(
    rate: float, seconds: float, load: float, seed: int, stall: tuple[float, float] | None = None
) -> list[Outcome]:
    """Poisson arrivals at one server (Lindley's recursion); `stall`: when nothing is begun, and for how long."""
    random = np.random.default_rng(seed)
    due = np.sort(random.uniform(0, seconds, random.poisson(rate * seconds)))
    work = random.lognormal(0, 0.3, len(due)) * load / rate
    free, rows = 0.0, []
    for number, (moment, service) in enumerate(zip(due.tolist(), work.tolist(), strict=True)):
        begin = max(moment, free)
        if stall and stall[0] <= begin < sum(stall):
            begin = sum(stall)
        free = begin + service
        rows.append(outcome(number, moment, free - moment))
    return rows
