"""What processes tell each other through the mapped file: real processes, one of them killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interlingua.served.text.call_cost import CallCost
from interlingua.served.text.precedence import PRESENT_S, RECENT_S, TrafficView
from interlingua.served.text.traffic import ServerTraffic, join

WORK = """
import sys
from pathlib import Path
from interlingua.served.text.call_cost import CallCost
from interlingua.served.text.traffic import ServerTraffic
traffic = ServerTraffic(Path(sys.argv[1]), sys.argv[2])
traffic.share_cost(CallCost(0.5, 0.25))
with getattr(traffic, sys.argv[3])():
    print("works", flush=True)
    sys.stdin.readline()
print("rests", flush=True)
sys.stdin.readline()
"""


class Worker:
    """A process that computes until it is told to rest."""

    def __init__(self, path: Path, network: str, kind: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORK, path, network, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._hear("works")

    def _hear(self, line: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{line}\n"

    def rest(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self._hear("rests")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def working(path: Path, network: str, kind: str) -> Iterator[Worker]:
    worker = Worker(path, network, kind)
    try:
        yield worker
    finally:
        worker.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traffic"


class Clock:
    """The machine's, moved forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mine(path: Path, clock: Clock) -> Iterator[ServerTraffic]:
    traffic = ServerTraffic(path, "embedder", clock=clock)
    yield traffic
    traffic.close()


def test_nobody_has_come(mine: ServerTraffic) -> None:
    with mine.bulk():
        assert mine.view() == TrafficView(recent=False, present=False, workers=1, rank=0, without=1)
        mine.count_calls(2)
        assert mine.view()[-2:] == (2, 0)


def test_a_query_is_present_then_recent_then_forgotten(mine: ServerTraffic, path: Path, clock: Clock) -> None:
    with working(path, "embedder", "interactive") as query:
        assert mine.view()[:2] == (True, True)
        query.rest()
        assert mine.view()[:2] == (True, False)
        clock.ahead = RECENT_S + 1
        assert mine.view()[:2] == (False, False)


def test_a_killed_process_does_not_wait_for_ever(mine: ServerTraffic, path: Path, clock: Clock) -> None:
    with working(path, "embedder", "interactive") as query:
        query.kill()
        assert mine.view().present
        clock.ahead = PRESENT_S + 1
        assert mine.view()[:2] == (True, False)
        clock.ahead = RECENT_S + 1
        assert mine.view()[:2] == (False, False)


def test_the_place_of_a_killed_process_is_free_again(mine: ServerTraffic, path: Path) -> None:
    with working(path, "embedder", "interactive") as first, working(path, "embedder", "bulk"):
        first.kill()
        with working(path, "embedder", "bulk"), mine.bulk():
            assert mine.view().workers == 3


def test_bulk_batches_are_counted_by_network_each_at_its_rank(path: Path) -> None:
    with working(path, "reranker", "bulk"), working(path, "embedder", "bulk"):
        now = 2.0 * int(time.monotonic() / 2) + 2  # an even second: ranks are places
        third = ServerTraffic(path, "embedder", clock=lambda: now)
        try:
            with third.bulk():
                assert third.view() == TrafficView(recent=False, present=False, workers=2, rank=1, without=2)
                now += 1
                assert third.view().rank == 0
        finally:
            third.close()


@pytest.mark.parametrize(
    ("network", "version", "told"),
    [("embedder", 1, CallCost(0.5, 0.25)), ("embedder", 2, None), ("reranker", 1, None)],
    ids=["the network", "another version", "another network"],
)
def test_what_a_call_costs_is_told_to_the_services_of_a_network(
    path: Path, network: str, version: int, told: CallCost | None
) -> None:
    with working(path, "embedder", "bulk"):
        traffic = ServerTraffic(path, network, version)
        try:
            assert traffic.shared_cost() == told
        finally:
            traffic.close()


def test_times_of_before_the_machine_started_again_are_none(mine: ServerTraffic, path: Path, clock: Clock) -> None:
    with working(path, "embedder", "interactive") as query:
        clock.ahead = -1e6
        assert mine.view()[:2] == (False, False)
        query.rest()


def test_without_a_file_a_process_is_by_itself_and_says_so(tmp_path: Path) -> None:
    warnings: list[str] = []
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / f"interlingua-traffic-{os.getppid()}").mkdir()
    alone = join(tmp_path / "folder", "embedder", 1, warnings.append)
    assert "cannot know of queries" in warnings[0]
    with alone.interactive():
        assert alone.view().present
