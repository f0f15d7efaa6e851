"""Arrival times against the closed forms of their distributions, with fixed seeds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from interlingua.base.errors import InputError
from interlingua_loadtest.record.record import Outcome
from interlingua_loadtest.record.run_folder import outcome_writer
from interlingua_loadtest.traffic.schedule import bursts, constant, poisson, replay


def log_line(time: str, *, total_s: float | None = 0.25, query: str | None = None) -> str:
    """A line as interlingua_client/search/search_log.py writes it; of a failed search without `total_s`."""
    answer = (
        {"error": "away"}
        if total_s is None
        else {
            "hits": [],
            "query_truncated": False,
            "reranking": {"depth": 0, "wanted": 0, "reason": "no candidates", "weight": None},
            "times": {"total_s": total_s},
        }
    )
    value = {
        "format": 1,
        "time": time,
        "embedder": "e",
        "reranker": None,
        "offsets": True,
        "languages": [],
        "language": {"tag": "de", "source": "detected", "confidence": 0.9},
        **answer,
    }
    return json.dumps(value | ({} if query is None else {"query": query})) + "\n"


def test_gaps_of_poisson_arrivals_are_exponential() -> None:
    times = poisson(50.0, 200.0, seed=7)
    assert stats.kstest(np.diff(times), "expon", args=(0, 1 / 50)).pvalue > 0.05
    # Given their number, arrivals are uniform over the run.
    assert stats.kstest(times / 200, "uniform").pvalue > 0.05


def test_counts_of_poisson_arrivals_vary_as_much_as_their_mean() -> None:
    counts = np.histogram(poisson(20.0, 1000.0, seed=3), np.arange(1001))[0]
    # 1000 counts: the mean's standard error is sqrt(20 / 1000) = 0.14, that of variance / mean sqrt(2 / 999) = 0.045.
    assert counts.mean() == pytest.approx(20, abs=3 * 0.14)
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1, abs=3 * 0.045)


def test_constant_arrivals_come_at_equal_gaps() -> None:
    assert constant(4.0, 1.0).tolist() == [0, 0.25, 0.5, 0.75]
    # 0.1 * 30 is a hair above 3: there is no arrival at 30 s.
    assert constant(0.1, 30.0).tolist() == pytest.approx([0, 10, 20])


def test_bursts_keep_the_mean_rate_and_have_their_factor() -> None:
    times = bursts(100.0, 500.0, 5, factor=4.0, period_s=10.0, share=0.2)
    inside = times % 10 < 2
    # 50,000 arrivals, standard error 224. Calm rate: 100 / (1 + 0.2 * 3) = 62.5, in bursts 250.
    assert len(times) == pytest.approx(50_000, abs=3 * 224)
    assert inside.sum() / 100 == pytest.approx(250, abs=3 * (250 / 100) ** 0.5)
    assert (~inside).sum() / 400 == pytest.approx(62.5, abs=3 * (62.5 / 400) ** 0.5)
    # Within bursts, arrivals are Poisson: uniform over the burst.
    assert stats.kstest((times % 10)[inside] / 2, "uniform").pvalue > 0.05


def test_bursts_of_factor_one_are_poisson() -> None:
    times = bursts(50.0, 200.0, 11, factor=1.0, period_s=7.0, share=0.3)
    assert times == pytest.approx(poisson(50.0, 200.0, 11))


def test_a_run_that_ends_in_a_burst_has_all_of_it_until_there() -> None:
    # 1 s of 10, all of it burst, at 4 times 100 / 1.3 a second: 307.7 on average, standard error 17.5.
    assert len(bursts(100.0, 1.0, 2, factor=4.0, period_s=10.0, share=0.1)) == pytest.approx(307.7, abs=3 * 17.5)


@pytest.mark.parametrize("make", [poisson, lambda *given: bursts(*given, factor=3.0, period_s=4.0, share=0.25)])
def test_seeds_decide_everything(make: object) -> None:
    assert callable(make)
    times = make(30.0, 50.0, 1)
    assert np.array_equal(times, make(30.0, 50.0, 1))
    assert not np.array_equal(times[:100], make(30.0, 50.0, 2)[:100])
    longer = make(30.0, 80.0, 1)
    assert np.array_equal(longer[longer < 50], times)
    assert (np.diff(longer) >= 0).all()
    assert longer[0] >= 0
    assert longer[-1] < 80


def test_every_wrong_argument_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        bursts(0.0, -1.0, -3, factor=0.5, period_s=0.0, share=1.0)
    for part in ("rate is 0", "-1 s", "seed is -3", "factor is 0.5", "period has 0 s", "share is 1"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="requests"):
        poisson(1e6, 1e6, 1)
    with pytest.raises(InputError, match="rate is nan"):
        constant(float("nan"), 1.0)


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_replayed_from_when_searches_came(tmp_path: Path, packed: bool) -> None:
    # Answered at 0.5, 1.0, 4.0 s after taking 0.5, 0.2, 0.0 (failed, unknown): asked at 0.0, 0.8, 4.0.
    lines = (
        log_line("2026-05-04T10:00:00.500+00:00", total_s=0.5)
        + log_line("2026-05-04T10:00:01.000+00:00", total_s=0.2)
        + "\n"
        + log_line("2026-05-04T10:00:04.000+00:00", total_s=None)
    )
    file = tmp_path / "searches.log"
    file.write_bytes(gzip.compress(lines.encode()) if packed else lines.encode())
    assert replay(file).tolist() == pytest.approx([0, 0.8, 4.0])
    assert replay(file, speed=2.0).tolist() == pytest.approx([0, 0.4, 2.0])


def test_half_a_line_at_a_log_s_end_is_left_out(tmp_path: Path) -> None:
    line = log_line("2026-05-04T10:00:00.500+00:00")
    file = tmp_path / "searches.log"
    file.write_text(line + line[:40], encoding="utf-8")
    assert replay(file).tolist() == [0]


def test_threads_that_log_in_each_other_s_stead_are_no_disorder(tmp_path: Path) -> None:
    file = tmp_path / "searches.log"
    file.write_text(
        log_line("2026-05-04T10:00:00.900+00:00") + log_line("2026-05-04T10:00:00.400+00:00"), encoding="utf-8"
    )
    assert replay(file).tolist() == pytest.approx([0, 0.5])


def test_a_log_in_disorder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "searches.log"
    file.write_text(log_line("2026-05-04T11:00:00+00:00") + log_line("2026-05-04T10:00:00+00:00"), encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2 is 3600\.0 s before a line above it: sort"):
        replay(file)


def test_a_log_without_times_is_refused(tmp_path: Path) -> None:
    value = json.loads(log_line("2026-05-04T11:00:00+00:00"))
    del value["time"]
    file = tmp_path / "searches.log"
    file.write_text(log_line("2026-05-04T10:00:00+00:00") + json.dumps(value) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2 is not of a search log: `time` is missing"):
        replay(file)


@pytest.mark.parametrize("content", [None, ""])
def test_a_log_that_is_missing_or_empty_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "searches.log"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"searches\.log"):
        replay(file)


def test_a_run_is_replayed_from_its_record(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "requests.parquet"
    # Two workers, each with every other request.
    for worker, moments in enumerate(([3.0, 7.0], [4.5, 5.0])):
        with outcome_writer(folder, worker) as writer:
            for number, moment in enumerate(moments):
                writer.add(
                    Outcome(
                        number=2 * number + worker,
                        kind="search",
                        language="en",
                        query_kind="plain",
                        depth=0,
                        scheduled_s=moment,
                        sent_s=moment,
                        finished_s=moment + 1,
                        status="ok",
                    )
                )
    for source in (folder, folder.parent):
        assert replay(source, speed=0.5).tolist() == [0, 3.0, 4.0, 8.0]


def test_a_run_without_scheduled_times_is_refused(tmp_path: Path) -> None:
    nan = float("nan")
    with outcome_writer(tmp_path / "requests.parquet") as writer:
        writer.add(
            Outcome(
                number=0,
                kind="search",
                language="en",
                query_kind="plain",
                depth=0,
                scheduled_s=1.0,
                sent_s=1.0,
                finished_s=2.0,
                status="ok",
            )
        )
        writer.add(
            Outcome(
                number=1,
                kind="search",
                language="en",
                query_kind="plain",
                depth=0,
                scheduled_s=nan,
                sent_s=nan,
                finished_s=nan,
                status="unsent",
            )
        )
    with pytest.raises(InputError, match="1 of 2 requests have no scheduled time"):
        replay(tmp_path / "requests.parquet")
