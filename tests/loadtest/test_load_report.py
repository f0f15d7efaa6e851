"""The report: figures by hand, void runs left out, bounds for CI, the page, and folders that hold no run."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from interlingua.base.errors import InputError
from interlingua_cli.loadreport import command
from interlingua_loadtest.rate_search.found_rate import FoundRate
from interlingua_loadtest.record.record import Outcome, ProcessSample
from interlingua_loadtest.record.worker_note import WorkerNote
from interlingua_loadtest.report.build import build
from interlingua_loadtest.report.fail_under import parse_all
from interlingua_loadtest.report.load_curve import LoadPoint, find_knee
from interlingua_loadtest.report.page import page
from interlingua_loadtest.report.page_axes import nines
from interlingua_loadtest.report.recorded_run import RecordedRun
from interlingua_loadtest.report.statistics.percentile_interval import percentiles
from tests.loadtest.written_runs import VALID, VOID, outcome, write_run


def _steady(rate: int, latency: float, seconds: int = 10, **others: str) -> list[Outcome]:
    return [outcome(n, n / rate, latency + n * 1e-6, **others) for n in range(rate * seconds)]


def _ladder(folder: Path) -> Path:
    for rate, latency in ((10, 0.1), (20, 0.12), (40, 0.15), (80, 2.0)):
        write_run(folder / f"rate-{rate}", _steady(rate, latency), rate=float(rate))
    return folder


def _invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(part) for part in arguments])


def test_an_interval_by_order_statistics() -> None:
    """Of 1 ... 100 in random order: p50 is the 50th, the standard error 5 ranks: 50 - 9.8 down, 50 + 9.8 up.

    p99: the 99th, and 99 + 1.96 * 0.995 lies beyond the 100th: that end is unknown.
    """
    values = np.random.default_rng(5).permutation(np.arange(1.0, 101.0))
    found = percentiles(values, np.zeros(100, np.int64), (50.0, 99.0))
    assert (found[0].seconds, found[0].low_s, found[0].high_s) == (50, 40, 60)
    assert (found[1].seconds, found[1].low_s) == (99, 97)
    assert math.isnan(found[1].high_s)


def test_requests_that_wait_together_widen_an_interval() -> None:
    """Ten blocks of ten, all ten equal: worth ten requests. Blocks' excesses are five times +5, five times -5.

    Their variance is 250 * 10/9 against the binomial's 25: reach 1.96 sqrt(277.8) = 32.7 ranks.
    """
    values = np.repeat(np.arange(1.0, 11.0), 10)
    (found,) = percentiles(values, np.repeat(np.arange(10), 10), (50.0,))
    assert (found.seconds, found.low_s, found.high_s) == (5, 2, 9)


def test_a_runs_figures(tmp_path: Path) -> None:
    """100 requests of 0.1 s, of which ten are refused, ten too late and ten not wholly reranked."""
    status = ["rejected"] * 10 + ["deadline"] * 10 + ["degraded"] * 10 + ["ok"] * 70
    rows = [outcome(n, n / 10, 0.1, status=status[n], language="de" if n < 50 else "sw") for n in range(100)]
    samples = [
        ProcessSample(time_s=t, pid=7, name="server:x", cpu_share=c, rss_mb=100 + t, pss_mb=50 - t)
        for t, c in ((0, math.nan), (2, 0.5), (4, 1.0))
    ]
    folder = write_run(tmp_path / "run", rows, samples=samples)
    report, _ = build([folder])
    (run,) = report.runs
    assert (run.rejected, run.late, run.degraded, run.answered_share) == (10, 10, 10, 0.8)
    assert (run.summary.offered_rate, run.summary.goodput and run.summary.goodput.share) == (10.0, 0.8)
    # p99=300ms: 80 of 100 are answered in time.
    assert run.holds is False
    assert {group.name: (group.scheduled, group.answered) for group in run.by_language} == {
        "de": (50, 30),
        "sw": (50, 50),
    }
    (process,) = run.processes
    assert (process.cpu, process.peak_rss_mb, process.peak_pss_mb) == (0.75, 104, 50)
    assert run.percentile(99).seconds == pytest.approx(0.1)
    assert report.knee is None
    assert "needs 3 different rates" in report.no_knee


def _point(rate: float, achieved: float, p99: float) -> LoadPoint:
    return LoadPoint(
        run=f"rate-{rate:g}",
        state="valid",
        load=f"{rate:g}/s",
        rate=rate,
        offered=rate,
        achieved=achieved,
        p50_s=p99 / 2,
        p99_s=p99,
    )


@pytest.mark.parametrize(
    ("points", "rate", "is_last"),
    [
        ([_point(10, 10, 0.1), _point(20, 20, 0.2), _point(40, 40, 0.21), _point(80, 80, 0.15)], 20, False),
        ([_point(10, 10, 0.1), _point(20, 19, 0.1), _point(40, 37, 0.1)], 20, False),
        ([_point(10, 10, 0.1), _point(20, 20, 0.1), _point(40, 40, 0.2)], 40, True),
    ],
    ids=["slower", "behind", "not reached"],
)
def test_the_knee(points: list[LoadPoint], rate: float, is_last: bool) -> None:
    knee, _ = find_knee(points)
    assert knee is not None
    assert (knee.rate, knee.is_last) == (rate, is_last)


def _rung(rate: float, p99: float, low: float, high: float, *, answered: int = 1000, **others: str) -> LoadPoint:
    point = replace(_point(rate, rate, p99), p99_low_s=low, p99_high_s=high, answered=answered)
    return replace(point, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({1: _rung(20, 0.1, 0.09, 0.11, state="not steady")}, "at 20/s they show no steady state"),
        ({0: _rung(10, 0.1, 0.1, math.nan, answered=17)}, "at 10/s 17 requests were answered"),
        ({1: _rung(20, 0.15, 0.1, 0.3)}, "at 20/s the interval of p99 reaches 300 ms"),
        ({2: _rung(40, 0.3, 0.1, 0.5)}, "at 40/s the interval of p99 reaches both sides of 200 ms"),
    ],
    ids=["not steady", "few", "may be beyond", "may be within"],
)
def test_a_knee_is_stated_only_where_the_intervals_allow_it(changed: dict[int, LoadPoint], reason: str) -> None:
    points = [_rung(10, 0.1, 0.09, 0.11), _rung(20, 0.1, 0.09, 0.11), _rung(40, 0.5, 0.4, 0.6)]
    knee, _ = find_knee(points)
    assert knee is not None
    assert (knee.rate, knee.is_last) == (20, False)
    knee, told = find_knee([changed.get(number, point) for number, point in enumerate(points)])
    assert knee is None
    assert reason in told


def test_no_knee() -> None:
    assert find_knee([_point(10, 10, 0.1), _point(20, 20, 0.1)])[0] is None
    behind = [_point(10, 9, 0.1), _point(20, 9, 0.1), _point(30, 9, 0.1)]
    assert "even at 10/s" in find_knee(behind)[1]


def test_a_ladder_with_a_void_rung(tmp_path: Path) -> None:
    folder = _ladder(tmp_path / "ladder")
    write_run(folder / "rate-30", _steady(30, 9.0), rate=30.0, validity=VOID)
    report, _ = build([folder])
    assert [run.load for run in report.runs] == ["10/s", "20/s", "30/s", "40/s", "80/s"]
    assert [point.rate for point in report.curve] == [10, 20, 40, 80]
    assert report.knee is not None
    assert report.knee.rate == 40
    assert any("left out of curves and comparisons: rate-30" in warning for warning in report.warnings)
    with_void, _ = build([folder], include_void=True)
    assert [point.rate for point in with_void.curve] == [10, 20, 30, 40, 80]
    assert with_void.knee is not None
    assert with_void.knee.rate == 20


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("p99=2s", ""),
        ("p50=20ms", "p50 is 50 ms; --fail-under p50=20ms"),
        ("p99=300ms", "p99 is never: 5 of 100 requests have no answer"),
        ("p90=300ms", ""),
        ("goodput=0.95", ""),
        ("goodput=0.96", "goodput at p99=300ms is 0.95"),
        ("rate=9", ""),
        ("rate=9.6", "9.5 answers a second"),
        ("sw:p99=60ms", ""),
        ("de:p99=300ms", "p99 is never"),
        ("fr:p50=1s", "there are no requests in fr"),
    ],
)
def test_bounds(tmp_path: Path, spec: str, said: str) -> None:
    """100 requests of 50 ms, of which five, in German, have no answer; p99=2s is asked of those with answers alone."""
    missing = () if spec == "p99=2s" else range(5)
    rows = [
        outcome(n, n / 10, 0.05, status="error" if n in missing else "ok", language="de" if n < 50 else "sw")
        for n in range(100)
    ]
    result = _invoke(write_run(tmp_path / "run", rows), "--fail-under", spec)
    assert result.exit_code == (1 if said else 0)
    assert sum(line.startswith("failed: run: ") for line in result.stderr.splitlines()) == bool(said)
    assert said in result.stderr


def test_a_goodput_without_an_objective_fails(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", _steady(10, 0.05), slo=None)
    assert "there is no goodput without an objective" in _invoke(folder, "--fail-under", "goodput=0").stderr
    assert _invoke(folder, "--fail-under", "goodput=1", "--slo", "p99=60ms").exit_code == 0


def test_a_void_and_an_unfinished_run_fail(tmp_path: Path) -> None:
    void = write_run(tmp_path / "void", _steady(10, 0.05), validity=VOID)
    killed = write_run(tmp_path / "killed", _steady(10, 0.05), validity=None)
    result = _invoke(void, killed, "--fail-under", "p99=10s", "--include-void")
    assert result.exit_code == 1
    assert "failed: void is void: the generator was late" in result.stderr
    assert "failed: killed is unfinished: the run did not come to its end" in result.stderr
    assert _invoke(void, killed).exit_code == 0


@pytest.mark.parametrize("spec", ["p99", "p99=300", "p0=1s", "goodput=2", "rate=x", "de:q=1", "rate=inf"])
def test_what_is_no_bound(spec: str) -> None:
    with pytest.raises(InputError, match=r"--fail-under: .*It is p99=300ms"):
        parse_all(["p50=1s", spec])


def test_folders_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no run: there is no run\.json in it or below it"):
        build([tmp_path])
    with pytest.raises(InputError, match="a run writes it with its first requests"):
        build([_without_requests(tmp_path / "empty")])
    with pytest.raises(InputError, match="has no requests: nothing was sent"):
        build([write_run(tmp_path / "unscheduled", [outcome(0, math.nan, 0.1)])])


def _without_requests(path: Path) -> Path:
    folder = write_run(path, [])
    (folder / "requests.parquet").rmdir()
    return folder


def test_a_damaged_run_is_left_out_and_fails(tmp_path: Path) -> None:
    folder = _ladder(tmp_path / "ladder")
    (part,) = (folder / "rate-20" / "requests.parquet").iterdir()
    part.write_bytes(part.read_bytes()[:100])
    report, _ = build([folder])
    assert [run.load for run in report.runs] == ["10/s", "40/s", "80/s"]
    assert any("rate-20/requests.parquet is not of a load test" in warning for warning in report.warnings)
    result = _invoke(folder, "--fail-under", "p99=10s")
    assert result.exit_code == 1
    assert "failed: left out: " in result.stderr
    with pytest.raises(InputError, match="is not of a load test"):
        build([folder / "rate-20"])


@pytest.mark.parametrize(("file", "text"), [("run.json", "[]"), ("run.json", "{"), ("validity.json", '{"a": 1}')])
def test_damaged_json(tmp_path: Path, file: str, text: str) -> None:
    folder = write_run(tmp_path / "run", _steady(10, 0.1))
    (folder / file).write_text(text)
    with pytest.raises(InputError, match=file):
        build([folder])


def test_an_interrupted_run_is_as_long_as_it_lasted(tmp_path: Path) -> None:
    """Of ten seconds, four: 40 requests in four seconds are ten a second."""
    note = WorkerNote(worker=0, workers=1, start=0.0, ended_s=4.0, clock_drift_s=0.0, varied=0, interrupted=True)
    run = RecordedRun.read(write_run(tmp_path / "run", _steady(10, 0.1, seconds=4), note=note))
    assert (run.end_s, run.state) == (4.0, "valid")
    report, _ = build([run.path])
    assert report.runs[0].summary.offered_rate == 10.0
    assert report.runs[0].notes == ("interrupted after 4.0 s: what was measured until then counts",)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            FoundRate(slo="p99=300ms", goodput=0.99, rate=42.0, low=40.0, high=44.5),
            "within p99=300ms is 42/s (40 to 44.5)",
        ),
        (FoundRate(slo="p99=300ms", goodput=0.99), "the search found no rate within p99=300ms"),
        (None, ""),
    ],
)
def test_a_search(tmp_path: Path, found: FoundRate | None, said: str) -> None:
    file = _ladder(tmp_path / "found") / "search.json"
    if found is None:
        file.write_text("[")
    else:
        found.write(file)
    shown = _invoke(tmp_path / "found").stdout
    assert said in shown
    assert ("found: the" in shown) == bool(said)


def test_json_has_finite_numbers_alone(tmp_path: Path) -> None:
    folder = _ladder(tmp_path / "ladder")
    result = _invoke(folder, "--json", "--against", folder)
    assert result.exit_code == 0

    def refuse(text: str) -> None:
        raise AssertionError(text)

    report = json.loads(result.stdout, parse_constant=refuse)
    assert [run["load"] for run in report["runs"]] == ["10/s", "20/s", "40/s", "80/s"]
    assert report["knee"]["rate"] == 40
    budgets = report["runs"][0]["budgets"]
    assert budgets[0]["stages"]["queue"] is None
    assert [rung["load"] for rung in report["comparison"]["rungs"]] == ["10/s", "20/s", "40/s", "80/s"]


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_needs_nothing_else_and_has_its_charts(tmp_path: Path) -> None:
    rows = [outcome(n, n / 10, 0.05, language="<b>" if n % 2 else "sw", network_s=0.06) for n in range(100)]
    folder = _ladder(tmp_path / "ladder")
    write_run(folder / "rate-5", rows, rate=5.0, validity=VALID)
    report, _ = build([folder], against=folder)
    text = page(report)
    found = _Page(text).tags
    outside = [value for _, values in found for name in ("src", "href") if (value := values.get(name))]
    assert all(value.startswith("#") for value in outside)
    assert not re.search(r"https?://|@import|url\(", text)
    assert not any(name == "b" for name, _ in found)
    titles = re.findall(r"<svg[^>]*><title>([^<]*)</title>", text)
    assert "Latency against offered rate, ms" in titles
    assert "Latency against achieved rate, ms" in titles
    assert "Latency by percentile, ms" in titles
    assert {title for title in titles if title.startswith("Stage budget")} == {
        "Stage budget around p50, share of its latency",
        "Stage budget around p99, share of its latency",
    }
    assert any("latency by language" in title for title in titles)
    assert text.count(">knee</text>") == 2
    places = [float(value) for name, values in found if name == "rect" and (value := values.get("width"))]
    assert min(places) >= 0


def test_the_axis_of_nines() -> None:
    """HdrHistogram's: as far from 90% to 99% as from 99% to 99.9%."""
    assert [round(nines(percent), 9) for percent in (0, 90, 99, 99.9)] == [0, 1, 2, 3]


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", _steady(10, 0.1))
    assert _invoke(folder, "--html", tmp_path / "report.html").exit_code == 0
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    result = _invoke(folder, "--html", tmp_path / "nowhere" / "report.html")
    assert isinstance(result.exception, InputError)
    assert "cannot write" in str(result.exception)
