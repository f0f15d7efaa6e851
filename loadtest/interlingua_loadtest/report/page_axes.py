"""Axes of the report's charts: times on a logarithmic one, rates on a plain one, percentiles by their nines.

values --> places, ticks, grid
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from interlingua.display.chart import WIDTH, Axis, dashes, line, marker, series_class, words
from interlingua.display.figures import digits
from interlingua.display.page import Html, tag

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 46, WIDTH - 14, 12, 206, 246
_MOST_TICKS = 7


class LogAxis(NamedTuple):
    """From positive values to places, equal factors equally far apart.

    Attributes:
        axis: of the decimal logarithms.
    """

    axis: Axis

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float) -> LogAxis:
        """One that holds all these, with a little room; those that are not above 0 are left out."""
        known = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
        low, high = math.log10(min(known)), math.log10(max(known))
        room = max(0.05 * (high - low), 0.02)
        return cls(Axis(low - room, high + room, start, end))

    def at(self, value: float) -> float:
        """The place of a value; of the low end where it is not above 0."""
        return self.axis.at(math.log10(value)) if value > 0 else self.axis.start

    def ticks(self) -> list[float]:
        """1, 2, 5, 10 ... as far as there is room, and powers of ten alone beyond that."""
        low, high = self.axis.low, self.axis.high
        powers = range(math.floor(low), math.ceil(high) + 1)
        for factors in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
            found = [factor * 10.0**power for power in powers for factor in factors]
            inside = [value for value in found if low <= math.log10(value) <= high]
            if len(inside) <= _MOST_TICKS:
                return inside
        return inside


def nines(percentile: float) -> float:
    """Place of a percentile on HdrHistogram's axis: 0 for p0, 1 for p90, 2 for p99."""
    return -math.log10(1 - percentile / 100)


def time_scale(axis: LogAxis) -> Iterator[Html]:
    """Milliseconds at the left, and their grid."""
    for tick in axis.ticks():
        yield line(LEFT, axis.at(tick), RIGHT, axis.at(tick), "grid")
        yield words(LEFT - 5, axis.at(tick) + 4, digits(tick) if tick < 1 else f"{tick:g}", "end")


def rate_scale(axis: Axis, unit: str) -> Iterator[Html]:
    """Rates at the bottom."""
    yield line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")
    for tick in axis.ticks():
        yield line(axis.at(tick), BOTTOM, axis.at(tick), BOTTOM + 4, "axis")
        yield words(axis.at(tick), BOTTOM + 16, f"{tick:g}", "middle")
    yield words((LEFT + RIGHT) / 2, BOTTOM + 34, unit, "middle")


def polyline(series: int, places: Sequence[tuple[float, float]], titles: Sequence[str] = ()) -> Html:
    """A series: its line, and a marker for each title."""
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in places)
    stroke = tag("path", d=path, fill="none", stroke="currentColor", stroke_width=2, stroke_dasharray=dashes(series))
    markers = (marker(series, *place, title=title) for place, title in zip(places, titles, strict=False))
    return tag("g", stroke, *markers, class_=series_class(series), fill="currentColor")
