"""Outcomes of one worker on their way to disk, without making the next request late; under gevent.

add(): into a list --every two seconds, in a thread of its own--> RUN/requests.parquet/<worker>-<part>.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event

from interlingua_loadtest.record.run_folder import outcome_writer

if TYPE_CHECKING:
    from interlingua_loadtest.record.record import Outcome

_REQUESTS = "requests.parquet"  # as in RunFolder.requests_folder
_PERIOD_S = 2.0
_SWITCH_S = 0.0005


class Recorder:
    """Open from the first request to the last; `close` writes what is left."""

    def __init__(self, run: Path, worker: int) -> None:
        """Raises InputError where the run's folder cannot be written to."""
        import pyarrow.parquet  # noqa: F401 - takes a third of a second: not in the middle of a run

        # The writing thread gives Python's lock back ten times sooner than by default, for the requests' sake.
        sys.setswitchinterval(_SWITCH_S)
        self._writer = outcome_writer(run / _REQUESTS, worker)
        self._kept: list[Outcome] = []
        self._closed = Event()
        self._flushing = gevent.spawn(self._flush_now_and_then)

    def add(self, outcome: Outcome) -> None:
        """Keep one outcome."""
        self._kept.append(outcome)

    def close(self) -> None:
        """Write what is kept; raises InputError where that fails."""
        self._closed.set()
        self._flushing.join()
        self._write(self._kept)

    def _flush_now_and_then(self) -> None:
        pool = gevent.get_hub().threadpool
        while not self._closed.wait(_PERIOD_S):
            rows, self._kept = self._kept, []
            pool.spawn(self._write, rows).get()

    def _write(self, rows: list[Outcome]) -> None:
        for row in rows:
            self._writer.add(row)
        self._writer.flush()
