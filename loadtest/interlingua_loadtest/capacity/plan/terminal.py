"""The plan on a terminal: the machines, the sentences, what the plan hangs on.

Plan --> rich
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from interlingua.display.terminal_table import terminal_table
from interlingua_loadtest.capacity.plan import tables
from interlingua_loadtest.capacity.plan.words import paragraphs

if TYPE_CHECKING:
    from rich.console import RenderableType

    from interlingua_loadtest.capacity.plan.records import Plan


def parts(plan: Plan) -> Iterator[RenderableType]:
    """What is printed, piece by piece."""
    yield terminal_table(tables.machines(plan))
    for title, sentences in paragraphs(plan):
        yield Text(title, style="bold")
        for sentence in sentences:
            yield Text(f"- {sentence}")
        yield Text()
    for one in plan.hardware:
        yield terminal_table(tables.effects(plan, one))
