"""A Grid for a document: Grid --> a Markdown table under its title, its notes as a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.display.grid import Cell, Grid


def markdown(grid: Grid) -> str:
    """The whole of it; what a cell says in small stands behind its text, in brackets."""
    lines = [f"**{grid.title}**", "", _line(grid.header), "|---" * len(grid.header) + "|"]
    lines += [_line(map(_text, cells)) for cells in grid.rows]
    return "\n".join([*lines, *(["", *(f"- {note}" for note in grid.notes)] if grid.notes else [])])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(cell: Cell) -> str:
    text = f"{cell.text} ({cell.small})" if cell.small else cell.text
    return text.replace("|", "/")
