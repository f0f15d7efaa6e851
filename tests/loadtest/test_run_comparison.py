"""Two runs, or two ladders: what is decided, what is chance, and what is said about how alike they are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_loadtest.record.record import Outcome
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.report.build import build
from interlingua_loadtest.report.comparison import compare
from interlingua_loadtest.report.model import LoadComparison
from interlingua_loadtest.report.recorded_run import RecordedRun
from interlingua_loadtest.report.statistics.block_bootstrap import BlockSample
from tests.loadtest.written_runs import VALID, VOID, outcome, queue, write_run

_RATE, _SECONDS = 50.0, 40.0


def _run(tmp_path: Path, name: str, outcomes: list[Outcome], **others: Any) -> RecordedRun:
    settings = {"rate": _RATE, "seconds": _SECONDS} | others
    return RecordedRun.read(write_run(tmp_path / name, outcomes, **settings))


def _verdicts(comparison: LoadComparison) -> dict[str, str]:
    (rung,) = comparison.rungs
    return {entry.figure: entry.verdict for entry in rung.differences}


def test_equal_processes_come_out_undecided_in_about_19_of_20_trials(tmp_path: Path) -> None:
    """40 pairs of runs of one queue, 60% busy: 3 figures of latency each, of which 6 would be decided by chance.

    More than 18 of 120 would be, at 5% and with the three figures of a trial going together, in fewer than one test
    of a hundred; none at all would say that the intervals are too wide.
    """
    decided = 0
    for trial in range(40):
        pair = [_run(tmp_path, f"{trial}-{side}", queue(_RATE, _SECONDS, 0.6, 2 * trial + side)) for side in (0, 1)]
        verdicts = _verdicts(compare(pair[:1], pair[1:], "before", None))
        decided += sum(verdicts[name] in ("better", "worse") for name in ("p50", "p90", "p99"))
    assert 1 <= decided <= 18


def test_two_halves_of_one_run_are_undecided(tmp_path: Path) -> None:
    """Every second request of one queue: latencies of one process, whatever it does."""
    rows = queue(100, _SECONDS, 0.6, 3)
    pair = [_run(tmp_path, str(half), rows[half::2]) for half in (0, 1)]
    verdicts = _verdicts(compare(pair[:1], pair[1:], "before", None))
    assert [verdicts[name] for name in ("p50", "p90", "p99")] == ["undecided"] * 3


def test_a_stall_is_decided(tmp_path: Path) -> None:
    """Two seconds in which nothing is answered."""
    before = _run(tmp_path, "before", queue(_RATE, _SECONDS, 0.5, 1))
    after = _run(tmp_path, "after", queue(_RATE, _SECONDS, 0.5, 2, stall=(15.0, 2.0)))
    comparison = compare([before], [after], "before", None)
    found = {entry.figure: entry for entry in comparison.rungs[0].differences}
    assert found["p99"].verdict == "worse"
    assert 0 < found["p99"].low < found["p99"].difference < found["p99"].high
    assert found["p99"].ratio_low > 1
    back = compare([after], [before], "after", None)
    assert _verdicts(back)["p99"] == "better"
    assert comparison.decided >= 1


def test_figures_by_hand(tmp_path: Path) -> None:
    """Ten a second for 40 s; without bad seconds all take 0.11 s, so that the last, due at 39.9 s, comes too late.

    With eight bad seconds, 80 requests take 0.5 s and half of them have no answer: of the 360 answered ones 40 are
    slow, which is more than 10%.
    """
    runs = [_run(tmp_path, str(bad), _bad_seconds(bad), rate=10.0) for bad in (0, 8)]
    samples = [BlockSample([run], 0.1, Slo(99, 0.3)) for run in runs]
    latency = {"p50": 0.11, "p90": 0.11, "p99": 0.11}
    assert samples[0].observed() == pytest.approx(
        latency | {"achieved rate": 399 / 40, "answered": 1.0, "goodput": 1.0}
    )
    latency = {"p50": 0.11, "p90": 0.5, "p99": 0.5}
    assert samples[1].observed() == pytest.approx(
        latency | {"achieved rate": 359 / 40, "answered": 0.9, "goodput": 0.8}
    )


def _bad_seconds(number: int) -> list[Outcome]:
    bad = range(10 * number)
    return [
        outcome(n, n / 10, 0.5 if n in bad else 0.11, status="rejected" if n in bad and n % 2 else "ok")
        for n in range(400)
    ]


def test_draws_are_of_whole_blocks(tmp_path: Path) -> None:
    """Two runs of one load; each draw's rate is a whole number of blocks' counts."""
    runs = [_run(tmp_path, str(n), [outcome(i, 0.5 + i, 0.1) for i in range(40)], rate=1.0) for n in (0, 1)]
    sample = BlockSample(runs, 0.4, None)
    assert (sample.number, sample.block_s) == (40, 2.0)
    assert sample.answered == 80
    drawn = sample.drawn(50, np.random.default_rng(0))
    # Every block of 2 s has two requests, so that every draw has one a second.
    assert drawn["achieved rate"] == pytest.approx(np.ones(50))
    assert drawn["p99"] == pytest.approx(np.full(50, 0.1))
    assert "goodput" not in drawn


def test_a_percentile_that_too_few_are_beyond_is_not_decided(tmp_path: Path) -> None:
    """1% of 400 is 4."""
    pair = [_run(tmp_path, str(n), queue(10, _SECONDS, 0.5, n)) for n in (0, 1)]
    comparison = compare(pair[:1], pair[1:], "before", None)
    (p99,) = [entry for entry in comparison.rungs[0].differences if entry.figure == "p99"]
    assert p99.verdict == "unknown"
    assert math.isnan(p99.low)
    assert p99.ratio == pytest.approx(p99.after / p99.before)


def test_what_differs_besides_is_said(tmp_path: Path) -> None:
    one = _run(tmp_path, "one", queue(_RATE, _SECONDS, 0.3, 1))
    rows = [outcome(n, n / 50, 0.01, language="sw", tokens=30) for n in range(2000)]
    facts = {"digest": "f" * 64, "hardware": {"cpu": "y"}}
    other = _run(tmp_path, "other", rows, environment=facts, mode="closed", concurrency=3, repeats="zipf")
    warnings = "\n".join(compare([one], [other], "one", None).rungs[0].warnings)
    for part in (
        "the mode differs: open, now closed",
        "repeats unset, now zipf",
        "the environment differs: hardware.cpu",
        "languages: de was 100%, now 0%",
        "8.0 tokens on average, now 30.0",
    ):
        assert part in warnings


def test_like_runs_have_no_warning(tmp_path: Path) -> None:
    pair = [_run(tmp_path, str(n), queue(_RATE, _SECONDS, 0.3, n), record=f"/somewhere/{n}") for n in (0, 1)]
    assert compare(pair[:1], pair[1:], "before", None).rungs[0].warnings == ()


def test_ladders_are_compared_rung_by_rung(tmp_path: Path) -> None:
    for side, rates in (("a", (10, 20, 40)), ("b", (20, 40, 80))):
        for rate in rates:
            rows = [outcome(n, n / rate, 0.1 if side == "a" else 0.2) for n in range(10 * rate)]
            write_run(tmp_path / side / f"rate-{rate}", rows, rate=float(rate), validity=VOID if rate == 40 else VALID)
    report, _ = build([tmp_path / "b"], against=tmp_path / "a")
    assert report.comparison is not None
    assert [rung.load for rung in report.comparison.rungs] == ["20/s"]
    # 40/s is void on both sides, and so not there.
    assert report.comparison.unmatched == ("80/s", "10/s")
    with_void, _ = build([tmp_path / "b"], against=tmp_path / "a", include_void=True)
    assert with_void.comparison is not None
    assert [rung.load for rung in with_void.comparison.rungs] == ["20/s", "40/s"]
    assert "rate-40 is void: the generator was late" in with_void.comparison.rungs[1].warnings
    assert _first(with_void.comparison).verdict == "worse"
    assert (_first(with_void.comparison).before, _first(with_void.comparison).after) == pytest.approx((0.1, 0.2))


def _first(comparison: LoadComparison) -> Any:
    return comparison.rungs[0].differences[0]


def test_nothing_to_compare(tmp_path: Path) -> None:
    for name, rate in (("a/x", 10), ("a/y", 20), ("b/x", 30)):
        write_run(tmp_path / name, [outcome(n, n / 10, 0.1) for n in range(100)], rate=float(rate))
    with pytest.raises(InputError, match=r"nothing to compare: .* has 10/s, 20/s, this has 30/s"):
        build([tmp_path / "b"], against=tmp_path / "a")
    write_run(tmp_path / "void", [outcome(0, 0.0, 0.1)], validity=VOID)
    with pytest.raises(InputError, match=r"every run of .*void is void"):
        build([tmp_path / "a/x"], against=tmp_path / "void")
