"""What charts share: a drawing with a title and a description, an axis, a series' colour and shape.

A chart is 360 units wide, so that its text is as large as the page's on a phone. Series differ in colour, in shape and
in the dashes of their lines, so that colour alone says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from interlingua.display.page import Html, tag
from interlingua.display.page_style import LIGHT

WIDTH = 360

_SHAPES = (
    "M{x} {y}m-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0",  # circle
    "M{x} {y}m-3-3h6v6h-6z",  # square
    "M{x} {y}m0-4l3.8 6.8h-7.6z",  # triangle
    "M{x} {y}m0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4z",  # diamond
    "M{x} {y}m0 4l3.8-6.8h-7.6z",  # triangle on its tip
    "M{x} {y}m-1.3-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",  # cross
    "M{x} {y}m-4.4-2h8.8v4h-8.8z",  # bar
)
_DASHES = ("none", "6 3", "2 3", "8 3 2 3", "12 4")


class Axis(NamedTuple):
    """From values to places on the drawing.

    Attributes:
        low, high: values at the ends.
        start, end: their places.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """To a tenth of a unit."""
        width = self.high - self.low or 1.0
        return round(self.start + (value - self.low) / width * (self.end - self.start), 1)

    def ticks(self, number: int = 5) -> list[float]:
        """Round values between the ends, about so many."""
        rough = (self.high - self.low) / number or 1.0
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(step * count, 10) for count in range(first, last + 1)]


def chart(caption: str, description: str, height: float, content: Iterable[str]) -> Html:
    """A chart under its caption, with words for who cannot see it."""
    drawing = tag(
        "svg",
        tag("title", caption),
        tag("desc", description),
        *content,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
    )
    return tag("figure", tag("figcaption", caption), drawing)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def words(x: float, y: float, text: str, anchor: str = "start") -> Html:
    """A line of text."""
    return tag("text", text, x=x, y=y, text_anchor=anchor)


def series_class(number: int) -> str:
    """The colour of a series."""
    return f"series{number % len(LIGHT.series)}"


def dashes(number: int) -> str:
    """The dashes of a series' line."""
    return _DASHES[number % len(_DASHES)]


def marker(number: int, x: float, y: float, title: str = "") -> Html:
    """A point of a series: 8 colours and 7 shapes make 56 that differ."""
    shape = _SHAPES[number % len(_SHAPES)].format(x=f"{x:g}", y=f"{y:g}")
    return tag("path", *([tag("title", title)] if title else []), d=shape)


def legend(names: Iterable[str], *, lines: bool) -> Html:
    """What each series is, in text."""
    return tag("ul", *(_entry(number, name, lines=lines) for number, name in enumerate(names)), class_="legend")


def _entry(number: int, name: str, *, lines: bool) -> Html:
    stroke = [tag("path", d="M0 7H28", stroke="currentColor", stroke_width=2, stroke_dasharray=dashes(number))]
    key = tag(
        "svg",
        *(stroke if lines else []),
        marker(number, 14, 7),
        viewBox="0 0 28 14",
        class_=series_class(number),
        fill="currentColor",
        aria_hidden="true",
    )
    return tag("li", key, name)
