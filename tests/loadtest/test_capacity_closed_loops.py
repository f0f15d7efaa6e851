"""Closed loops in simulated time, by hand, and the slowdown of busy cores that is read off them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.measure.busy_cores import busy_factor
from interlingua_loadtest.capacity.simulate.cores import Slowdown
from interlingua_loadtest.capacity.simulate.simulator import closed_loop_rate, simulate
from interlingua_loadtest.capacity.simulate.workload import Workload
from tests.loadtest.capacity_layouts import queue, whole_server


def tens(count: int) -> Workload:
    """Queries of 10 tokens each."""
    return Workload.of(np.arange(count, dtype=np.float64), [[10]] * count)


def test_one_caller_waits_for_work_and_way() -> None:
    """10 tokens take 10 us x 10 = 0.1 ms on `queue`; with 0.9 ms of way there and back it is 1,000 a second."""
    layout = replace(queue(1), transport_s=9e-4)
    assert closed_loop_rate(tens(5), layout, 1, 2.0) == pytest.approx(1000, rel=0.01)
    assert closed_loop_rate(tens(5), layout, 2, 2.0) < 2000


def test_callers_beyond_the_servers_gain_nothing() -> None:
    """Without a way, one server of 0.1 ms answers 10,000 a second, however many ask."""
    for callers in (1, 4):
        assert closed_loop_rate(tens(5), queue(1), callers, 1.0) == pytest.approx(10_000, rel=0.01)


def test_what_arrives_costs_a_core_before_it_waits() -> None:
    """A lone query takes 3 ms longer; at 500 a second on two cores the door is the limit: 2 / 3 ms = 667."""
    layout = whole_server()
    slow = replace(layout.services["embed_query"], arrival_s=3e-3)
    door = replace(layout, services={**layout.services, "embed_query": slow})
    lone = [simulate(tens(1), one).latency[0] for one in (layout, door)]
    assert lone[1] - lone[0] == pytest.approx(3e-3)
    assert closed_loop_rate(tens(5), door, 64, 5.0) < 2 / 3e-3


def test_the_factor_that_made_a_rate_is_found() -> None:
    layout = whole_server()
    for factor in (1.0, 1.5):
        slower = replace(layout, slowdown=((1, 1.0), (layout.cores, factor)))
        rate = closed_loop_rate(tens(100), slower, 8, 10.0)
        assert busy_factor(layout, tens(100), 8, rate) == pytest.approx(factor, abs=0.02)


def test_a_server_that_is_faster_than_its_parts_is_not_slowed_down() -> None:
    assert busy_factor(whole_server(), tens(100), 8, 1e9) == pytest.approx(1.0)


def test_sharing_gains_nothing() -> None:
    """Two calls at once that were measured as faster than one are taken as equally fast; a third has to share."""
    shared = Slowdown(2, [(1, 1.0), (2, 0.9)])
    assert [shared.factor(threads) for threads in (1, 2, 3)] == pytest.approx([1, 1, 1.5])


def test_searches_are_not_looped() -> None:
    with pytest.raises(InputError, match="closed loop of searches"):
        closed_loop_rate(Workload.of([0.0], [[9, 20]], "search"), whole_server(), 1, 1.0)
