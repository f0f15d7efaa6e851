"""The plan on a terminal: the machines, the sentences, what the plan hangs on.

Plan --> Grid, Line ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.grid import Line
from interlingua_loadtest.capacity.plan.report import tables
from interlingua_loadtest.capacity.plan.report.sentences import paragraphs

if TYPE_CHECKING:
    from interlingua.display.terminal import Part
    from interlingua_loadtest.capacity.plan.records import Plan


def parts(plan: Plan) -> Iterator[Part]:
    """What is printed, piece by piece."""
    yield tables.machines(plan)
    for title, sentences in paragraphs(plan):
        yield Line(title, "strong")
        for sentence in sentences:
            yield Line(f"- {sentence}")
        yield Line()
    for one in plan.hardware:
        yield tables.effects(plan, one)
