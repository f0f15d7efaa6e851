"""Load on a real Triton: what the generator says it asked is what the server counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.paths import PROJECT_ROOT
from interlingua_loadtest.record.request_columns import Requests
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_server.embedded import EmbeddedServer
from tests.support.command_line import interlingua

LOCUST = [sys.executable, "-m", "locust", "-f", str(PROJECT_ROOT / "loadtest" / "locustfile.py"), "--headless"]


def loadtest(server: EmbeddedServer, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return interlingua("loadtest", *_where(server, out), *arguments)


def _where(server: EmbeddedServer, out: Path) -> list[str]:
    metrics = f"http://127.0.0.1:{server.settings.metrics_port}/metrics"
    where = ["--server", server.settings.grpc_address, "--metrics-url", metrics]
    return [*where, "--model-repository", str(server.settings.model_repository), "--out", str(out), "--json"]


def recorded(done: subprocess.CompletedProcess[str], out: Path) -> tuple[dict[str, Any], Requests]:
    assert done.returncode in (0, 1), done.stderr  # 1: the generator was late, which a busy machine makes it
    return json.loads(done.stdout), RunFolder(out).requests()


@pytest.mark.load
def test_what_was_asked_is_what_the_server_counted(server: EmbeddedServer, tmp_path: Path) -> None:
    """Five seconds at a constant 20 a second: 100 requests, one text each."""
    out = tmp_path / "run"
    done = loadtest(server, out, "--rate", "20", "--seconds", "5", "--schedule", "constant", "--slo", "p99=5s")
    result, requests = recorded(done, out)
    assert requests.number.tolist() == list(range(100))
    assert set(requests.status) == {"ok"}
    (counts,) = [row for row in result["triton"] if row["model"] == "embed_query"]
    assert (counts["requests"], counts["failures"], counts["inferences"]) == (100, 0, 100)
    assert counts["counters"]["interlingua_texts_total"] == 100
    assert counts["counters"]["interlingua_tokens_total"] == requests.tokens.sum() > 0
    assert sum(size * count for size, count in ((int(s), c) for s, c in counts["batches"].items())) == 100
    stages = requests.queue_s + requests.tokenize_s + requests.compute_s + requests.network_s
    assert (stages <= requests.service_s + 1e-3).all()
    assert (stages >= 0.5 * requests.service_s).all()
    assert result["summary"]["goodput"]["share"] == 1.0
    names = " ".join(sorted(set(RunFolder(out).processes().name)))
    assert "server:tritonserver" in names
    assert "server:embed_query_0_0" in names
    assert "generator" in names


@pytest.mark.load
def test_an_impossible_deadline(server: EmbeddedServer, tmp_path: Path) -> None:
    """A tenth of a millisecond: every request is late, is counted apart, and is a miss."""
    out = tmp_path / "run"
    arguments = ("--rate", "20", "--seconds", "3", "--schedule", "constant", "--deadline-ms", "0.1")
    result, requests = recorded(loadtest(server, out, *arguments, "--slo", "p50=1s"), out)
    assert len(requests) == 60
    assert set(requests.status) == {"deadline"}
    assert result["summary"]["statuses"]["deadline"] == result["summary"]["scheduled"]
    assert result["summary"]["goodput"]["share"] == 0.0
    assert result["summary"]["latency_s"]["p99"] is None


@pytest.mark.load
def test_every_kind_in_a_closed_loop(server: EmbeddedServer, tmp_path: Path) -> None:
    corpus, out = tmp_path / "corpus.jsonl", tmp_path / "run"
    texts = ["reset the password", "the camera is offline", "das Kennwort zurücksetzen", "Rückerstattung anfordern"]
    rows = [
        {"id": str(number), "language": "en" if number < 2 else "de", "title": "", "text": text}
        for number, text in enumerate(texts)
    ]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    index = str(tmp_path / "index")
    made = interlingua("index", corpus, "--index", index, "--server", server.settings.grpc_address)
    assert made.returncode == 0, made.stderr
    kinds = [part for kind in ("embed_query", "embed_document", "rerank", "search") for part in ("--kind", kind)]
    arguments = ("--users", "3", "--seconds", "4", "--depth", "3", "--language", "de", "--index", index)
    result, requests = recorded(loadtest(server, out, *arguments, *kinds), out)
    assert result["mode"] == "closed"
    assert set(requests.kind) == {"embed_query", "embed_document", "rerank", "search"}
    assert set(requests.status) == {"ok"}
    assert set(requests.language) == {"de"}
    by_kind = {kind: requests.where(requests.kind == kind) for kind in set(requests.kind)}
    assert set(by_kind["rerank"].pairs) == set(by_kind["search"].pairs) == {3}
    assert (by_kind["rerank"].tokens > 3 * by_kind["embed_query"].tokens.min()).all()
    assert (by_kind["embed_document"].tokens > by_kind["embed_query"].tokens.min()).all()
    search = by_kind["search"]
    parts = search.queue_s + search.tokenize_s + search.compute_s + search.network_s
    parts = parts + search.ann_s + search.documents_s + search.language_s + search.rerank_s
    assert (parts <= search.service_s + 1e-3).all()
    assert np.median(parts / search.service_s) > 0.95


@pytest.mark.load
def test_a_stopped_server_shows_in_the_tail(server: EmbeddedServer, tmp_path: Path) -> None:
    """20 a second for 8 s, the server stopped for 2 s meanwhile: 40 of 160 come then, and wait 1 s on average."""
    out = tmp_path / "run"

    def stop_for_two_seconds() -> None:
        while not list((out / "requests.parquet").glob("[!.]*.parquet")):
            time.sleep(0.05)
        os.kill(server.pid, signal.SIGSTOP)
        time.sleep(2.0)
        os.kill(server.pid, signal.SIGCONT)

    stopper = threading.Thread(target=stop_for_two_seconds)
    stopper.start()
    try:
        done = loadtest(server, out, "--rate", "20", "--seconds", "8", "--schedule", "constant")
    finally:
        stopper.join()
    _, requests = recorded(done, out)
    assert set(requests.status) == {"ok"}
    whole = RunFolder(out).histograms()["run"]
    assert whole.count == 160
    # A busy machine can but lengthen the waits; the first 30 were answered before.
    assert whole.percentile(99) > 1.6
    assert int((requests.latency_s > 0.1).sum()) >= 36
    assert np.median(requests.latency_s[:30]) < 1


@pytest.mark.load
def test_ctrl_c_keeps_what_was_measured(server: EmbeddedServer, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "interlingua", "loadtest", *_where(server, out), "--rate", "20", "--seconds", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list((out / "requests.parquet").glob("[!.]*.parquet")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 130, stderr
    result, requests = json.loads(stdout), RunFolder(out).requests()
    assert result["interrupted"]
    assert 20 <= len(requests) < 1000
    assert (requests.status == "ok").sum() >= 20
    # What was not due yet is not unsent: it is not there.
    assert requests.scheduled_s.max() < 50
    assert "interrupted: recording what was measured" in stderr
    assert "Traceback" not in stderr


def test_locust_itself(server: EmbeddedServer) -> None:
    """Its own users, its own options, two workers of its own."""
    command = [*LOCUST, "--host", server.settings.grpc_address, "--users", "4", "--spawn-rate", "4", "--json"]
    command += ["--run-time", "4s", "--depth", "2", "--processes", "2", "EmbedQueryUser", "RerankUser"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    # The workers print their own, empty, statistics before the master's.
    rows = {row["name"]: row for row in json.loads(done.stdout[done.stdout.index("[\n") :])}
    assert set(rows) == {"embed_query", "rerank"}
    assert all(row["num_requests"] > 2 and row["num_failures"] == 0 for row in rows.values())


def test_locust_on_a_schedule(server: EmbeddedServer) -> None:
    """Its statistics have the latency from the scheduled moment, and as many requests as there were due."""
    command = [*LOCUST, "--host", server.settings.grpc_address, "--json"]
    command += ["--rate", "25", "--seconds", "3", "--schedule", "constant"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["num_requests"], row["num_failures"]) == (75, 0)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--rate", "5", "--users", "3"], 2, "name one of --rate"),
        (["--rate", "0"], 2, "not in the range"),
        (["--rate", "5", "--language", "xx"], 3, "has no queries in xx"),
        (["--rate", "5", "--kind", "embed"], 3, "'embed' is no NAME=SHARE"),
        (["--rate", "5", "--kind", "search"], 3, "search needs --index"),
        (["--rate", "5", "--slo", "300ms"], 3, "no objective such as p99=300ms"),
        (["--rate", "5", "--dataset", "nowhere"], 3, "there is no dataset 'nowhere'"),
        (["--rate", "5", "--server", "127.0.0.1:1"], 4, "cannot reach a server"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_run_is_said(
    server: EmbeddedServer, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    done = loadtest(server, tmp_path / "run", *arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.load
def test_latencies_are_those_of_the_histogram(server: EmbeddedServer, tmp_path: Path) -> None:
    """Two workers: their histograms add up to the run's, which has every answered request."""
    out = tmp_path / "run"
    done = loadtest(server, out, "--rate", "20", "--seconds", "3", "--schedule", "constant", "--workers", "2")
    _, requests = recorded(done, out)
    histograms = RunFolder(out).histograms()
    assert histograms["worker-0"].count == histograms["worker-1"].count == 30
    assert histograms["run"].count == len(requests) == 60
    slowest = float(np.nanmax(requests.latency_s))
    assert histograms["run"].percentile(100) == pytest.approx(slowest, rel=1e-3)


@pytest.mark.load
def test_ladder_search_and_report(server: EmbeddedServer, tmp_path: Path) -> None:
    """What `make loadtest` does, in short: two rates, a search that stops after a few runs, one page about all."""
    ladder, search, page = tmp_path / "ladder", tmp_path / "search", tmp_path / "report.html"
    done = loadtest(server, ladder, "--rates", "20,40", "--seconds", "4", "--slo", "p99=2s")
    assert done.returncode in (0, 1), done.stderr
    assert [row["folder"] for row in json.loads(done.stdout)["runs"]] == [
        str(ladder / f"rate-{rate}") for rate in (20, 40)
    ]
    # Lone requests come as far apart as the objective is long, 30 of them: a short one, which most of them hold.
    arguments = ("--slo", "p50=200ms", "--start-rate", "60", "--seconds", "4", "--tries", "1", "--most-runs", "3")
    done = loadtest(server, search, *arguments)
    found = json.loads(done.stdout)
    assert "3 runs were made" in found["stopped"], done.stderr
    assert found.pop("folder") == str(search)
    assert found == json.loads((search / "search.json").read_text())
    assert len(found["tries"]) == 3
    assert found["rate"] in {None, *(made["rate"] for made in found["tries"])}
    done = interlingua("loadreport", ladder, search, "--include-void", "--html", page, "--json")
    report = json.loads(done.stdout)
    assert len(report["runs"]) == 5, done.stderr
    stages = report["runs"][0]["budgets"][0]
    assert stages, report["runs"][0]
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_calibration_of_a_served_repository(tiny_repository: Path, tmp_path: Path) -> None:
    """Short and on a busy machine: what is measured is there, and a plan can be made of it."""
    profile, repository = tmp_path / "profile.json", str(tiny_repository)
    where = ("--model-repository", repository, "--out", str(profile))
    done = interlingua("calibrate", *where, "--seconds", "2", "--server-seconds", "2")
    assert done.returncode == 0, done.stderr
    raw = json.loads(profile.read_text())
    assert set(raw["server"]) == {"embed_query", "rerank"}
    assert all(costs["batch_s"] > 0 and costs["cut_token_s"] > 0 for costs in raw["server"].values())
    assert 1 <= raw["busy"] <= 2
    assert raw["memory_mb"]["tritonserver"] > 10
    # A short objective: a simulated queue has to grow beyond it, with as many requests as tiny networks are fast.
    wish = ("--peak-rate", "5", "--kind", "embed_query=1", "--slo", "p99=50ms", "--requests", "200", "--repeats", "2")
    done = interlingua("plan", *wish, "--profile", str(profile), "--model-repository", repository, "--json")
    assert done.returncode == 0, done.stderr
    (machine,) = json.loads(done.stdout)["hardware"]
    assert machine["replicas"]["count"] >= 2
