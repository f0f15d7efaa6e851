"""The rules of batching by hand."""

from __future__ import annotations

import math
from collections import deque
from random import Random

import pytest

from interlingua.served.text.batches import CallLimits, cut_batch, finish_times, plan_calls
from interlingua.served.text.call_cost import measured_cost
from interlingua_loadtest.capacity.simulate.batching import take
from interlingua_loadtest.capacity.simulate.cores import Cores, Slowdown


def test_a_batch_takes_whole_requests_in_order_while_they_fit() -> None:
    texts = [3, 4, 2, 1]
    waiting = deque([0, 1, 2, 3])
    # 3 + 4 = 7, then 2 more would be 9: it stops there although the 1 after it would fit.
    assert take(waiting, texts, max_batch=8) == [0, 1]
    assert take(waiting, texts, max_batch=8) == [2, 3]
    assert not waiting


def test_the_cut_comes_longest_first() -> None:
    # Together 3 x 100 + 10 = 310; the short ones apart (2 x 12 + 10) + (100 + 10) = 144.
    pieces = cut_batch([12, 100, 10], alone=False, overhead=10, limits=CallLimits(1024, 64, 2))
    assert pieces == [[1], [2, 0]]


@pytest.mark.parametrize(("alone", "sizes"), [(False, [4]), (True, [2, 2])])
def test_a_lone_request_is_spread_over_the_lanes(alone: bool, sizes: list[int]) -> None:
    # Alone: the budget is 40 tokens / 2 lanes = 20, two texts of 10.
    pieces = cut_batch([10] * 4, alone=alone, overhead=15, limits=CallLimits(64, 64, 2))
    assert [len(piece) for piece in pieces] == sizes


def test_the_cost_that_a_service_measures() -> None:
    cost = measured_cost(lambda tokens: 0.002 + 1e-4 * tokens, max_tokens=512)
    assert (cost.call_s, cost.token_s) == (pytest.approx(0.002), pytest.approx(1e-4))
    # Texts are cut at 96 tokens: it times 8, 64 and 96, which a bent line would show.
    bent = measured_cost(lambda tokens: min(tokens, 96) * 1e-4, max_tokens=96)
    assert (bent.call_s, bent.token_s) == (pytest.approx(0, abs=1e-12), pytest.approx(1e-4))


@pytest.mark.parametrize("seed", range(20))
def test_no_more_are_given_up_than_have_to_be(seed: int) -> None:
    """64 requests, half of which are too late under load: the rest is in time, and with one more it would not be."""
    random = Random(seed)
    cost, limits = measured_cost(lambda tokens: 0.002 + 1e-4 * tokens, max_tokens=512), CallLimits(256, 64, 2)
    lengths = [random.randint(4, 60) for _ in range(64)]
    deadlines = [random.uniform(0.0, 0.3) for _ in lengths]
    left: list[int] = []

    def end(calls: list[list[int]]) -> float:
        seconds = [cost.seconds(len(call) * max(lengths[row] for row in call)) for call in calls]
        return max(finish_times(seconds, limits.lanes), default=0.0)

    calls = plan_calls(
        lengths, range(64), deadlines.__getitem__, left.append, cost=cost, limits=limits, clock=lambda: 0.0
    )
    kept = sorted(row for call in calls for row in call)
    assert sorted([*kept, *left]) == list(range(64))
    assert left == sorted(range(64), key=deadlines.__getitem__)[: len(left)]
    assert end(calls) <= min(deadlines[row] for row in kept)
    one_more = sorted([*kept, left[-1]])
    pieces = cut_batch([lengths[row] for row in one_more], alone=False, overhead=cost.overhead_tokens, limits=limits)
    assert end([[one_more[place] for place in piece] for piece in pieces]) > deadlines[left[-1]]


@pytest.mark.parametrize(
    ("deadlines", "calls", "given_up"),
    [
        ({"a": math.inf, "b": math.inf}, [[0, 1, 2]], ""),
        ({"a": 2.5, "b": 4.0}, [[2]], "a"),  # late by 1.5 s; b is in time even then, and ends at 2 s alone
        ({"a": 2.5, "b": 1.5}, [], "ba"),  # late by 2.5 s; without b the two of a end at 3 s, which is too late, too
        ({"a": 3.5, "b": 1.5}, [[0, 1]], "b"),
    ],
)
def test_who_would_be_late_is_given_up_one_by_one(
    deadlines: dict[str, float], calls: list[list[int]], given_up: str
) -> None:
    """One lane, three texts of 10 tokens: a call is worth 10 tokens, so together, in 1 + 3 x 10 x 0.1 = 4 s."""
    cost, left = measured_cost(lambda tokens: 1.0 + 0.1 * tokens, max_tokens=512), []
    planned = plan_calls(
        [10] * 3,
        ["a", "a", "b"],
        deadlines.__getitem__,
        left.append,
        cost=cost,
        limits=CallLimits(1024, 64, 1),
        clock=lambda: 0.0,
    )
    assert (planned, "".join(left)) == (calls, given_up)


def test_two_pieces_of_work_on_one_core_share_it() -> None:
    # 1 s of work from 0, 1 s from 0.5: the first has half left then, at half speed until 1.5; the other ends at 2.
    cores = Cores(Slowdown(1), most_threads=2)
    ends: dict[str, float] = {}

    def done(now: float, name: str) -> None:
        ends[name] = now

    cores.start(0.0, 1.0, 1, done, "first")
    assert cores.due == pytest.approx(1.0)
    cores.start(0.5, 1.0, 1, done, "second")
    while cores.due < math.inf:
        now = cores.due
        how, what = cores.finish()
        how(now, what)
    assert ends == {"first": pytest.approx(1.5), "second": pytest.approx(2.0)}
    assert cores.busy_s == pytest.approx(2.0)


def test_slowdown_between_and_beyond_what_was_measured() -> None:
    measured = Slowdown(4, [(1, 1.0), (2, 1.2), (4, 1.6)])
    assert [measured.factor(threads) for threads in (1, 2, 3, 4, 8)] == pytest.approx([1.0, 1.2, 1.4, 1.6, 3.2])
    # Measured up to two threads of four cores: nothing is known to get worse before the cores are full.
    assert [Slowdown(4, [(1, 1.0), (2, 1.2)]).factor(threads) for threads in (4, 8)] == pytest.approx([1.2, 2.4])
    assert [Slowdown(2).factor(threads) for threads in (1, 2, 3, 4)] == pytest.approx([1, 1, 1.5, 2])
