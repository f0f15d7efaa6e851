"""The stage budget as stacked bars, and latency by language as bars.

Budget ... --> a bar each;  GroupFigures ... --> p99, its interval, and p50 as a mark
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from interlingua.display.bars import Bar, bars
from interlingua.display.chart import WIDTH, Axis, chart, line, series_class, words
from interlingua.display.figures import digits, milliseconds
from interlingua.display.page import Html, joined, tag
from interlingua.display.page_style import LIGHT
from interlingua_loadtest.report.stage_budget import STAGES

if TYPE_CHECKING:
    from interlingua_loadtest.report.model import GroupFigures, RunFigures
    from interlingua_loadtest.report.stage_budget import Budget

_ROW, _BAR, _TOP, _FOOT, _RIGHT = 38, 16, 4, 24, WIDTH - 10
_NARROW = 6.5  # units a character takes


def budget_charts(runs: Sequence[RunFigures]) -> Html:
    """One chart for p50 and one for p99, a bar a run and kind of request."""
    entries = [(f"{run.name}, {entry.kind}", entry) for run in runs for entry in run.budgets if entry.group == "all"]
    charts = []
    for percent in sorted({entry.percent for _, entry in entries}):
        rows = [(name, entry) for name, entry in entries if entry.percent == percent]
        charts.append(_chart(f"Stage budget around p{percent:g}, share of its latency", rows))
    if not charts:
        return Html()
    names = [name for name in STAGES if any(name in entry.stages for _, entry in entries)]
    return joined([tag("div", *charts, class_="figures"), _legend(names)])


def group_chart(caption: str, found: Sequence[GroupFigures]) -> Html:
    """Latency of languages, or of lengths; nothing where there are not two groups with answers."""
    rows = [_bar(group) for group in found if group.answered]
    if len(rows) < 2:
        return Html()
    what = "A bar is p99, the thin line its interval where both ends are known, the thick mark p50, in milliseconds."
    return tag("div", bars(f"{caption}, ms", what, rows, tick="{:g}", shown=digits, against="p50"), class_="figures")


def _bar(group: GroupFigures) -> Bar:
    p50, p99 = group.percentiles
    ends = (1e3 * p99.low_s, 1e3 * p99.high_s)
    low, high = ends if all(map(math.isfinite, ends)) else (None, None)
    return Bar(group.name or "unknown", 1e3 * p99.seconds, low, high, 1e3 * p50.seconds)


def _chart(caption: str, rows: Sequence[tuple[str, Budget]]) -> Html:
    """Every bar is one latency long, so that fast runs are to be seen beside slow ones."""
    shares = [_shares(entry) for _, entry in rows]
    least = min(sum(value for value in row.values() if value < 0) for row in shares)
    most = max(sum(value for value in row.values() if value > 0) for row in shares)
    axis = Axis(least, most, 4, _RIGHT)
    bottom = _TOP + _ROW * len(rows)
    described = (f"{name}: {', '.join(f'{stage} {text}' for stage, text in _known(entry))} ms" for name, entry in rows)
    content = [*_scale(axis, bottom)]
    for place, ((name, entry), row) in enumerate(zip(rows, shares, strict=True)):
        content += _row(f"{name}: {milliseconds(entry.latency_s)} ms", entry, row, axis, _TOP + _ROW * place)
    return chart(caption, f"{'; '.join(described)}.", bottom + _FOOT, content)


def _scale(axis: Axis, bottom: float) -> Iterator[Html]:
    for tick in axis.ticks(4):
        yield line(axis.at(tick), _TOP, axis.at(tick), bottom, "grid")
        yield words(axis.at(tick), bottom + 14, f"{tick:.0%}", "middle")


def _row(label: str, budget: Budget, shares: Mapping[str, float], axis: Axis, top: float) -> Iterator[Html]:
    """A stage below zero goes to the left of it."""
    yield words(4, top + 13, label)
    ahead = behind = 0.0
    for stage, share in shares.items():
        start, end = (ahead, ahead + share) if share > 0 else (behind + share, behind)
        yield _segment(stage, budget.stages[stage], axis.at(start), axis.at(end), top + 17)
        ahead, behind = ahead + max(share, 0.0), behind + min(share, 0.0)


def _segment(stage: str, seconds: float, start: float, end: float, top: float) -> Html:
    width = round(end - start, 1)
    title = tag("title", f"{stage} {milliseconds(seconds)} ms")
    rect = tag("rect", title, x=start, y=top, width=width, height=_BAR, class_="stage", **_paint(stage))
    parts = [rect]
    if width >= _NARROW * len(stage) + 4:
        middle = round((start + end) / 2, 1)
        parts.append(
            tag("text", stage, x=middle, y=top + 12, text_anchor="middle", class_=None if _is_pale(stage) else "within")
        )
    return tag("g", *parts, class_=series_class(STAGES.index(stage)))


def _paint(stage: str) -> dict[str, str | float]:
    return {"fill": "currentColor", **({"fill_opacity": 0.45} if _is_pale(stage) else {})}


def _is_pale(stage: str) -> bool:
    """There are more stages than colours: those beyond are drawn paler."""
    return STAGES.index(stage) >= len(LIGHT.series)


def _shares(budget: Budget) -> dict[str, float]:
    whole = max(budget.latency_s, 1e-9)
    return {name: seconds / whole for name, seconds in budget.stages.items() if seconds and not math.isnan(seconds)}


def _legend(names: Sequence[str]) -> Html:
    def entry(name: str) -> Html:
        box = tag("rect", x=6, y=1, width=16, height=12, class_="stage", **_paint(name))
        classes = series_class(STAGES.index(name))
        return tag("li", tag("svg", box, viewBox="0 0 28 14", class_=classes, aria_hidden="true"), name)

    return tag("ul", *map(entry, names), class_="legend")


def _known(budget: Budget) -> list[tuple[str, str]]:
    return [(stage, milliseconds(seconds)) for stage, seconds in budget.stages.items() if not math.isnan(seconds)]
