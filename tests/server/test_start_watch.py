"""A start that gets on is told from one that never will: processes are stopped, asleep, or at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from interlingua.served.watch.progress import GroupRest
from interlingua.served.watch.restarts import TritonProcessError
from interlingua.served.watch.start_watch import StartWatch, tried_twice
from interlingua.served.watch.stat import STOPPED, process_stat
from interlingua.served.watch.stubs import Stub

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
print(child.pid, flush=True)
time.sleep(600)
"""
SLEEP, SPIN = "import time; time.sleep(600)", "while True: pass"


@contextmanager
def group(child: str) -> Iterator[tuple[int, int]]:
    """A process in a group of its own, which sleeps, and its child: both processes."""
    command = [sys.executable, "-c", PARENT, child]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def looked(watch: StartWatch, stubs: list[Stub]) -> str:
    while not (why := watch.look(stubs)):
        time.sleep(0.05)
    return why


def test_a_stopped_process_of_a_model_ends_the_start_and_is_named() -> None:
    with group(SPIN) as (parent, child):
        stub = Stub(child, "embed_query", "embed_query_0_0", "", parent)
        for stubs, name in (([stub], "embed_query_0_0"), ([], f"its process {child}")):
            os.kill(child, signal.SIGSTOP)
            why = looked(StartWatch(parent, 600, stopped_s=1), stubs)
            assert why.startswith(f"{name} was stopped (SIGSTOP) for ")


def test_a_stopped_server_is_continued() -> None:
    with group(SPIN) as (parent, _):
        os.kill(parent, signal.SIGSTOP)
        watch = StartWatch(parent, 600, stopped_s=1)
        while not (found := process_stat(parent)) or found.state != STOPPED:
            time.sleep(0.01)
        while (found := process_stat(parent)) and found.state == STOPPED:
            assert watch.look([]) == ""
            time.sleep(0.05)
        assert found


def test_a_group_asleep_is_given_up_and_one_at_work_is_not() -> None:
    with group(SLEEP) as (asleep, _), group(SPIN) as (busy, child):
        sleeping, spinning = StartWatch(asleep, 12), StartWatch(busy, 12)
        while not (why := sleeping.look([])):
            assert spinning.look([]) == ""
            time.sleep(0.05)
        assert why == "none of its processes ran, or waited for a processor or a disk, for 2 s"
        assert spinning.look([]) == ""
        os.kill(child, signal.SIGSTOP)
        assert looked(StartWatch(busy, 12, stopped_s=600), []) == why


def test_what_waits_for_a_processor_is_at_work_however_little_it_gets() -> None:
    """All on one processor, where others come first: it uses next to no CPU time, and never rests."""
    (one,) = sorted(os.sched_getaffinity(0))[:1]
    with group(SPIN) as (starved, child), group(SPIN) as (_, first), group(SPIN) as (_, second):
        for pid in (child, first, second):
            os.sched_setaffinity(pid, {one})
        os.setpriority(os.PRIO_PROCESS, child, 19)
        rest = GroupRest(starved)
        looks = 0
        while looks < 100:
            assert rest.rested_s() <= 1
            looks += 1
            time.sleep(0.05)


def test_a_start_is_tried_once_more_unless_it_was_refused() -> None:
    said, faults = list[str](), [TritonProcessError("it was aborted", again=True)]

    def start() -> None:
        if faults:
            raise faults.pop()

    tried_twice(start, said.append)
    assert said == ["it was aborted; starting it once more"]
    for several in ([TritonProcessError("no")], [TritonProcessError("twice", again=True)] * 2):
        faults.extend(several)
        with pytest.raises(TritonProcessError):
            tried_twice(start, said.append)
        assert not faults
    assert len(said) == 2
