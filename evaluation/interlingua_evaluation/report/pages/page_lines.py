"""Quality against what reranking costs: a line a first stage, a point a depth.

SystemFigures, with and without a reranker --> StageLine ... --> one chart for the mixed pool, one across languages
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.display.chart import WIDTH, Axis, chart, dashes, legend, line, marker, series_class, words
from interlingua.display.figures import number
from interlingua.display.page import Html, joined, tag
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.differences import SORT_NAMES

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Breakdown, Figure, Report, SystemFigures

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 270, 42, WIDTH - 14, 10, 216
_STEP = 0.05
_RERANK = "+rerank@"


@dataclass(frozen=True)
class StageLine:
    """A first stage.

    Attributes:
        points: pairs that the reranker reads a query, and nDCG@10; by the former.
    """

    name: str
    points: tuple[tuple[float, Breakdown], ...]


def rerank_charts(report: Report) -> Html | None:
    """None where nothing was reranked."""
    lines = rerank_lines(report.systems)
    if not lines:
        return None
    rate = report.configuration.rerank_pairs_per_second
    charts = [_chart(lines, sort, rate) for sort in ("mixed", "across")]
    names = legend((one.name for one in lines), lines=True)
    return joined([tag("div", *(chart for chart in charts if chart is not None), class_="figures"), names])


def rerank_lines(systems: Sequence[SystemFigures]) -> list[StageLine]:
    """Systems that differ in the depth of reranking alone; without reranking the reranker reads 0 pairs.

    What compares stored token vectors reads none at any depth, and has no line.
    """
    plain = {system.name: system for system in systems if system.rerank is None}
    lines: dict[str, list[tuple[float, Breakdown]]] = {}
    for system in systems:
        if system.rerank is not None and system.rerank.pairs_per_query:
            stage, weight = _stage(system.name)
            start = [(0.0, plain[stage].measures[NDCG].all)] if stage in plain else []
            points = lines.setdefault(f"{stage}, weight {weight}" if weight else stage, start)
            points.append((system.rerank.pairs_per_query, system.measures[NDCG].all))
    return [StageLine(name, tuple(sorted(points, key=lambda point: point[0]))) for name, points in lines.items()]


def _stage(name: str) -> tuple[str, str]:
    """What is reranked, and the weight if the name has one."""
    stage, _, setting = name.rpartition(_RERANK)
    return stage or name, setting.partition("@")[2]


def _chart(lines: Sequence[StageLine], sort: str, rate: float | None) -> Html | None:
    drawn = [[(x, figure) for x, of in one.points if (figure := _known(of, sort))] for one in lines]
    figures = [figure for points in drawn for _, figure in points]
    if not figures:
        return None
    y = Axis(_down(min(one.low for one in figures)), _up(max(one.high for one in figures)), _BOTTOM, _TOP)
    x = Axis(0, max(pairs for points in drawn for pairs, _ in points), _LEFT, _RIGHT)
    caption = f"{NDCG}, {SORT_NAMES[sort]}, by pairs read a query"
    description = "; ".join(
        f"{one.name}: {', '.join(f'{number(figure.mean)} at {pairs:g} pairs' for pairs, figure in points)}"
        for one, points in zip(lines, drawn, strict=True)
    )
    content = [*_axes(x, y, rate), *(_line(place, points, x, y) for place, points in enumerate(drawn))]
    return chart(caption, description, _HEIGHT, content)


def _known(breakdown: Breakdown, sort: str) -> Figure | None:
    found: Figure | None = getattr(breakdown, sort)
    return found if found is not None and math.isfinite(found.mean + found.low + found.high) else None


def _axes(x: Axis, y: Axis, rate: float | None) -> Iterator[Html]:
    for tick in y.ticks():
        yield line(_LEFT, y.at(tick), _RIGHT, y.at(tick), "grid")
        yield words(_LEFT - 5, y.at(tick) + 4, f"{tick:.2f}", "end")
    yield line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    for tick in x.ticks(4):
        yield line(x.at(tick), _BOTTOM, x.at(tick), _BOTTOM + 4, "axis")
        yield words(x.at(tick), _BOTTOM + 16, f"{tick:g}", "middle")
        if rate:
            yield words(x.at(tick), _BOTTOM + 30, f"{tick / rate:.2g} s", "middle")
    unit = "pairs the reranker reads a query" + (", and seconds that takes" if rate else "")
    yield words((_LEFT + _RIGHT) / 2, _BOTTOM + 48, unit, "middle")


def _line(place: int, points: Sequence[tuple[float, Figure]], x: Axis, y: Axis) -> Html:
    places = [(x.at(pairs), y.at(figure.mean)) for pairs, figure in points]
    path = "M" + "L".join(f"{one:g} {other:g}" for one, other in places) if places else "M0 0"
    stroke = tag("path", d=path, fill="none", stroke="currentColor", stroke_width=2, stroke_dasharray=dashes(place))
    whiskers = tag(
        "path",
        d="".join(f"M{x.at(pairs):g} {y.at(one.low):g}V{y.at(one.high):g}" for pairs, one in points),
        stroke="currentColor",
    )
    markers = (
        marker(place, *spot, title=f"{pairs:g} pairs: {number(one.mean)} ({number(one.low)} to {number(one.high)})")
        for spot, (pairs, one) in zip(places, points, strict=True)
    )
    return tag("g", stroke, whiskers, *markers, class_=series_class(place), fill="currentColor")


def _down(value: float) -> float:
    return math.floor(value / _STEP) * _STEP


def _up(value: float) -> float:
    return math.ceil(value / _STEP) * _STEP
