"""A Grid for a terminal: Grid --> rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from interlingua.display.grid import Cell, Grid

_PALE = (255, 255, 255)
_GOOD, _BAD = (90, 160, 220), (235, 150, 80)


def terminal_table(grid: Grid, *, narrow: bool = False) -> Group:
    """A table under its title; `narrow` leaves out what is said in small and the space between columns."""
    notes = (Text(note, style="dim") for note in grid.notes)
    return Group(Text(grid.title, style="bold"), _table(grid, narrow=narrow), *notes, Text())


def _table(grid: Grid, *, narrow: bool) -> Table:
    table = Table(
        box=None if narrow else box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0) if narrow else (0, 1),
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for number, name in enumerate(grid.header):
        table.add_column(Text(name), justify="left" if number < grid.names else "right", overflow="fold")
    for cells in grid.rows:
        table.add_row(*(_text(cell, narrow=narrow) for cell in cells))
    return table


def _text(cell: Cell, *, narrow: bool) -> Text:
    text = cell.text if narrow or not cell.small else f"{cell.text}\n{cell.small}"
    if cell.heat is None:
        return Text(text, style="bold" if cell.strong else "")
    return Text(text, style=f"black on rgb({_colour(cell.heat)})")


def _colour(heat: float) -> str:
    strength = min(abs(heat), 1.0)
    full = _GOOD if heat >= 0 else _BAD
    return ",".join(str(round(pale + (end - pale) * strength)) for pale, end in zip(_PALE, full, strict=True))
