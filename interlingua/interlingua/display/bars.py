"""Bars with a mark each: what is, beside what it is compared with.

Bar (value, interval, mark) --> chart
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from interlingua.display.chart import WIDTH, Axis, chart, line, words
from interlingua.display.figures import number
from interlingua.display.page import Html, joined, tag

_LEFT, _RIGHT = 70, WIDTH - 44
_ROW, _TOP, _FOOT = 24, 4, 24


class Bar(NamedTuple):
    """One line.

    Attributes:
        low, high: ends of its interval; None: none is known.
        mark: what it is compared with, such as what a neutral system would show.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    mark: float


def bars(
    caption: str,
    what: str,
    rows: Sequence[Bar],
    *,
    tick: str = "{:.0%}",
    shown: Callable[[float], str] = number,
    against: str = "against",
) -> Html:
    """A chart of bars from 0.

    Args:
        what: a sentence that says what bar and mark are.
        tick: how a place on the axis is written; shown: how a value is.
        against: what is said between a bar's value and its mark's.
    """
    known = [bar for bar in rows if math.isfinite(bar.value)]
    ends = [value for bar in known for value in (bar.value, bar.high, bar.mark) if value is not None]
    axis = Axis(0, max([0.1, *(end for end in ends if math.isfinite(end))]), _LEFT, _RIGHT)
    bottom = _TOP + _ROW * len(known)
    values = "; ".join(f"{bar.name} {shown(bar.value)}, {against} {shown(bar.mark)}" for bar in known)
    content = [*_scale(axis, bottom, tick)]
    content += [_bar(bar, axis, _TOP + _ROW * place, shown) for place, bar in enumerate(known)]
    return chart(caption, f"{what} {values}.", bottom + _FOOT, content)


def _scale(axis: Axis, bottom: float, form: str) -> Iterator[Html]:
    for tick in axis.ticks(4):
        yield line(axis.at(tick), _TOP, axis.at(tick), bottom, "grid")
        yield words(axis.at(tick), bottom + 14, form.format(tick), "middle")


def _bar(bar: Bar, axis: Axis, top: float, shown: Callable[[float], str]) -> Html:
    middle, end = top + _ROW / 2, axis.at(bar.value)
    parts = [
        words(_LEFT - 6, middle + 4, bar.name, "end"),
        tag("rect", x=_LEFT, y=top + 5, width=round(end - _LEFT, 1), height=_ROW - 10, class_="bar"),
    ]
    ends = [end]
    if bar.low is not None and bar.high is not None and math.isfinite(bar.low + bar.high):
        parts.append(line(axis.at(bar.low), middle, axis.at(bar.high), middle, "axis"))
        ends.append(axis.at(bar.high))
    if math.isfinite(bar.mark):
        parts.append(line(axis.at(bar.mark), top + 2, axis.at(bar.mark), top + _ROW - 2, "mark"))
        ends.append(axis.at(bar.mark))
    return joined([*parts, words(max(ends) + 5, middle + 4, shown(bar.value))])
