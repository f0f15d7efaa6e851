"""Sends what is due, whether or not the last answers came; under gevent.

    arrivals -> one greenlet waits for each moment -> a spare greenlet asks -> record
                        |  all `in_flight` greenlets are busy: wait for the first that is free, and send late
                        +- the run's end and its grace are over: the rest was not sent

Latency runs from the scheduled moment. So a server that stalls is charged for all who would have come meanwhile, which
a closed loop leaves out (coordinated omission; G. Tene, "How NOT to Measure Latency", and wrk2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import gevent
from gevent.pool import Pool

if TYPE_CHECKING:
    from interlingua_loadtest.generator.timed_request import Arrival, Asker, RunClock
    from interlingua_loadtest.record.record import Outcome

_AFTER_INTERRUPTION_S = 2.0
_FAILED_PAUSE_S = 0.1


@dataclass(frozen=True)
class RunLimits:
    """When a run ends.

    Attributes:
        seconds: nothing is scheduled later.
        grace_s: after that, in which late requests are still sent and answers awaited.
        in_flight: greenlets at most.
    """

    seconds: float
    grace_s: float
    in_flight: int


def run_open_loop(arrivals: Sequence[Arrival], asker: Asker, limits: RunLimits) -> None:
    """Send the arrivals, ascending in time, at their moments; all of them are recorded.

    When this greenlet is killed, what was due is recorded and what was not yet is left out.
    """
    pool, clock, sent = Pool(limits.in_flight), asker.clock, 0
    end = limits.seconds + limits.grace_s
    try:
        with gevent.Timeout(max(end - clock.now(), 0.0), False):
            for arrival in arrivals:
                _sleep_until(arrival.scheduled_s, clock)
                pool.spawn(asker.send, arrival)
                sent += 1
            pool.join()
    except gevent.GreenletExit:
        end = clock.now()
        pool.join(_AFTER_INTERRUPTION_S)
        raise
    finally:
        pool.kill()
        for arrival in islice(arrivals, sent, None):
            if arrival.scheduled_s <= end:
                asker.give_up(arrival)


def run_closed_loop(arrivals: Iterable[Arrival], asker: Asker, limits: RunLimits) -> None:
    """Keep `in_flight` requests under way until the time is over, then wait for their answers."""
    pool, clock, source = Pool(), asker.clock, iter(arrivals)

    def ask_on() -> None:
        _sleep_until(0.0, clock)
        while clock.now() < limits.seconds and (arrival := next(source, None)) is not None:
            pause_if_failed(asker.send(arrival))

    try:
        for _ in range(limits.in_flight):
            pool.spawn(ask_on)
        pool.join(max(limits.seconds + limits.grace_s - clock.now(), 0.0))
    finally:
        pool.kill()


def pause_if_failed(outcome: Outcome) -> None:
    """A closed loop on a server that is gone would ask as fast as it can fail."""
    if outcome.status in ("away", "error"):
        gevent.sleep(_FAILED_PAUSE_S)


def _sleep_until(moment: float, clock: RunClock) -> None:
    # gevent's timers count from the loop's own, older idea of now: they may fire early.
    while (left := moment - clock.now()) > 0:
        gevent.sleep(left)
