"""What the plan hangs on, as bars: by how much each change lowers or raises a replica's rate.

Effect ... --> SVG, bars to the left are losses, the thin line is the 95% interval
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from interlingua.display.chart import WIDTH, Axis, chart, line, words
from interlingua.display.figures import signed_share
from interlingua.display.page import Html, joined, tag

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.plan.records import Effect, HardwarePlan

_LEFT, _RIGHT = 204, WIDTH - 40
_ROW, _TOP, _FOOT = 22, 4, 24
_LEAST = 0.02  # of the axis, to either side: hardly anything should not look like much


def effect_bars(one: HardwarePlan) -> Html:
    """A bar a change."""
    effects = one.effects
    ends = [end for effect in effects for end in (effect.change.low, effect.change.high, effect.change.relative)]
    axis = Axis(min([-_LEAST, *ends]), max([_LEAST, *ends]), _LEFT, _RIGHT)
    bottom = _TOP + _ROW * len(effects)
    caption = f"{one.name}: change of a replica's highest rate ({one.origin})"
    values = "; ".join(f"{effect.change.name} {signed_share(effect.change.relative)}" for effect in effects)
    return chart(caption, f"{values}.", bottom + _FOOT, [*_scale(axis, bottom), *_bars(effects, axis)])


def _scale(axis: Axis, bottom: float) -> Iterator[Html]:
    for tick in axis.ticks(4):
        yield line(axis.at(tick), _TOP, axis.at(tick), bottom, "grid")
        yield words(axis.at(tick), bottom + 14, f"{tick:+.0%}", "middle")
    yield line(axis.at(0), _TOP, axis.at(0), bottom, "axis")


def _bars(effects: Sequence[Effect], axis: Axis) -> Iterator[Html]:
    for place, effect in enumerate(effects):
        yield _bar(effect, axis, _TOP + _ROW * place)


def _bar(effect: Effect, axis: Axis, top: float) -> Html:
    change, middle = effect.change, top + _ROW / 2
    start, end = sorted((axis.at(0), axis.at(change.relative)))
    return joined(
        [
            words(_LEFT - 6, middle + 4, change.name, "end"),
            tag("rect", x=start, y=top + 5, width=round(end - start, 1), height=_ROW - 10, class_="bar"),
            line(axis.at(change.low), middle, axis.at(change.high), middle, "axis"),
            words(max(end, axis.at(change.high)) + 4, middle + 4, signed_share(change.relative)),
        ]
    )
