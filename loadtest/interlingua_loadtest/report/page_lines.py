"""Latency against what is offered and what is achieved, and percentile curves.

LoadPoint ... --> two charts, the knee marked;  RunFigures ... --> one chart, a line a run
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from interlingua.display.chart import Axis, chart, legend, line, words
from interlingua.display.figures import milliseconds
from interlingua.display.page import Html, joined, tag
from interlingua_loadtest.report.page_axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    LogAxis,
    nines,
    polyline,
    rate_scale,
    time_scale,
)

if TYPE_CHECKING:
    from interlingua_loadtest.report.load_curve import LoadPoint
    from interlingua_loadtest.report.model import LoadReport, RunFigures

_PERCENTS: tuple[tuple[str, Callable[[LoadPoint], float]], ...] = (
    ("p50", lambda point: point.p50_s),
    ("p99", lambda point: point.p99_s),
)


def load_charts(report: LoadReport) -> Html:
    """Nothing where there are not two points."""
    known = [point for point in report.curve if math.isfinite(point.p50_s + point.p99_s)]
    if len(known) < 2:
        return Html()
    charts = (
        _load_chart("Latency against offered rate", "requests a second that were due", known, _offered, report),
        _load_chart("Latency against achieved rate", "answers a second", known, _achieved, report),
    )
    names = legend((name for name, _ in _PERCENTS), lines=True)
    return joined([tag("div", *charts, class_="figures"), names])


def percentile_chart(runs: Sequence[RunFigures]) -> Html:
    """Nothing where no run has an answer."""
    drawn = [(run.name, _curve(run)) for run in runs]
    drawn = [(name, points) for name, points in drawn if len(points) > 1]
    if not drawn:
        return Html()
    x = Axis(0, max(at for _, points in drawn for at, _ in points), LEFT, RIGHT)
    y = LogAxis.around([ms for _, points in drawn for _, ms in points], BOTTOM, TOP)
    caption = "Latency by percentile, ms"
    described = (
        f"{run.name}: {', '.join(f'{entry.name} {milliseconds(entry.seconds)} ms' for entry in run.percentiles)}"
        for run in runs
    )
    lines = (polyline(place, [(x.at(at), y.at(ms)) for at, ms in points]) for place, (_, points) in enumerate(drawn))
    content = [*time_scale(y), *_nines_scale(x), *lines]
    figure = chart(caption, f"{'; '.join(described)}.", HEIGHT, content)
    return joined([tag("div", figure, class_="figures"), legend((name for name, _ in drawn), lines=True)])


def _offered(point: LoadPoint) -> float:
    return point.offered


def _achieved(point: LoadPoint) -> float:
    return point.achieved


def _load_chart(
    caption: str, unit: str, points: Sequence[LoadPoint], rate: Callable[[LoadPoint], float], report: LoadReport
) -> Html:
    y = LogAxis.around([1e3 * value(point) for point in points for _, value in _PERCENTS], BOTTOM, TOP)
    x = Axis(0, 1.05 * max(rate(point) for point in points), LEFT, RIGHT)
    described = (
        f"{rate(point):.4g}/s: p50 {milliseconds(point.p50_s)}, p99 {milliseconds(point.p99_s)} ms" for point in points
    )
    content = [*time_scale(y), *rate_scale(x, unit), *_knee(report, points, rate, x)]
    content += [
        polyline(
            number,
            [(x.at(rate(point)), y.at(1e3 * value(point))) for point in points],
            [f"{point.run}, {point.state}: {name} {milliseconds(value(point))} ms" for point in points],
        )
        for number, (name, value) in enumerate(_PERCENTS)
    ]
    return chart(f"{caption}, ms", f"{'; '.join(described)}.", HEIGHT, content)


def _knee(
    report: LoadReport, points: Sequence[LoadPoint], rate: Callable[[LoadPoint], float], x: Axis
) -> Iterator[Html]:
    at_knee = [point for point in points if report.knee and point.run == report.knee.run]
    if at_knee and report.knee and not report.knee.is_last:
        place = x.at(rate(at_knee[-1]))
        anchor = "end" if place > (LEFT + RIGHT) / 2 else "start"
        yield line(place, TOP, place, BOTTOM, "mark knee")
        yield words(place + (-5 if anchor == "end" else 5), TOP + 8, "knee", anchor)


def _curve(run: RunFigures) -> list[tuple[float, float]]:
    """Nines and milliseconds; the slowest request stands where one of so many does."""
    if not run.curve:
        return []
    number = run.curve[-1].requests
    furthest = math.log10(number) if number > 1 else 0.0
    points = [(nines(point.percentile), 1e3 * point.seconds) for point in run.curve if point.percentile < 100]
    inside = [(at, max(ms, 1e-3)) for at, ms in points if at < furthest]
    return [*inside, (furthest, max(1e3 * run.curve[-1].seconds, 1e-3))]


def _nines_scale(axis: Axis) -> Iterator[Html]:
    yield line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis")
    for number in range(math.floor(axis.high) + 1):
        place = axis.at(number)
        percent = 100 * (1 - 10.0**-number)
        yield line(place, TOP, place, BOTTOM, "grid")
        yield words(place, BOTTOM + 16, f"{percent:.{max(number - 2, 0)}f}%", "middle" if number else "start")
    yield words((LEFT + RIGHT) / 2, BOTTOM + 34, "of the requests were no slower", "middle")
