"""The measuring instrument, measured: the real generator against a server that computes nothing and stalls on demand.

Locust and gevent live in processes of their own; this one must never import them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.base.paths import PROJECT_ROOT
from interlingua_loadtest.record.percentiles import LatencyHistogram
from interlingua_loadtest.record.request_columns import Requests
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.run.drive import RunResult, drive
from interlingua_loadtest.run.target import Target
from interlingua_loadtest.traffic.run_settings import RunSettings

pytestmark = pytest.mark.load

# A run begins with 64 texts in 8 requests that wake the server up: arrival n is the server's inference n + 8.
WAKING = 8


@contextmanager
def stub(*arguments: str) -> Iterator[tuple[Target, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.loadtest.stub_triton", *arguments]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready, port = process.stdout.readline().rsplit(" ", 1)
            assert ready == "ready on"
            yield Target(f"127.0.0.1:{int(port)}", None, process.pid, None), process
        finally:
            process.kill()


def run(
    settings: RunSettings, out: Path, *arguments: str, workers: int = 1, slo: str = "p99=300ms"
) -> tuple[RunResult, Requests]:
    with stub(*arguments) as (target, _):
        result = drive(settings, target, out, workers=workers, slo=Slo.parse(slo))
    return result, RunFolder(out).requests()


def at_constant(rate: float, seconds: float, **others: float) -> RunSettings:
    return RunSettings(rate=rate, schedule="constant", seconds=seconds, **others)  # type: ignore[arg-type]


def test_a_stall_is_charged_to_all_who_came_meanwhile(tmp_path: Path) -> None:
    """20 a second, the one due at 2 s stalls the server for 1 s: those due k x 50 ms later wait for 1 - k x 0.05 s.

    A machine that is busy with something else can only lengthen a wait.
    """
    stall = ("--stall-at", str(40 + WAKING), "--stall-s", "1")
    _, requests = run(at_constant(20, 5), tmp_path / "run", *stall)
    assert requests.scheduled_s == pytest.approx(np.arange(100) / 20)
    assert set(requests.status) == {"ok"}
    # A machine that stalls by itself may send several at once then, and the last of them first.
    waits = requests.latency_s[40:60]
    assert (waits > 0.9 - np.arange(20) / 20).sum() >= 15
    assert np.median(np.delete(requests.latency_s, range(40, 60))) < 0.2
    assert RunFolder(tmp_path / "run").histograms()["run"].percentile(99) > 0.8
    # They were sent at their moments: whoever waits for the answers before sends half of these 0.5 s late.
    assert np.median(requests.lag_s[40:60]) < 0.2


def test_a_closed_loop_hides_the_same_stall(tmp_path: Path) -> None:
    """One user, 10 ms a request: thirty requests before and many after, and one alone that waited."""
    stall = ("--work-ms", "10", "--stall-at", str(30 + WAKING), "--stall-s", "1.5")
    result, requests = run(RunSettings(concurrency=1, seconds=4), tmp_path / "run", *stall)
    assert len(requests) > 50
    assert np.flatnonzero(requests.latency_s > 1.3).tolist() == [30]
    assert result.mode == "closed"
    assert np.quantile(requests.latency_s, 0.9) < 0.5
    assert (requests.lag_s == 0).all()


def test_what_could_not_be_sent_is_counted(tmp_path: Path) -> None:
    """Four greenlets at most, and the first request stalls the server beyond the end: of 40, four were sent."""
    settings = at_constant(20, 2, in_flight=4, grace_s=0.5)
    result, requests = run(settings, tmp_path / "run", "--stall-at", str(WAKING), "--stall-s", "5")
    assert requests.number.tolist() == list(range(40))
    assert requests.status.tolist() == ["error"] * 4 + ["unsent"] * 36
    assert requests.detail.tolist() == ["unanswered"] * 4 + [""] * 36
    assert np.isnan(requests.sent_s[4:]).all()
    assert np.isnan(requests.finished_s).all()
    assert result.validity.is_void
    assert any("36 of 40 requests were never sent" in reason for reason in result.validity.reasons)


def test_late_rather_than_never(tmp_path: Path) -> None:
    """Four greenlets, and a second's stall: who found none spare was sent late, and the lateness is in the latency."""
    settings = at_constant(20, 4, in_flight=4)
    _, requests = run(settings, tmp_path / "run", "--stall-at", str(20 + WAKING), "--stall-s", "1")
    assert set(requests.status) == {"ok"}
    assert len(requests) == 80
    # 20 to 23 are under way until the stall ends, at 2 s or later; 24, due at 1.2 s, is sent then.
    stalled = requests.finished_s[20:24].min()
    assert requests.sent_s[20:24].max() < stalled <= requests.sent_s[24]
    assert requests.lag_s[24] > 0.7
    assert requests.latency_s[24] >= requests.lag_s[24]


def test_refusals_are_misses_and_no_latencies(tmp_path: Path) -> None:
    """The server refuses from the 50th on: half of 100, one after the other but for some that change places."""
    settings = at_constant(25, 4)
    result, requests = run(settings, tmp_path / "run", "--refuse-from", str(50 + WAKING), slo="p99=30s")
    assert Counter(requests.status) == {"ok": 50, "rejected": 50}
    assert set(requests.status[:25]) == {"ok"}
    assert set(requests.status[75:]) == {"rejected"}
    assert set(requests.detail[requests.status == "rejected"]) == {"queue full"}
    share = (requests.answered & (requests.scheduled_s >= result.validity.warm_up_s)).sum() / result.summary.scheduled
    assert result.summary.goodput is not None
    assert result.summary.goodput.share == pytest.approx(share)
    assert not result.summary.goodput.is_met
    assert result.summary.statuses["rejected"] >= 50 * (share < 1)


def test_two_workers_are_one_run(tmp_path: Path) -> None:
    result, requests = run(at_constant(100, 4), tmp_path / "run", workers=2)
    assert requests.number.tolist() == list(range(400))
    assert requests.worker.tolist() == [0, 1] * 200
    histograms = RunFolder(tmp_path / "run").histograms()
    parts = [histograms["worker-0"], histograms["worker-1"]]
    assert [part.count for part in parts] == [200, 200]
    whole = LatencyHistogram.of(np.maximum(requests.latency_s, 0.0)).counts
    assert histograms["run"].counts == whole
    assert {value: sum(part.counts.get(value, 0) for part in parts) for value in whole} == whole
    assert sum(counts.requests for counts in result.triton) == 400
    names = {name.partition(":")[0] for name in RunFolder(tmp_path / "run").processes().name}
    assert names == {"server", "generator-master", "generator-0", "generator-1"}


def test_offline_is_all_at_once(tmp_path: Path) -> None:
    """200 requests of 5 ms each, one at a time: the last one is answered after a second, later on a busy machine."""
    result, requests = run(RunSettings(offline=200), tmp_path / "run", "--work-ms", "5")
    assert (requests.scheduled_s == 0).all()
    assert set(requests.status) == {"ok"}
    assert 0.99 < requests.finished_s.max() < 20
    assert result.mode == "offline"


def test_a_server_that_dies_is_away_from_then_on(tmp_path: Path) -> None:
    with stub() as (target, process):

        def kill_when_it_works() -> None:
            while not list((tmp_path / "run" / "requests.parquet").glob("[!.]*.parquet")):
                time.sleep(0.05)
            process.kill()

        killer = threading.Thread(target=kill_when_it_works)
        killer.start()
        result = drive(at_constant(20, 6), target, tmp_path / "run")
        killer.join()
    requests = RunFolder(tmp_path / "run").requests()
    assert len(requests) == 120
    first = int(np.flatnonzero(requests.status != "ok")[0])
    assert 20 < first < 100  # the first part is written after two seconds, the last request due after six
    assert set(requests.status[first + 20 :]) == {"away"}  # what was under way before has other words for it
    assert result.triton == ()
    assert any("does not say what it has counted" in note for note in result.notes)


def test_a_worker_that_dies_makes_the_run_void(tmp_path: Path) -> None:
    with stub() as (target, _):

        def kill_one() -> None:
            while not list((tmp_path / "run" / "requests.parquet").glob("01-*.parquet")):
                time.sleep(0.05)
            children = subprocess.run(
                ["pgrep", "-P", str(os.getpid()), "-f", "locustfile.py.* --worker"],
                capture_output=True,
                text=True,
                check=True,
            )
            os.kill(int(children.stdout.split()[0]), signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        result = drive(at_constant(50, 30), target, tmp_path / "run", workers=2)
        killer.join()
    assert result.validity.is_void
    assert any("died" in reason and "exit code -9" in reason for reason in result.validity.reasons)
    assert result.summary.seconds < 30


def test_a_run_is_written_once(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("mine", encoding="utf-8")
    with stub() as (target, _), pytest.raises(InputError, match="is not empty"):
        drive(at_constant(20, 1), target, tmp_path)


def test_the_process_that_drives_is_not_patched() -> None:
    code = (
        "import sys, interlingua_cli.loadtest, interlingua_loadtest.run.drive, interlingua_loadtest.report.run_result\n"
        "import interlingua_client, interlingua_client.triton.inference\n"
        "print([name for name in ('gevent', 'locust') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
