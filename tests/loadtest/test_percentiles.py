"""Histograms against sorted values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_loadtest.record.percentiles import LONGEST_S, LatencyHistogram, merged, read_log, to_log

PERCENTS = (0.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0)


def latencies(seed: int, number: int = 5000) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Log-normal around 50 ms, with a tail of seconds."""
    return np.random.default_rng(seed).lognormal(math.log(0.05), 1.0, number)


def test_percentiles_are_those_of_the_sorted_values_to_one_in_a_thousand() -> None:
    seconds = latencies(1)
    ranked = np.sort(seconds)
    # The value of rank ceil(p n / 100), of rank 1 for p = 0.
    expected = [ranked[max(math.ceil(percent * 50) - 1, 0)] for percent in PERCENTS]
    assert LatencyHistogram.of(seconds).percentiles(PERCENTS) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_a_percentile_is_no_lower_than_what_it_counts() -> None:
    # 999 of 1000 took 1 s: p99.9 is theirs, anything above is the last one's.
    histogram = LatencyHistogram.of(np.array([1.0] * 999 + [9.0]))
    assert histogram.percentile(99.9) == pytest.approx(1, rel=1e-3)
    assert histogram.percentile(99.91) == pytest.approx(9, rel=1e-3)


def test_one_by_one_is_all_at_once() -> None:
    seconds = latencies(2, 300)
    histogram = LatencyHistogram()
    for value in seconds:
        histogram.record(float(value))
    assert histogram.counts == LatencyHistogram.of(seconds).counts
    assert histogram.count == 300


def test_workers_histograms_add_up_to_the_run_s() -> None:
    parts = [latencies(seed, 1000 * seed) for seed in (1, 2, 3)]
    sent = [LatencyHistogram.of(part).encode() for part in parts]
    whole = merged(LatencyHistogram.decode(text) for text in sent)
    alone = LatencyHistogram.of(np.concatenate(parts))
    assert whole.counts == alone.counts
    assert whole.count == 6000
    assert whole.percentiles(PERCENTS) == alone.percentiles(PERCENTS)


def test_a_decoded_histogram_takes_values_beyond_its_own() -> None:
    short, long = LatencyHistogram.of(np.array([0.001])), LatencyHistogram.of(np.array([3000.0]))
    both = LatencyHistogram.decode(short.encode())
    both.merge(LatencyHistogram.decode(long.encode()))
    both.record(1000.0)
    assert both.count == 3
    assert both.percentiles([1, 50, 100]) == pytest.approx([0.001, 1000, 3000], rel=1e-3)


def test_a_curve_rises_to_the_slowest_and_tells_every_request() -> None:
    seconds = np.arange(1, 1001) / 1000
    curve = LatencyHistogram.of(seconds).curve()
    percents = [point.percentile for point in curve]
    assert percents == sorted(set(percents))
    assert percents[:6] == [0, 10, 20, 30, 40, 50]
    assert percents[-1] == 100
    # The last point before the slowest request is that of the second slowest.
    assert [point.requests for point in curve[-2:]] == [999, 1000]
    for point in curve:
        assert point.seconds == pytest.approx(max(point.percentile / 100, 0.001), rel=2e-3, abs=0.001)
        assert point.requests == math.ceil(round(point.percentile * 10, 6))


def test_nothing_counted_has_no_percentiles() -> None:
    empty = LatencyHistogram()
    assert math.isnan(empty.percentile(50))
    assert empty.curve() == []
    assert LatencyHistogram.decode(empty.encode()).count == 0


def test_the_longest_counts_as_an_hour_and_nonsense_is_refused() -> None:
    histogram = LatencyHistogram.of(np.array([LONGEST_S * 5, 0.0]))
    assert histogram.percentile(100) == pytest.approx(LONGEST_S, rel=1e-3)
    assert histogram.count == 2
    for wrong in (-0.001, math.nan):
        with pytest.raises(ValueError, match="negative, or NaN"):
            LatencyHistogram.of(np.array([1.0, wrong]))
        with pytest.raises(ValueError, match="negative, or NaN"):
            histogram.record(wrong)
    with pytest.raises(ValueError, match="101 is no percentile"):
        histogram.percentile(101)
    with pytest.raises(ValueError, match="no encoded histogram"):
        LatencyHistogram.decode("SGVsbG8=")


def test_a_log_is_read_back_and_by_hdrhistogram_s_own_reader(tmp_path: Path) -> None:
    from hdrh.histogram import HdrHistogram
    from hdrh.log import HistogramLogReader

    histograms = {"latency": LatencyHistogram.of(latencies(4)), "service": LatencyHistogram.of(latencies(5, 10))}
    file = tmp_path / "histograms.hdr"
    file.write_text(to_log(histograms), encoding="utf-8")
    assert {tag: found.counts for tag, found in read_log(file).items()} == {
        tag: made.counts for tag, made in histograms.items()
    }
    reader = HistogramLogReader(str(file), HdrHistogram(1, 3_600_000_000, 3))
    first, second, end = (reader.get_next_interval_histogram() for _ in range(3))
    reader.close()
    assert (first.get_tag(), first.get_total_count()) == ("latency", 5000)
    assert (second.get_tag(), second.get_total_count()) == ("service", 10)
    assert end is None


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "histograms.hdr"
    with pytest.raises(InputError, match="cannot read"):
        read_log(file)
    file.write_text("latency,5\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1 is no histogram"):
        read_log(file)
    file.write_text("Tag=a,0.0,0.0,0.0,SGVsbG8=\n", encoding="utf-8")
    with pytest.raises(InputError, match="no encoded histogram"):
        read_log(file)
