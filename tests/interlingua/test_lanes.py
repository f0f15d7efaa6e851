"""A bulk batch's calls beside a query in another process; the network is a function that counts."""

from __future__ import annotations

import threading
from itertools import chain
from pathlib import Path

import pytest

from interlingua.served.text.batches import CallLimits
from interlingua.served.text.call_cost import CallCost
from interlingua.served.text.lanes import Lanes
from interlingua.served.text.traffic import ServerTraffic
from tests.interlingua.test_traffic import working

COST = CallCost(0.001, 0.001)  # 14 tokens a call while a query may come
PIECES, LENGTHS = [[0, 1, 2, 3], [4, 5, 6, 7]], [7] * 8


class Network:
    """Counts calls, and how many are under way at once; the first ones wait for each other."""

    def __init__(self, together: int = 1) -> None:
        self._start = threading.Barrier(together)
        self._together = together
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0
        self.calls: list[list[int]] = []

    def __call__(self, piece: list[int]) -> list[int]:
        with self._lock:
            self.calls.append(piece)
            self._now += 1
            self.most = max(self.most, self._now)
            early = len(self.calls) <= self._together
        if early:
            self._start.wait(10)
        with self._lock:
            self._now -= 1
        return piece


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traffic"


@pytest.fixture
def lanes(path: Path) -> Lanes:
    return Lanes("embed_document", CallLimits(64, 64, 2), ServerTraffic(path, "embedder"))


def test_alone_the_planned_calls_go_on_all_lanes(lanes: Lanes) -> None:
    network = Network(together=2)  # breaks unless two are under way at once
    assert sorted(lanes.run(PIECES, LENGTHS, COST, network)) == PIECES
    lanes.close()


def test_beside_a_query_small_calls_go_one_at_a_time(lanes: Lanes, path: Path) -> None:
    network = Network()
    with working(path, "embedder", "interactive"):
        done = lanes.run(PIECES, LENGTHS, COST, network)
    assert [len(piece) for piece in done] == [2] * 4
    assert sorted(chain(*done)) == list(range(8))
    assert network.most == 1
    lanes.close()


def test_with_a_spare_place_the_planned_calls_go_on_beside_a_query(path: Path) -> None:
    lanes = Lanes("embed_document", CallLimits(64, 64, 2, spare=1), ServerTraffic(path, "embedder"))
    with working(path, "embedder", "interactive"):
        assert sorted(lanes.run(PIECES, LENGTHS, COST, Network(together=2))) == PIECES
    lanes.close()


def test_after_a_query_calls_stay_small_on_all_lanes(lanes: Lanes, path: Path) -> None:
    network = Network(together=2)
    with working(path, "embedder", "interactive") as query:
        query.rest()
        assert [len(piece) for piece in lanes.run(PIECES, LENGTHS, COST, network)] == [2] * 4
    lanes.close()


def test_bulk_is_done_although_a_query_never_ends(lanes: Lanes, path: Path) -> None:
    """Another bulk process has the one place that is left, and does not use it."""
    with working(path, "embedder", "bulk"), working(path, "embedder", "interactive"):
        assert sorted(chain(*lanes.run(PIECES, LENGTHS, COST, Network()))) == list(range(8))
    lanes.close()


def test_a_call_that_fails_fails_the_batch_and_no_later_one(lanes: Lanes) -> None:
    def broken(piece: list[int]) -> list[int]:
        raise ValueError(f"no {piece[0]}")

    with pytest.raises(ValueError, match="no"):
        lanes.run(PIECES, LENGTHS, COST, broken)
    assert sorted(lanes.run(PIECES, LENGTHS, COST, Network())) == PIECES
    lanes.close()


def test_interactive_calls_come_back_in_order(path: Path) -> None:
    lanes = Lanes("embed_query", CallLimits(64, 64, 2), ServerTraffic(path, "embedder"))
    assert lanes.run(PIECES, LENGTHS, COST, Network(together=2)) == PIECES
    assert lanes.run([[0]], [7], COST, Network()) == [[0]]
    assert lanes.run([], [], COST, Network()) == []
    lanes.close()
