"""Quality against cost: a point a setting, the front joined, on a page that needs nothing else.

Tradeoff --> SVG --> HTML
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.chart import WIDTH, Axis, chart, legend, line, marker, series_class, words
from interlingua.display.page import Html, document, joined, table, tag
from interlingua_loadtest.tradeoff.tables import settings_grid

if TYPE_CHECKING:
    from interlingua_loadtest.tradeoff.records import PlacedSetting, SettingCost, Tradeoff

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 270, 40, WIDTH - 14, 14, 224
_ROOM = 0.06  # of each axis, around the points
_LEAST_DECADES = 0.5

CostedSetting = tuple["PlacedSetting", "SettingCost", float]


def page(found: Tradeoff) -> str:
    """The whole page."""
    title = f"Quality against cost: {found.dataset} on {found.hardware}"
    how = f"Within {found.slo} and a goodput of {found.goodput:g}; a corpus of {found.documents:,} documents."
    header = tag("header", tag("h1", title), tag("p", how, class_="how"), tag("p", found.verdict))
    return document(title, header, tag("main", scatter(found), table(settings_grid(found))))


def scatter(found: Tradeoff) -> Html:
    """With its legend; settings without a cost or a quality are not in it."""
    points = list(_points(found))
    logs, qualities = [math.log10(cost.cpu_s) for _, cost, _ in points], [quality for *_, quality in points]
    x, y = _axis(logs, _LEAST_DECADES, _LEFT, _RIGHT), _axis(qualities, 0.01, _BOTTOM, _TOP)
    labels = list(dict.fromkeys(row.setting.label for row, *_ in points))
    content = [*_axes(x, y), _front(points, x, y), *_marks(points, labels, x, y)]
    best = "; ".join(f"{row.setting.name}: {quality:.3f}" for row, _, quality in points if row.on_front)
    drawn = chart(
        f"nDCG@10 ({found.scope}) by core seconds per million searches", f"The front: {best}.", _HEIGHT, content
    )
    return joined([tag("div", drawn, class_="figures"), legend(labels, lines=False)])


def _points(found: Tradeoff) -> Iterator[CostedSetting]:
    for row in found.rows:
        figure = row.setting.quality(found.scope)
        if row.cost is not None and figure is not None:
            yield row, row.cost, figure.mean


def _axis(values: list[float], least: float, start: float, end: float) -> Axis:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = _ROOM * (high - low) + max(least - (high - low), 0) / 2
    return Axis(low - room, high + room, start, end)


def _axes(x: Axis, y: Axis) -> Iterator[Html]:
    for tick in y.ticks():
        yield line(_LEFT, y.at(tick), _RIGHT, y.at(tick), "grid")
        yield words(_LEFT - 5, y.at(tick) + 4, f"{tick:g}", "end")
    yield line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    for cost in _costs(x):
        place = x.at(math.log10(cost))
        yield line(place, _BOTTOM, place, _BOTTOM + 4, "axis")
        yield words(place, _BOTTOM + 16, _short(cost), "middle")
    yield words((_LEFT + _RIGHT) / 2, _BOTTOM + 34, "core seconds per million searches (logarithmic)", "middle")


def _costs(x: Axis) -> Iterator[float]:
    """1, 3, 10, 30, ... within the axis."""
    for power in range(math.floor(x.low), math.ceil(x.high) + 1):
        for digit in (1, 3):
            if x.low <= math.log10(digit * 10**power) <= x.high:
                yield digit * 10.0**power


def _short(value: float) -> str:
    """300, 3k, 3M: beside one another on the axis."""
    size, unit = next(((size, unit) for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= size), (1.0, ""))
    return f"{value / size:g}{unit}"


def _front(points: list[CostedSetting], x: Axis, y: Axis) -> Html:
    spots = [f"{x.at(math.log10(cost.cpu_s)):g} {y.at(quality):g}" for row, cost, quality in points if row.on_front]
    path = "M" + "L".join(spots) if spots else "M0 0"
    return tag("path", d=path, fill="none", stroke="currentColor", stroke_width=1.5, stroke_dasharray="4 3")


def _marks(points: list[CostedSetting], labels: list[str], x: Axis, y: Axis) -> Iterator[Html]:
    """What fails a floor is paler."""
    for row, cost, quality in points:
        number = labels.index(row.setting.label)
        held = "holds every floor" if row.fits else f"fails {row.failures[0]}"
        title = f"{row.setting.name}: {quality:.3f}, {cost}; {held}"
        spot = marker(number, x.at(math.log10(cost.cpu_s)), y.at(quality), title=title)
        yield tag("g", spot, class_=series_class(number), fill="currentColor", fill_opacity=1.0 if row.fits else 0.35)
