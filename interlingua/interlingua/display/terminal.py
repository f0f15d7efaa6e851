"""Where commands print: lines and grids, piece by piece.

Grid, Line, text --rich--> a terminal, as wide as it is; a pipe or a file, of a fixed width
"""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from interlingua.display.grid import Cell, Grid, Line, Style

Part = Grid | Line | str

PIPED_WIDTH = 120
_PALE = (255, 255, 255)
_GOOD, _BAD = (90, 160, 220), (235, 150, 80)
_STYLES: dict[Style, str] = {
    "": "",
    "strong": "bold",
    "faint": "dim",
    "good": "green",
    "warning": "yellow",
    "bad": "bold red",
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """A reader that went away (`| head`) is no result of ours: rich would exit with 1, which here means one."""
        raise BrokenPipeError


def console(piped_width: int = PIPED_WIDTH) -> Console:
    """For standard output, without rich's own colouring of numbers and paths.

    Args:
        piped_width: characters of a line where nobody says how wide a line is.
    """
    made = _Console(highlight=False)
    return made if made.is_terminal else _Console(highlight=False, width=piped_width)


def print_parts(parts: Iterable[Part], piped_width: int = PIPED_WIDTH, out: Console | None = None) -> None:
    """Grids, lines and texts, one after the other; `out` where it is not standard output."""
    out = out or console(piped_width)
    for part in parts:
        out.print(_rendered(part))


def _rendered(part: Part) -> RenderableType:
    if isinstance(part, Grid):
        notes = (Text(note, style="dim") for note in part.notes)
        return Group(*([Text(part.title, style="bold")] if part.title else []), _table(part), *notes, Text())
    line = part if isinstance(part, Line) else Line(part)
    return Text.assemble((line.head, "bold"), (line.text, _STYLES[line.style]), overflow="fold")


def _table(grid: Grid) -> Table:
    table = Table(
        box=None if grid.is_narrow else box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0) if grid.is_narrow else (0, 1),
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for number, name in enumerate(grid.header):
        table.add_column(Text(name), justify="left" if number < grid.names else "right", overflow="fold")
    for cells in grid.rows:
        table.add_row(*(_text(cell, is_narrow=grid.is_narrow) for cell in cells))
    return table


def _text(cell: Cell, *, is_narrow: bool) -> Text:
    text = cell.text if is_narrow or not cell.small else f"{cell.text}\n{cell.small}"
    if cell.heat is None:
        return Text(text, style="bold" if cell.strong else "")
    return Text(text, style=f"black on rgb({_colour(cell.heat)})")


def _colour(heat: float) -> str:
    strength = min(abs(heat), 1.0)
    full = _GOOD if heat >= 0 else _BAD
    return ",".join(str(round(pale + (end - pale) * strength)) for pale, end in zip(_PALE, full, strict=True))
