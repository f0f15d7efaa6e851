"""What bulk work may do while somebody waits, by hand."""

from __future__ import annotations

import pytest

from interlingua.served.text.batches import CallLimits
from interlingua.served.text.call_cost import CallCost
from interlingua.served.text.precedence import CALL_S, PAUSE_S, TrafficView, is_bulk, may_start, next_call

QUIET = TrafficView(recent=False, present=False, workers=2, rank=1)
FIRST = TrafficView(recent=True, present=False, workers=2, rank=0)


@pytest.mark.parametrize(
    ("service", "texts", "has_deadline", "bulk"),
    [
        ("embed_document", 1, True, True),
        ("embed_query", 64, False, False),
        ("rerank", 50, False, False),  # a search's candidates
        ("rerank", 57, False, True),
        ("rerank", 64, True, False),
    ],
)
def test_what_is_bulk(service: str, texts: int, has_deadline: bool, bulk: bool) -> None:
    assert is_bulk(service, texts, 64, has_deadline=has_deadline) is bulk


@pytest.mark.parametrize(("texts", "bulk"), [(4, False), (5, True)])
def test_where_batches_are_no_larger_than_a_request_half_of_one_is_many(texts: int, bulk: bool) -> None:
    assert is_bulk("rerank", texts, 8, has_deadline=False) is bulk


def test_calls_go_as_they_were_planned_while_no_query_may_come() -> None:
    waiting = [[3, 2], [1, 0]]
    cost = CallCost(0.001, 0.001)
    assert next_call(waiting, [5, 6, 7, 8], QUIET, cost=cost, limits=CallLimits(), under_way=1) == [3, 2]
    assert next_call(waiting, [5, 6, 7, 8], FIRST, cost=None, limits=CallLimits(), under_way=0) == [1, 0]
    assert waiting == []


@pytest.mark.parametrize(
    ("view", "under_way", "calls"),
    [
        # (15 - 1) ms / 1 ms a token: 14 tokens a call. Two texts of 7 fit, the one of 20 is a call of its own.
        (FIRST, 0, [{2}, {0, 1}, {3, 4}, {5}]),
        (FIRST, 1, [{5}, {3, 4}, {0, 1}, {2}]),
        (FIRST._replace(rank=1), 0, [{5}, {3, 4}, {0, 1}, {2}]),
    ],
    ids=["longest first", "another one is under way", "another batch is at work"],
)
def test_a_call_is_cut_small_while_a_query_may_come(view: TrafficView, under_way: int, calls: list[set[int]]) -> None:
    lengths, waiting, taken = [7, 7, 20, 6, 6, 1], [[2, 0, 1, 3, 4, 5]], []
    cost = CallCost(CALL_S / 15, CALL_S / 15)
    while waiting:
        taken.append(set(next_call(waiting, lengths, view, cost=cost, limits=CallLimits(), under_way=under_way)))
    assert taken == calls


def test_a_call_stays_six_times_as_long_as_its_fixed_part() -> None:
    # 6 x 10 ms, 10 of them fixed: 50 tokens of 1 ms.
    waiting, cost = [list(range(10))], CallCost(0.01, 0.001)
    assert len(next_call(waiting, [10] * 10, FIRST, cost=cost, limits=CallLimits(), under_way=0)) == 5


def test_bulk_batches_change_places_every_second() -> None:
    places = [
        [TrafficView.at(now, recent=True, present=True, workers=2, place=place).rank for place in (0, 1)]
        for now in (7.1, 7.9, 8.2)
    ]
    assert places == [[1, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("view", "under_way", "may"),
    [
        (QUIET, 1, True),
        (QUIET, 2, False),
        # Two batches share the two places: one call each.
        (QUIET._replace(recent=True), 0, True),
        (QUIET._replace(recent=True), 1, False),
        # One place is the query's: the first batch has the other.
        (TrafficView(recent=True, present=True, workers=2, rank=0), 0, True),
        (TrafficView(recent=True, present=True, workers=2, rank=1), 0, False),
        (TrafficView(recent=True, present=True, workers=1, rank=0), 1, False),
    ],
)
def test_how_many_calls_a_bulk_batch_has_under_way_of_two_places(view: TrafficView, under_way: int, may: bool) -> None:
    assert may_start(view, CallLimits(lanes=2), under_way=under_way, idle_s=0.0) is may


def test_a_batch_that_had_no_call_for_long_makes_one_whoever_waits() -> None:
    view = TrafficView(recent=True, present=True, workers=1, rank=0)
    assert not may_start(view, CallLimits(lanes=1), under_way=0, idle_s=PAUSE_S / 2)
    assert may_start(view, CallLimits(lanes=1), under_way=0, idle_s=PAUSE_S)
    assert not may_start(view, CallLimits(lanes=1), under_way=1, idle_s=PAUSE_S)


@pytest.mark.parametrize(("calls", "may"), [(0, True), (1, True), (2, False)])
def test_with_a_spare_place_all_bulk_batches_together_leave_it_free_and_hold_back_for_nobody(
    calls: int, may: bool
) -> None:
    limits, cost = CallLimits(lanes=2, spare=1), CallCost(0.001, 0.0001)
    for recent, present in ((False, False), (True, False), (True, True)):
        view = TrafficView(recent=recent, present=present, workers=2, rank=1, calls=calls)
        assert may_start(view, limits, under_way=0, idle_s=10.0) is may
        assert next_call([[0, 1, 2]], [500] * 3, view, cost=cost, limits=limits, under_way=0) == [0, 1, 2]


def test_with_a_spare_place_a_batch_without_a_call_is_first() -> None:
    view = TrafficView(recent=False, present=False, workers=2, rank=0, calls=1, without=1)
    limits = CallLimits(lanes=2, spare=1)
    assert not may_start(view, limits, under_way=1, idle_s=0.0)
    assert may_start(view, limits, under_way=0, idle_s=0.0)
    assert may_start(view._replace(without=0), limits, under_way=1, idle_s=0.0)
