"""The picture of the space: documents as points, languages by colour and shape, before and after offsets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from interlingua.display.chart import WIDTH, Axis, chart, legend, marker, series_class
from interlingua.display.page import Html, joined, tag

if TYPE_CHECKING:
    from interlingua_evaluation.gap.projection import Projection, Projections

_MARGIN = 8
_SIDE = WIDTH - 2 * _MARGIN


def pictures(found: Projections) -> Html:
    """Two plots and their legend."""
    languages = list(dict.fromkeys(point.language for point in found.before.points + found.after.points))
    plots = [
        _plot("As the vectors are", found.before, languages),
        _plot("With offsets removed", found.after, languages),
    ]
    return joined([tag("div", *plots, class_="figures"), legend(languages, lines=False)])


def _plot(caption: str, projection: Projection, languages: list[str]) -> Html:
    points = [point for point in projection.points if math.isfinite(point.x + point.y)]
    xs, ys = [point.x for point in points] or [0.0], [point.y for point in points] or [0.0]
    side = max(max(xs) - min(xs), max(ys) - min(ys))
    x = _axis(xs, side, _MARGIN, _MARGIN + _SIDE)
    y = _axis(ys, side, _MARGIN + _SIDE, _MARGIN)
    drawn = (
        tag(
            "g",
            *(
                marker(number, x.at(point.x), y.at(point.y), title=f"{point.document} ({language})")
                for point in points
                if point.language == language
            ),
            class_=series_class(number),
            fill="currentColor",
            fill_opacity=0.75,
        )
        for number, language in enumerate(languages)
    )
    shares = " and ".join(f"{part:.0%}" for part in projection.explained)
    frame = tag("rect", x=1, y=1, width=WIDTH - 2, height=WIDTH - 2, fill="none", class_="grid")
    description = f"{len(points)} documents in {len(languages)} languages along their two directions of most variance."
    return chart(f"{caption}: {shares} of the variance", description, WIDTH, [frame, *drawn])


def _axis(values: list[float], side: float, start: float, end: float) -> Axis:
    """Both axes have one scale, so that distances are what they look."""
    middle = (max(values) + min(values)) / 2
    return Axis(middle - side / 2, middle + side / 2, start, end)
