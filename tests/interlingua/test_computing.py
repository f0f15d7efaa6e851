"""What a service computes of a batch, what calls cost now, and when a queue is too long; without Triton."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from interlingua.served.service import longest_wait_s
from interlingua.served.text.batch_texts import BatchText
from interlingua.served.text.batches import CallLimits
from interlingua.served.text.call_cost import CallCost
from interlingua.served.text.computing import Computing
from interlingua.served.text.counters import CALLS, COUNTERS, GAUGES, TEXTS, ServiceCounters
from interlingua.served.text.lanes import Lanes
from interlingua.served.text.outcomes import OUTCOMES
from interlingua.served.text.recent_cost import RecentCost
from interlingua.served.text.standing_queue import FREE_REQUESTS, StandingQueue
from interlingua.served.text.text_request import TextRequest
from interlingua.served.text.tokenizer import Row, Tokens
from interlingua.served.text.traffic import ServerTraffic

LIMITS = CallLimits(tokens=4, texts=2, lanes=1)


class Number:
    """A metric, kept here."""

    def __init__(self) -> None:
        self.now = 0.0

    def increment(self, value: float) -> None:
        self.now += value

    def set(self, value: float) -> None:
        self.now = value

    def value(self) -> float:
        return self.now


class Service:
    """An instance whose network gives each row its length."""

    def __init__(self, traffic: ServerTraffic | None = None) -> None:
        self.calls: list[list[int]] = []
        self.before_call = lambda: None
        self.metrics = {name: Number() for name in (*COUNTERS, *GAUGES, *OUTCOMES)}
        self.counters = ServiceCounters(self.metrics, pytest.fail)
        lanes = Lanes("embed_query", LIMITS, traffic or ServerTraffic(None, ""))
        self.computing = Computing(self.network, lanes, self.counters, 64)
        self.computing.cost = RecentCost(CallCost(0.001, 0.0001), time.monotonic)

    def network(self, rows: list[Row]) -> np.ndarray | str:
        self.before_call()
        self.calls.append([len(row) for row in rows])
        return np.array([[len(row)] for row in rows], np.float32)

    def compute(self, *requests: tuple[TextRequest, list[int]]) -> list[float]:
        rows = [BatchText(one, Tokens((5,) * n, (0,) * n)) for one, lengths in requests for n in lengths]
        values: list[float] = self.computing.compute(rows)[:, 0].tolist()
        self.counters.settle()
        return values


def test_who_leaves_while_others_are_computed_is_left_out() -> None:
    service = Service()
    gone: list[bool] = []
    stays, leaves = TextRequest(), TextRequest(is_cancelled=lambda: bool(gone))
    service.before_call = lambda: gone.append(True)
    # Longest first, two texts or four tokens a call: [4], [2 2], [1 1]; the second is of both requests.
    values = service.compute((stays, [4, 2]), (leaves, [2, 1, 1]))
    assert service.calls == [[4], [2]]
    assert values == [4, 2, 0, 0, 0]
    assert (stays.error, leaves.outcome) == (None, "cancelled")
    assert (service.metrics[CALLS].now, service.metrics[TEXTS].now) == (2, 2)


def test_whose_deadline_passes_meanwhile_is_left_out() -> None:
    service = Service()
    late, other = TextRequest(deadline=time.time() + 0.2), TextRequest()
    service.before_call = lambda: time.sleep(0.25)
    assert service.compute((other, [4]), (late, [2]), (other, [1])) == [4, 0, 1]
    assert service.calls == [[4], [1]]
    assert late.outcome == "late"


def test_a_network_that_fails_fails_the_requests_of_that_call_alone() -> None:
    service = Service()
    first, second = TextRequest(), TextRequest()
    answers = iter(["network embedder: no", np.array([[2.0]], np.float32)])
    service.computing._network = lambda _: next(answers)
    assert service.compute((first, [4]), (second, [2])) == [0, 2]
    assert (first.error, first.outcome, second.error) == ("network embedder: no", "failed", None)


def test_the_first_at_a_network_measures_and_the_next_is_told() -> None:
    traffic = ServerTraffic(None, "embedder")
    service, other = Service(traffic), Service(traffic)
    service.computing.cost = other.computing.cost = None
    service.compute((TextRequest(), [2]))
    assert Counter(map(tuple, service.calls)) == {(64,): 6, (8,): 3, (2,): 1}  # no text is longer than 64 tokens here
    other.compute((TextRequest(), [2]))
    assert other.calls == [[2]]
    assert other.computing.cost is not None


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_cost_follows_calls_that_take_longer_and_comes_back_without_calls() -> None:
    clock = Clock()
    cost = RecentCost(CallCost(0.01, 0.001), clock)
    for _ in range(100):
        clock.now += 0.09
        cost.observe(20, 0.09)  # three times the calibrated 0.03
    slow = cost.now()
    assert slow.seconds(20) == pytest.approx(0.09, rel=0.1)
    assert slow.overhead_tokens == pytest.approx(10)
    clock.now += 30
    assert cost.now().seconds(20) == pytest.approx(0.03, rel=0.01)


def test_one_stall_is_no_trend() -> None:
    clock = Clock()
    cost = RecentCost(CallCost(0.01, 0.001), clock)
    for _ in range(50):
        clock.now += 0.03
        cost.observe(20, 0.03)
    cost.observe(20, 5.0)
    assert cost.now().seconds(20) < 0.04


def queue_of(clock: Clock, longest_s: float = 10.0) -> StandingQueue:
    """Two instances, each of which works off ten requests a second."""
    queue = StandingQueue(longest_s, 2, clock)
    queue.worked(10, 1.0)
    return queue


def test_a_burst_is_worked_off_and_a_queue_that_stands_is_cut_down() -> None:
    clock = Clock()
    queue = queue_of(clock)
    assert queue.kept(64, 100) == 64  # five seconds of work
    clock.now += 1.9
    assert queue.kept(64, 60) == 64
    clock.now += 0.2
    assert queue.kept(64, 60) == 0
    assert queue.message(60) == "overloaded: 60 requests wait, for 3.0 s: try again in 3000 ms"
    assert queue.kept(64, FREE_REQUESTS) == 8  # half a second of work is five requests


def test_a_queue_that_stood_is_kept_short_until_none_has_stood_for_a_while() -> None:
    clock = Clock()
    queue = StandingQueue(10.0, 2, clock)
    queue.worked(100, 1.0)
    queue.kept(64, 300)
    clock.now += 2.0
    assert queue.kept(64, 300) == 0
    assert queue.kept(64, 90) == 50  # below half a second of work
    clock.now += 1.9
    assert queue.kept(64, 110) == 0  # above it again: without patience
    assert queue.kept(20, 0) == 20
    clock.now += 2.1
    assert queue.kept(64, 0) == 64
    assert queue.kept(64, 300) == 64  # the next burst has its own time


def test_what_nobody_would_get_in_time_is_refused_at_once() -> None:
    clock = Clock()
    assert queue_of(clock).kept(64, 201) == 0
    assert queue_of(clock, longest_s=0).kept(64, 10_000) == 64
    assert StandingQueue(10.0, 2, clock).kept(64, 10_000) == 64  # nothing is known yet


def test_how_long_a_request_may_wait_is_the_configurations_or_the_services() -> None:
    assert longest_wait_s({}, "embed_document") == 30
    assert longest_wait_s({}, "embed_query") == longest_wait_s({"default_deadline_s": ""}, "rerank") == 10
    assert longest_wait_s({"default_deadline_s": "0"}, "embed_query") == 0
    assert longest_wait_s({"default_deadline_s": "2.5"}, "embed_query") == 2.5


@pytest.mark.parametrize("stated", ["-1", "nan", "inf", "soon"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(stated: str) -> None:
    with pytest.raises(ValueError, match=f"default_deadline_s is '{stated}', not a number of seconds"):
        longest_wait_s({"default_deadline_s": stated}, "embed_query")
