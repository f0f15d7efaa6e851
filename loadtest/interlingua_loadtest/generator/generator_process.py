"""What the users of one process of the generator share; under gevent.

settings -> connection, texts, times --the others are ready, too--> this process's share, sent
Outcome -> the record, and Locust's own statistics
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gevent.lock import RLock
from locust import runners

from interlingua_client.triton.server_address import DEFAULT_SERVER
from interlingua_loadtest.generator.open_loop import RunLimits, run_closed_loop, run_open_loop
from interlingua_loadtest.generator.recorder import Recorder
from interlingua_loadtest.generator.rendezvous import Start, Worker
from interlingua_loadtest.generator.timed_request import UNANSWERED, Arrival, Asker, RunClock
from interlingua_loadtest.record.record import ANSWERED
from interlingua_loadtest.record.worker_note import WorkerNote, clock_difference
from interlingua_loadtest.traffic.request_stream import Traffic
from interlingua_loadtest.traffic.run_settings import RunSettings

if TYPE_CHECKING:
    from interlingua_loadtest.record.record import Outcome

_ENDLESS = 1 << 40


class MissedError(Exception):
    """A request that was not answered as wanted; its text is the status."""


class GeneratorProcess:
    """What the users of one process share: settings, connection, texts, record.

    Attributes:
        worker: None on a master.
    """

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._asker: Asker | None = None
        self._share: _Share | None = None
        self._streams: dict[str, Iterator[Arrival]] = {}
        self._lock = RLock()
        is_master = isinstance(environment.runner, runners.MasterRunner)
        self.worker = None if is_master else Worker(environment.runner)

    @property
    def settings(self) -> RunSettings:
        """The settings as the command line, the web page or the master has them now."""
        return RunSettings.of_options(self._environment.parsed_options)

    @property
    def asker(self) -> Asker:
        """Connected when first needed."""
        with self._lock:
            if self._asker is None:
                settings = self.settings
                self._asker = Asker(
                    self._environment.host or DEFAULT_SERVER,
                    index=settings.index,
                    deadline_s=1e-3 * settings.deadline_ms if settings.deadline_ms else None,
                    worker=self._number,
                    record=self._record,
                )
            return self._asker

    def stream(self, kind: str) -> Iterator[Arrival]:
        """Endless asks of one kind, shared by the users of this process and unlike those of the other processes."""
        with self._lock:
            if kind not in self._streams:
                traffic = _traffic(self.settings, kind, seed=self.settings.seed + self._number)
                self._streams[kind] = _unscheduled(traffic)
            return self._streams[kind]

    def prepared(self) -> Callable[[Start], None]:
        """Connect, read the texts, make the schedule; what is given back runs this worker's share of it."""
        settings, asker = self.settings, self.asker
        traffic = _traffic(settings, seed=settings.seed)
        arrivals: Iterator[Arrival] | list[Arrival] = _unscheduled(traffic)
        if settings.mode != "closed":
            times = settings.times()
            arrivals = [Arrival(float(at), ask) for at, ask in zip(times, traffic.asks(len(times)), strict=True)]
        gc.collect()
        gc.freeze()  # a collection that walks over a hundred thousand texts would make requests late

        def run(start: Start) -> None:
            asker.clock, asker.worker = RunClock.at(start.epoch), start.place
            self._share = _Share.begin(settings, start, asker.clock, traffic)
            ended = False
            try:
                _send(settings, start, arrivals, asker)
                ended = True
            finally:
                self.end_share(interrupted=not ended)

        return run

    def begin(self) -> None:
        """Locust's own users have no meeting: their time runs from here."""
        settings = self.settings
        if self.worker is None or settings.mode != "users" or not settings.record:
            return
        start = Start(time.time(), self._number, self._environment.parsed_options.expect_workers or 1)
        self.asker.clock = RunClock.at(start.epoch)
        self._share = _Share.begin(settings, start, self.asker.clock, None)

    def end_share(self, *, interrupted: bool = False) -> None:
        """Write down what is still kept."""
        share, self._share = self._share, None
        if share is not None:
            share.end(interrupted=interrupted)

    def disconnect(self) -> None:
        """The next run connects anew, perhaps with other settings."""
        asker, self._asker, self._streams = self._asker, None, {}
        if asker is not None:
            asker.close()

    @property
    def _number(self) -> int:
        number: int = self._environment.runner.worker_index
        return max(number, 0)

    def _record(self, outcome: Outcome) -> None:
        if self._share is not None:
            self._share.recorder.add(outcome)
        if outcome.detail == UNANSWERED:
            return  # as Locust has it: who is stopped in the middle is not counted
        latency = outcome.finished_s - outcome.scheduled_s
        self._environment.events.request.fire(
            request_type="grpc",
            name=outcome.kind,
            response_time=None if math.isnan(latency) else 1e3 * latency,
            response_length=0,
            exception=None if outcome.status in ANSWERED else MissedError(outcome.status),
            context={"status": outcome.status, "language": outcome.language, "depth": outcome.depth},
        )


class _Share(NamedTuple):
    """What one worker writes down of one run."""

    run: Path
    recorder: Recorder
    start: Start
    clock: RunClock
    difference: float
    traffic: Traffic | None

    @classmethod
    def begin(cls, settings: RunSettings, start: Start, clock: RunClock, traffic: Traffic | None) -> _Share | None:
        if not settings.record:
            return None
        run = Path(settings.record)
        return cls(run, Recorder(run, start.place), start, clock, clock_difference(), traffic)

    def end(self, *, interrupted: bool) -> None:
        self.recorder.close()
        note = WorkerNote(
            worker=self.start.place,
            workers=self.start.workers,
            start=self.clock.start,
            ended_s=self.clock.now(),
            clock_drift_s=clock_difference() - self.difference,
            varied=self.traffic.varied if self.traffic else 0,
            interrupted=interrupted,
        )
        note.write(self.run)


def _traffic(settings: RunSettings, *only: str, seed: int) -> Traffic:
    from interlingua_evaluation.datasets.sources import open_dataset

    return Traffic.of_dataset(open_dataset(settings.dataset), settings.mix(*only), seed)


def _unscheduled(traffic: Traffic) -> Iterator[Arrival]:
    return (Arrival(math.nan, ask) for ask in traffic.asks(_ENDLESS))


def _send(settings: RunSettings, start: Start, arrivals: Any, asker: Asker) -> None:
    """This worker's share of them."""
    mine = islice(arrivals, start.place, None, start.workers)
    if settings.mode == "closed":
        here = len(range(start.place, settings.concurrency, start.workers))
        run_closed_loop(mine, asker, RunLimits(settings.seconds, settings.grace_s, here))
    else:
        seconds = 0.0 if settings.mode == "offline" else settings.seconds
        run_open_loop(list(mine), asker, RunLimits(seconds, settings.grace_s, settings.in_flight))
