"""Faults on real processes: `interlingua serve`, its Triton, its stubs, `interlingua index`; in their short versions.

`python -m interlingua_benchmarks.faults` has the long ones, and what they came to stands in docs/reliability.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlingua_benchmarks.faults import index_faults, process_faults
from interlingua_benchmarks.faults.index_faults import IndexRuns, Whole
from interlingua_benchmarks.faults.served_process import ServedProcess
from interlingua_benchmarks.faults.soak import soak, states
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_loadtest.record.run_folder import RunFolder

MODELS = ["embed_document", "embed_query", "embedder", "rerank", "reranker"]


@pytest.fixture(scope="module")
def served(tiny_repository: Path) -> Iterator[ServedProcess]:
    with ServedProcess(tiny_repository) as process:
        yield process
    sys.stderr.write("\n".join(["", *process.said, ""]))  # shown where a test failed


@pytest.fixture(scope="module")
def runs(served: ServedProcess, tmp_path_factory: pytest.TempPathFactory) -> IndexRuns:
    corpus = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    lines = (HELPDESK12 / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    corpus.write_text("\n".join(lines[::3]) + "\n", encoding="utf-8")
    return IndexRuns(corpus, served.address)


@pytest.fixture(scope="module")
def whole(runs: IndexRuns, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole.of(runs, tmp_path_factory.mktemp("whole") / "index")


def require_right(facts: process_faults.Facts) -> None:
    """Everybody was answered, rightly, and nobody was told of an error."""
    assert facts["wrong"] == []
    assert facts["errors"] == {}
    assert set(facts["answered"]) == {"embed_query", "embed_document", "rerank"}


# -- an index, whose server nothing happens to --------------------------------------------------------------------


def test_killed_index_runs_go_on_where_they_were(runs: IndexRuns, whole: Whole, tmp_path: Path) -> None:
    facts = index_faults.kill_index_runs(runs, whole, tmp_path, 4)
    assert facts["kills"] == 4
    assert facts["differences"] == []


def test_two_indexers_at_once(runs: IndexRuns, whole: Whole, tmp_path: Path) -> None:
    facts = index_faults.two_indexers(runs, whole, tmp_path)
    assert facts["differences"] == []
    for status, said in facts["ended"]:
        assert status == 0 or "is being written by another process" in said


needs_mounts = pytest.mark.skipif(not index_faults.can_mount(), reason="this user may not mount a file system")


@needs_mounts
def test_a_disk_that_is_too_small(runs: IndexRuns, whole: Whole, tmp_path: Path) -> None:
    facts = index_faults.fill_disk(runs, whole, tmp_path, (0.05, 0.6))
    assert facts["statuses"] == [1, 1]
    for said in facts["said"][:2]:
        assert said.startswith("error: cannot use")
        assert "disk is full" in said
    assert facts["differences"] == []


@needs_mounts
def test_a_folder_that_cannot_be_written(runs: IndexRuns, whole: Whole, tmp_path: Path) -> None:
    for index in (whole.index, tmp_path / "new"):
        done = index_faults.on_read_only(index.parent, runs.command(index))
        assert done.returncode == 3
        assert done.stderr == f"error: cannot write the index {index}: Read-only file system\n"
    search = [sys.executable, "-m", "interlingua", "search", "parcel", "--server", runs.address, "--index"]
    found = subprocess.run([*search, str(whole.index)], capture_output=True, text=True, check=True)
    done = index_faults.on_read_only(whole.index, [*search, str(whole.index)])
    assert done.returncode == 0, done.stderr
    assert without_times(done.stdout) == without_times(found.stdout)


def without_times(output: str) -> list[str]:
    return [line for line in output.splitlines() if not line.startswith("ms: ")]


# -- a server, to which something happens -------------------------------------------------------------------------


def test_an_index_run_outlives_its_server(served: ServedProcess, runs: IndexRuns, whole: Whole, tmp_path: Path) -> None:
    served.renew_restarts()
    facts = index_faults.index_while(runs, whole, tmp_path, lambda: served.triton().kill())
    assert facts["status"] == 0, facts
    assert facts["differences"] == []


def test_stubs_are_killed_under_load(served: ServedProcess) -> None:
    facts = process_faults.kill_busy_stubs(served, 3)
    assert list(facts["seconds_until_mended"]) == MODELS
    require_right(facts)


def test_stubs_are_killed_while_nobody_asks(served: ServedProcess) -> None:
    facts = process_faults.kill_idle_stubs(served)
    assert list(facts["seconds_until_mended"]) == MODELS
    require_right(facts)


def test_the_server_is_killed_under_three_clients(served: ServedProcess) -> None:
    require_right(process_faults.kill_server(served, 3, 2))


def test_the_server_is_stopped_and_continued(served: ServedProcess) -> None:
    require_right(process_faults.stop_server(served, 3, 1.5))


def test_nothing_grows_under_mixed_load(served: ServedProcess) -> None:
    """Some seconds: handles and threads; memory takes the half hour of `make soak`."""
    facts = soak(served, ["A text."] * 100, clients=3, minutes=0.1)
    require_right(facts)
    for was, now in zip(facts["before"], facts["after"], strict=True):
        assert now.name == was.name
        assert now.handles <= was.handles + 8
        assert now.threads <= was.threads + 8
    assert len(states(served)) == len(facts["after"])


@pytest.mark.load
def test_a_load_test_goes_on_through_its_servers_death(served: ServedProcess, tmp_path: Path) -> None:
    """And says from when to when what failed: the generator asks each request once, so that it sees all of it."""
    served.renew_restarts()
    out = tmp_path / "run"
    command = [sys.executable, "-m", "interlingua", "loadtest", "--server", served.address, "--out", str(out)]
    command += ["--rate", "20", "--seconds", "15", "--schedule", "constant", "--json"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    parts = out / "requests.parquet"
    served.wait_until(lambda: run.poll() is not None or any(parts.glob("[!.]*.parquet")))
    served.triton().kill()
    output, errors = run.communicate()
    assert run.returncode in (0, 1), errors  # 1: not steady
    result = json.loads(output)
    requests = RunFolder(out).requests()
    assert len(requests) == 300
    assert {"ok", "away"} <= set(requests.status)
    assert set(requests.detail[requests.status == "away"]) == {"no connection"}
    assert any("requests failed (away: no connection" in note for note in result["notes"]), result["notes"]
