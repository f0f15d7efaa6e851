"""How the processes of one run start together and end together, over Locust's own messages.

    worker: prepared --> master: all are --> begin (when, who takes which arrivals) --> worker: ... finished --> master

A run in one process goes the same way: Locust's local runner passes its messages to itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
from gevent.event import AsyncResult
from locust import LoadTestShape, User

_PREPARED, _FAILED, _BEGIN, _FINISHED = (f"interlingua_{word}" for word in ("prepared", "failed", "begin", "finished"))
_LEAD_S = 0.5  # for the message to arrive
_PREPARING_WITHIN_S = 600.0


class Start(NamedTuple):
    """What a worker is told.

    Attributes:
        epoch: Unix time at which the run starts.
        place: it takes every `workers`-th arrival, from this one on.
    """

    epoch: float
    place: int
    workers: int


class Worker:
    """A worker's side."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._start: AsyncResult = AsyncResult()
        runner.register_message(_BEGIN, self._begin)

    def await_start(self) -> Start:
        """Say that all is prepared, and wait for the others."""
        self._start = AsyncResult()  # a second run of the same process (web page) meets anew
        self._runner.send_message(_PREPARED, {})
        start: Start = self._start.get(timeout=_PREPARING_WITHIN_S)
        return start

    def fail(self, reason: str) -> None:
        """Say that this worker cannot run."""
        self._runner.send_message(_FAILED, {"reason": reason})

    def finish(self) -> None:
        """Say that all is recorded."""
        self._runner.send_message(_FINISHED, {})

    def _begin(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002 - Locust names them
        self._start.set(Start(msg.data["epoch"], msg.data["place"], msg.data["workers"]))


class MeetingShape(LoadTestShape):
    """The master's side: one user a worker, which runs that worker's share; ends when all have finished.

    Attributes:
        abstract: it is put in place by hand, where a run is scheduled (users.py).
        failure: what a worker said that could not run; "" as long as none did.
    """

    abstract = True

    def __init__(self, runner: Any, user: type[User], on_failure: Callable[[str], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._runner = self.runner = runner
        self._user, self._on_failure = user, on_failure
        self._prepared: set[str] = set()
        self._finished: set[str] = set()
        self._workers: list[str] = []
        self.failure = ""
        runner.register_message(_PREPARED, self._on_prepared)
        runner.register_message(_FAILED, self._on_failed)
        runner.register_message(_FINISHED, self._on_finished)

    def reset_time(self) -> None:
        """A run starts."""
        super().reset_time()  # type: ignore[no-untyped-call]
        self._prepared, self._finished, self.failure = set(), set(), ""
        self._workers = sorted(self._present())

    def tick(self) -> tuple[int, float, list[type[User]]] | None:
        """One user a worker, as long as there is something to wait for."""
        if not self._workers:
            self._workers = sorted(self._present())
        lost = [worker for worker in self._workers if worker not in self._present()]
        if lost and not self.failure:
            self._fail(f"{len(lost)} of {len(self._workers)} workers are gone")
        if self.failure or (self._workers and self._finished.issuperset(self._workers)):
            return None
        count = max(len(self._workers), 1)
        return count, float(count), [self._user]

    def _present(self) -> list[str]:
        clients = getattr(self._runner, "clients", None)
        if clients is None:
            return ["local"]
        return [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]

    def _on_prepared(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        self._prepared.add(msg.node_id)
        if not self._prepared.issuperset(self._workers):
            return
        epoch = time.time() + _LEAD_S
        for place, worker in enumerate(self._workers):
            start = {"epoch": epoch, "place": place, "workers": len(self._workers)}
            gevent.spawn(self._send, worker, start)

    def _send(self, worker: str, start: dict[str, Any]) -> None:
        self._runner.send_message(_BEGIN, start, client_id=worker)

    def _on_finished(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        self._finished.add(msg.node_id)

    def _on_failed(self, environment: Any, msg: Any, **_: Any) -> None:  # noqa: ARG002
        self._fail(msg.data["reason"])

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self._on_failure(reason)
