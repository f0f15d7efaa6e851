"""Latencies as histograms that can be added up: those of all workers together are exactly the run's.

    seconds -> LatencyHistogram of every worker --merge--> of the run -> percentiles, curve, histograms.hdr

HdrHistogram (Tene, hdrhistogram.org) with three significant digits: a value is known to one part in a thousand, from a
microsecond to an hour. Percentiles cannot be averaged; counts can be added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.base.extras import require

LONGEST_S = 3600.0

_MICROSECONDS = 1e6
_DIGITS = 3
# The five lines to a nine that HdrHistogram's plots have: 0, 10, ... 50, 55, ... 75, 77.5, ...
_STEPS_PER_HALF = 5
_LINE = re.compile(r"Tag=(?P<tag>[^,]+),[\d.]+,[\d.]+,[\d.]+,(?P<counts>\S+)")
_HEADER = '#[Histogram log format version 1.3]\n"StartTimestamp","Interval_Length","Interval_Max",'
_HEADER += '"Interval_Compressed_Histogram"\n'


class CurvePoint(NamedTuple):
    """A point of a percentile curve.

    Attributes:
        percentile: 0 to 100.
        seconds: that many percent were no slower.
        requests: so many were no slower.
    """

    percentile: float
    seconds: float
    requests: int


class LatencyHistogram:
    """Counts of durations."""

    def __init__(self) -> None:
        """Empty. Raises InputError where the package is missing."""
        self._counts = _new()

    @classmethod
    def of(cls, seconds: npt.NDArray[np.float64]) -> LatencyHistogram:
        """The histogram of all these; raises ValueError where one is negative or NaN."""
        histogram = cls()
        values, counts = np.unique(_microseconds(seconds), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            histogram._counts.record_value(value, count)
        return histogram

    def record(self, seconds: float) -> None:
        """Count one; longer than LONGEST_S counts as that. Raises ValueError where it is negative or NaN."""
        self._counts.record_value(int(_microseconds(np.array([seconds]))[0]))

    def merge(self, other: LatencyHistogram) -> None:
        """Add the other's counts."""
        self._counts.add(other._counts)

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return int(self._counts.get_total_count())

    @property
    def counts(self) -> dict[float, int]:
        """How many there are of each value, the lowest of those it stands for, in seconds; ascending."""
        table = np.ctypeslib.as_array(self._counts.counts)
        rows = np.flatnonzero(table)
        return {self._counts.get_value_from_index(row) / _MICROSECONDS: int(table[row]) for row in rows.tolist()}

    def percentile(self, percent: float) -> float:
        """Seconds that `percent` of 100 were no slower than; NaN where there is none."""
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Iterable[float]) -> list[float]:
        """Several at once."""
        percents = list(percents)
        if not self.count:
            return [float("nan")] * len(percents)
        if wrong := [percent for percent in percents if not 0 <= percent <= 100]:
            raise ValueError(f"{wrong[0]} is no percentile")
        rows, upto = self._cumulative()
        # The smallest value that so many are no slower than; a hair is left for 99.9 * 1000 / 100.
        ranks = np.ceil(np.array(percents) / 100 * self.count - 1e-9).clip(1, self.count)
        found = rows[np.searchsorted(upto, ranks)]
        return [self._upper(row) for row in found.tolist()]

    def curve(self) -> list[CurvePoint]:
        """Percentiles ever closer to 100, as far as there are requests to tell them apart."""
        percents, distance = [], 100.0
        while distance / 100 * self.count >= 1:
            percents += [100 - distance + step * distance / 2 / _STEPS_PER_HALF for step in range(_STEPS_PER_HALF)]
            distance /= 2
        percents += [100.0] if self.count else []
        values = self.percentiles(percents)
        counts = np.ceil(np.array(percents) / 100 * self.count - 1e-9).astype(int)
        return [CurvePoint(*point) for point in zip(percents, values, counts.tolist(), strict=True)]

    def encode(self) -> str:
        """The histogram as base64, for another process."""
        text: bytes = self._counts.encode()
        return text.decode("ascii")

    @classmethod
    def decode(cls, text: str) -> LatencyHistogram:
        """What `encode` gave; raises ValueError for anything else."""
        histogram = cls()
        try:
            # Added to an own one, so that it has the own one's bounds.
            histogram._counts.decode_and_add(text)
        except Exception as error:
            raise ValueError(f"no encoded histogram: {type(error).__name__}") from error
        return histogram

    def _cumulative(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        table = np.ctypeslib.as_array(self._counts.counts).astype(np.int64)
        rows = np.flatnonzero(table)
        return rows, np.cumsum(table[rows])

    def _upper(self, row: int) -> float:
        value = self._counts.get_value_from_index(row)
        return float(self._counts.get_highest_equivalent_value(value)) / _MICROSECONDS


def merged(histograms: Iterable[LatencyHistogram]) -> LatencyHistogram:
    """All of them as one."""
    whole = LatencyHistogram()
    for histogram in histograms:
        whole.merge(histogram)
    return whole


def to_log(histograms: Mapping[str, LatencyHistogram]) -> str:
    """HdrHistogram's log format, one line a tag; a tag has no comma and no blank."""
    lines = [
        f"Tag={tag},0.000,0.000,{histogram.percentile(100) if histogram.count else 0:.6f},{histogram.encode()}\n"
        for tag, histogram in histograms.items()
    ]
    return _HEADER + "".join(lines)


def read_log(file: Path) -> dict[str, LatencyHistogram]:
    """What `to_log` made, by tag; lines of equal tags are added up. Raises InputError where it is none."""
    found: dict[str, LatencyHistogram] = {}
    try:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith(("#", '"')):
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise InputError(f"{file}, line {number} is no histogram with a tag")
            found.setdefault(match["tag"], LatencyHistogram()).merge(LatencyHistogram.decode(match["counts"]))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    return found


def _microseconds(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    if len(seconds) and not seconds.min() >= 0:
        raise ValueError("a duration is negative, or NaN")
    return np.rint(np.minimum(seconds, LONGEST_S) * _MICROSECONDS).astype(np.int64)


def _new() -> Any:
    require("loadtest", "hdrh", used_for="a load test")
    from hdrh.histogram import HdrHistogram

    return HdrHistogram(1, int(LONGEST_S * _MICROSECONDS), _DIGITS)
