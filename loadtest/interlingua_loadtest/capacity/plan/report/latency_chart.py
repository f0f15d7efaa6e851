"""A replica's latency against its rate: where the objective is met, and where the plan stands.

HardwarePlan.curve, objective, highest rate with its interval, planned load --> SVG
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from interlingua.display.chart import WIDTH, Axis, chart, dashes, legend, line, marker, series_class, words
from interlingua.display.page import Html, joined, tag
from interlingua_loadtest.capacity.plan.report.phrases import ms, rate

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import HardwarePlan, Plan, RatePoint

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 262, 50, WIDTH - 14, 22, 216
_TIMES_OBJECTIVE = 2.0  # the axis ends there: beyond it nothing is to be seen but that it is too late
_SERIES: tuple[tuple[str, Callable[[RatePoint], float]], ...] = (
    ("p50", lambda point: point.p50_s),
    ("p99", lambda point: point.p99_s),
)


def latency_chart(plan: Plan, one: HardwarePlan) -> Html:
    """With its legend."""
    limit = plan.slo.limit_s
    x = Axis(0, max(*(point.rate for point in one.curve), one.highest.high) * 1.02, _LEFT, _RIGHT)
    y = Axis(0, _TIMES_OBJECTIVE * limit, _BOTTOM, _TOP)
    caption = f"{one.name}: latency of a replica by its rate ({one.origin})"
    content = [*_axes(x, y), *_marks(plan, one, x, y), *(_curve(place, one, x, y) for place in range(len(_SERIES)))]
    names = legend((name for name, _ in _SERIES), lines=True)
    return joined([tag("div", chart(caption, _description(plan, one), _HEIGHT, content), names)])


def _description(plan: Plan, one: HardwarePlan) -> str:
    points = "; ".join(f"{rate(point.rate)}: p50 {ms(point.p50_s)}, p99 {ms(point.p99_s)}" for point in one.curve)
    return (
        f"The objective is {plan.slo}, the highest rate {rate(one.highest.rate)} ({rate(one.highest.low)} to "
        f"{rate(one.highest.high)}), the planned load {rate(one.at_peak.rate)}. {points}."
    )


def _axes(x: Axis, y: Axis) -> Iterator[Html]:
    for tick in y.ticks():
        yield line(_LEFT, y.at(tick), _RIGHT, y.at(tick), "grid")
        yield words(_LEFT - 5, y.at(tick) + 4, ms(tick), "end")
    yield line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    for tick in x.ticks(4):
        yield line(x.at(tick), _BOTTOM, x.at(tick), _BOTTOM + 4, "axis")
        yield words(x.at(tick), _BOTTOM + 16, f"{tick:g}", "middle")
    yield words((_LEFT + _RIGHT) / 2, _BOTTOM + 34, "requests a second of one replica", "middle")


def _marks(plan: Plan, one: HardwarePlan, x: Axis, y: Axis) -> Iterator[Html]:
    """The interval of the highest rate as a band, the objective, the highest rate, the load."""
    left, right = x.at(max(one.highest.low, 0.0)), x.at(one.highest.high)
    band = tag("rect", tag("title", "95% interval of the highest rate"), x=left, y=_TOP, class_="bar", opacity="0.35",
               width=round(max(right - left, 1.0), 1), height=_BOTTOM - _TOP)  # fmt: skip
    yield band
    limit = y.at(plan.slo.limit_s)
    yield line(_LEFT, limit, _RIGHT, limit, "mark")
    yield words(_LEFT + 3, limit - 5, str(plan.slo))
    yield line(x.at(one.highest.rate), _TOP, x.at(one.highest.rate), _BOTTOM, "axis")
    yield words(x.at(one.highest.rate), _TOP - 6, f"highest {rate(one.highest.rate)}", "end")
    yield line(x.at(one.at_peak.rate), _TOP + 10, x.at(one.at_peak.rate), _BOTTOM, "mark")
    yield words(x.at(one.at_peak.rate) - 4, _TOP + 16, f"planned {rate(one.at_peak.rate)}", "end")


def _curve(place: int, one: HardwarePlan, x: Axis, y: Axis) -> Html:
    name, value = _SERIES[place]
    shown = [point for point in one.curve if math.isfinite(value(point)) and value(point) <= y.high]
    spots = [(x.at(point.rate), y.at(value(point))) for point in shown]
    path = "M" + "L".join(f"{left:g} {top:g}" for left, top in spots) if spots else "M0 0"
    stroke = tag("path", d=path, fill="none", stroke="currentColor", stroke_width=2, stroke_dasharray=dashes(place))
    markers = (
        marker(place, *spot, title=f"{rate(point.rate)}: {name} {ms(value(point))}")
        for spot, point in zip(spots, shown, strict=True)
    )
    return tag("g", stroke, *markers, class_=series_class(place), fill="currentColor")
