"""Settings as they travel, and figures by hand: what a run asks, and what it is said to have come to."""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import psutil
import pytest

from interlingua.base.errors import InputError, ServerError
from interlingua_loadtest.record.record import Outcome
from interlingua_loadtest.record.request_columns import Requests
from interlingua_loadtest.record.run_summary import RunSummary, SearchReranking
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.run.process_samples import ProcessSampler, listening_process
from interlingua_loadtest.run.triton_statistics import counters, difference
from interlingua_loadtest.traffic.run_settings import RunSettings

SETTINGS = RunSettings(
    rate=12.5, schedule="bursts", languages="de=3,sw", kinds="rerank=2,search", depth="5,10", index="-odd name"
)


class _LocustLikeParser(argparse.ArgumentParser):
    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        options.pop("include_in_web_ui", None)
        return super().add_argument(*names, **options)


@pytest.mark.parametrize("settings", [RunSettings(), SETTINGS], ids=["defaults", "others"])
def test_settings_survive_a_command_line(settings: RunSettings) -> None:
    parser = _LocustLikeParser()
    RunSettings.add_to(parser)
    assert RunSettings.of_options(parser.parse_args(settings.arguments())) == settings


def test_the_web_page_gives_strings() -> None:
    given = argparse.Namespace(**{name: str(value) for name, value in asdict(SETTINGS).items()})
    assert RunSettings.of_options(given) == SETTINGS
    given.seed = "one"
    with pytest.raises(InputError, match="--seed is 'one', which is no number"):
        RunSettings.of_options(given)


def test_every_mistake_is_named_at_once() -> None:
    settings = RunSettings(rate=3, offline=5, schedule="often", kinds="embed=1", depth="-1", lengths="9-3", seconds=0)
    with pytest.raises(InputError) as error:
        settings.require_sound()
    for part in ("--schedule", "'embed=1'", "--depth", "--lengths", "--seconds", "exclude each other"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({"rate": 1.0}, "open"),
        ({"schedule": "replay", "replay_file": "x"}, "open"),
        ({"concurrency": 2}, "closed"),
        ({"offline": 3}, "offline"),
        ({}, "users"),
    ],
)
def test_the_mode_follows_from_what_is_given(given: dict[str, Any], mode: str) -> None:
    assert replace(RunSettings(), **given).mode == mode


@pytest.mark.parametrize(("text", "percent", "limit_s"), [("p99=300ms", 99, 0.3), ("p99.9=1.5s", 99.9, 1.5)])
def test_objectives(text: str, percent: float, limit_s: float) -> None:
    slo = Slo.parse(text)
    assert (slo.percent, slo.limit_s) == (percent, pytest.approx(limit_s))


@pytest.mark.parametrize("text", ["p99", "99=300ms", "p99=300", "p99=-1ms"])
def test_what_is_no_objective(text: str) -> None:
    with pytest.raises(InputError, match="is no objective such as p99=300ms"):
        Slo.parse(text)


@pytest.mark.parametrize("text", ["p0=1s", "p101=1s", "p99=0ms"])
def test_objectives_out_of_range(text: str) -> None:
    with pytest.raises(InputError, match="it must be above 0"):
        Slo.parse(text)


def test_an_objective_counts_what_was_never_answered() -> None:
    """Of 100 requests 97 take 0.1 s, one takes 0.4 s and two have no answer."""
    latency = np.array([0.1] * 97 + [0.4] + [math.inf] * 2)
    assert Slo(97, 0.3, goodput=0.98).holds(latency)
    assert not Slo(98, 0.3, goodput=0.98).holds(latency)
    assert Slo(98, 0.4, goodput=0.98).holds(latency)
    assert not Slo(97, 0.3, goodput=0.99).holds(latency)


def outcome(number: int, scheduled: float, sent: float, finished: float, status: str) -> Outcome:
    return Outcome(
        number=number,
        kind="embed_query",
        language="de",
        query_kind="plain",
        depth=0,
        scheduled_s=scheduled,
        sent_s=sent,
        finished_s=finished,
        status=status,
    )


def test_the_summary_by_hand() -> None:
    """Ten seconds, the first two of them warm-up; due in the rest: ten, of which six are answered, four in time."""
    rows = [outcome(0, 0.5, 0.5, 9.0, "ok"), outcome(1, 1.0, 1.0, 1.1, "ok")]
    rows += [outcome(2 + n, 2.0 + n, 2.1 + n, 2.2 + n, "ok") for n in range(4)]  # latency 0.2, service 0.1, lag 0.1
    rows += [outcome(6, 6.0, 6.0, 7.0, "degraded"), outcome(7, 9.5, 9.5, 10.5, "ok")]  # too late for 0.5 s
    rows += [outcome(8, 7.0, 7.0, 7.01, "rejected"), outcome(9, 7.1, 7.1, 7.6, "deadline")]
    rows += [outcome(10, 7.2, 7.2, 7.3, "away"), outcome(11, 9.9, math.nan, math.nan, "unsent")]
    summary = RunSummary.of(Requests.of(rows), 2.0, 10.0, Slo.parse("p50=500ms"))
    assert (summary.scheduled, summary.seconds, summary.offered_rate) == (10, 8.0, 1.25)
    counted = {status: count for status, count in summary.statuses.items() if count}
    assert counted == {"ok": 5, "degraded": 1, "rejected": 1, "deadline": 1, "away": 1, "unsent": 1}
    # Answered between 2 s and 10 s: number 0, which was due earlier, the four and the degraded one.
    assert summary.achieved_rate == 6 / 8
    assert summary.latency_s["p50"] == pytest.approx(0.2, rel=2e-3)
    assert summary.service_s["p50"] == pytest.approx(0.1, rel=2e-3)
    assert summary.latency_s["p99"] == pytest.approx(1.0, rel=2e-3)
    assert summary.goodput is not None
    assert (summary.goodput.share, summary.goodput.rate, summary.goodput.is_met) == (0.4, 0.5, False)


def _search(number: int, stored: int, pairs: int, status: str = "ok") -> Outcome:
    return replace(outcome(number, 1.0, 1.0, 1.1, status), kind="search", depth=50, stored=stored, pairs=pairs)


def test_how_searches_were_reranked() -> None:
    """Seven searches, one of them not answered; an embedding is none."""
    asked = [(50, 0), (50, 0), (0, 50), (48, 2), (0, 0), (20, 0)]
    rows = [_search(number, *counts) for number, counts in enumerate(asked)]
    rows += [_search(6, 50, 0, "deadline"), outcome(7, 1.0, 1.0, 1.1, "ok")]
    found = RunSummary.of(Requests.of(rows), 0.0, 2.0, None).reranking
    assert found == SearchReranking(by_stored=3, by_pairs=1, by_both=1, not_reranked=1, stored=168, pairs=52)
    assert str(found) == (
        "searches: 3 by stored token vectors, 1 as pairs, 1 both ways, 1 not reranked "
        "(168 candidates compared by stored token vectors, 52 sent as pairs)"
    )
    assert RunSummary.of(Requests.of(rows[-1:]), 0.0, 2.0, None).reranking is None


def _model(name: str, requests: int, executions: int, queue_ms: int, batches: dict[int, int]) -> dict[str, Any]:
    """As gRPC's JSON has it: 64-bit numbers are strings, zeros are left out."""
    return {
        "name": name,
        "version": "1",
        "inference_count": str(requests),
        "execution_count": str(executions),
        "inference_stats": {
            "success": {"count": str(requests)},
            "queue": {"count": str(requests), "ns": str(queue_ms * 1_000_000)},
        },
        "batch_stats": [
            {"batch_size": str(size), "compute_infer": {"count": str(count)}} for size, count in batches.items()
        ],
    }


def _snapshot(models: list[dict[str, Any]], tokens: int) -> dict[str, Any]:
    page = f'# HELP x y\ninterlingua_tokens_total{{model="a",version="1"}} {tokens}\nnv_cpu_utilization 0.5\n'
    return {"statistics": models, "metrics": page}


def test_counters_are_subtracted() -> None:
    before = _snapshot([_model("a", 10, 8, 30, {1: 6, 2: 2}), {"name": "b", "version": "1"}], 100)
    after = _snapshot([_model("a", 30, 13, 90, {1: 6, 2: 3, 4: 4}), {"name": "b", "version": "1"}], 400)
    (counts,) = difference(before, after)
    assert (counts.model, counts.requests, counts.failures, counts.executions) == ("a", 20, 0, 5)
    assert counts.mean_batch == 4.0
    assert counts.queue_s == pytest.approx(0.06)
    assert counts.batches == {2: 1, 4: 4}
    assert counts.counters == {"interlingua_tokens_total": 300.0}


def test_a_service_tells_itself_what_became_of_its_requests() -> None:
    """Triton counts its error responses as successes: 12 of 20, here, have an answer; one failed with a stub."""
    before, after = _snapshot([_model("a", 10, 8, 30, {})], 0), _snapshot([_model("a", 30, 13, 90, {})], 0)
    after["statistics"][0]["inference_stats"]["fail"] = {"count": "1"}
    for page, answered, shed in ((before, 1, 2), (after, 13, 10)):
        page["metrics"] = "".join(
            f'interlingua_requests_total{{model="a",outcome="{outcome}",version="1"}} {number}\n'
            for outcome, number in (("answered", answered), ("shed", shed))
        )
    (counts,) = difference(before, after)
    assert (counts.requests, counts.failures, counts.timed) == (12, 9, 20)
    assert counts.mean_queue_s == pytest.approx(0.06 / 20)
    assert counts.counters["interlingua_requests_total:shed"] == 8


def test_a_restart_in_between_is_no_difference() -> None:
    busy, fresh = _snapshot([_model("a", 10, 8, 30, {})], 0), _snapshot([_model("a", 3, 3, 3, {})], 0)
    with pytest.raises(ServerError, match="started anew during the run"):
        difference(busy, fresh)


def test_counters_of_a_page() -> None:
    page = 'x_total{model="m",version="2"} 3\nx_total{gpu="1",model="m",version="2"} 4\ny 5\n'
    assert counters(page) == {("x_total", "m", "2"): 7.0}


@contextmanager
def started(code: str) -> Iterator[int]:
    """A process that has begun with its code."""
    command = [sys.executable, "-c", f"print('begun', flush=True); {code}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_a_busy_process_uses_a_core_and_an_idle_one_none() -> None:
    """Others may want the cores, too: it used what the system says, between the samples and around them."""
    with started("exec('while True: pass')") as busy, started("import time; time.sleep(600)") as idle:
        system = psutil.Process(busy)
        before = sum(system.cpu_times()[:2])
        roots = {"busy": lambda: busy, "idle": lambda: idle, "none": lambda: None}
        with ProcessSampler(roots, period_s=0.25) as sampler:
            wait_for_samples(sampler, 2)
            begun = sum(system.cpu_times()[:2])
            wait_for_samples(sampler, 10)
            ended = sum(system.cpu_times()[:2])
            wait_for_samples(sampler, 14)
        after = sum(system.cpu_times()[:2])
    by_name = {name: [s for s in sampler.samples if s.name.startswith(name)] for name in roots}
    assert by_name["none"] == []
    used = {}
    for name in ("busy", "idle"):
        first, *others = by_name[name]
        assert len(others) >= 5
        assert math.isnan(first.cpu_share)
        lengths = np.diff([sample.time_s for sample in by_name[name]])
        used[name] = float(lengths @ [sample.cpu_share for sample in others])
    assert ended - begun - 0.02 <= used["busy"] <= after - before + 0.02  # two ticks
    assert used["idle"] < 0.05
    first = sampler.samples[0]
    assert first.rss_mb > 1
    assert 0 < first.pss_mb <= first.rss_mb


def wait_for_samples(sampler: ProcessSampler, number: int) -> None:
    give_up = time.monotonic() + 60
    while len(sampler.samples) < number and time.monotonic() < give_up:
        time.sleep(0.05)


def test_a_port_that_nobody_listens_on() -> None:
    assert listening_process(1) is None
