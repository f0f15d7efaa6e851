"""A table before it has a form.

records --*_tables.py, heat_maps.py--> Grid --page.py--> <table>
                                            --terminal.py--> a terminal
                                            --markdown.py--> a document
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal, NamedTuple

Style = Literal["", "strong", "faint", "good", "warning", "bad"]


class Cell(NamedTuple):
    """One entry.

    Attributes:
        text: what it says.
        small: what is said beside or below it, such as an interval.
        heat: strength of its colour, 0 to 1; below 0, to -1, of the colour for worse; None: no colour.
        strong: to be noticed, such as a difference whose interval excludes 0.
        title: more of it, where there is room (the page shows it on pointing).
        language: of a text out of the dataset; "" for our own words.
    """

    text: str
    small: str = ""
    heat: float | None = None
    strong: bool = False
    title: str = ""
    language: str = ""


class Line(NamedTuple):
    """A line beside the tables, on a terminal; `head` comes before it and is strong."""

    text: str = ""
    style: Style = ""
    head: str = ""


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        header: of the columns; the first column names the rows.
        notes: below the table.
        names: columns at the left that are words; the others are figures.
        is_narrow: on a terminal what is said in small and the space between columns is left out.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    _: KW_ONLY
    notes: tuple[str, ...] = ()
    names: int = 1
    is_narrow: bool = False


def row(*entries: Cell | str) -> tuple[Cell, ...]:
    """A row of cells and of bare texts."""
    return tuple(entry if isinstance(entry, Cell) else Cell(entry) for entry in entries)
