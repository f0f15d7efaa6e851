"""A page that needs nothing else: HTML out of text, tables, sections that say how they are read, one document.

text --tag--> Html;  Grid --table--> Html;  title, parts --document--> HTML

Whatever is not marked as HTML already is escaped. The page's own policy lets nothing be loaded and no script but its
own run: that one unfolds everything before printing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from interlingua.display.page_style import HEAT_STEPS, style

if TYPE_CHECKING:
    from interlingua.display.grid import Cell, Grid

_SCRIPT = 'addEventListener("beforeprint",()=>document.querySelectorAll("details").forEach(part=>part.open=true))'


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str | float | None) -> Html:
    """An element around content, which is escaped unless it is Html.

    Args:
        attributes: `class_` is class, `text_anchor` is text-anchor; None leaves one out.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{shown}>{joined(content)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """One after the other, each escaped unless it is Html."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def text_of(text: str, language: str) -> Html:
    """A text out of the dataset, in its own direction."""
    return tag("span", text, dir="auto", lang=language or None)


def table(grid: Grid, *, class_: str | None = None) -> Html:
    """A table in a box of its own that scrolls, and its notes."""
    head = tag("tr", *(tag("th", name, scope="col") for name in grid.header))
    rows = (
        tag(
            "tr",
            *(_cell(cell, is_header=number == 0, is_name=number < grid.names) for number, cell in enumerate(cells)),
        )
        for cells in grid.rows
    )
    whole = tag("table", tag("caption", grid.title), tag("thead", head), tag("tbody", *rows), class_=class_)
    box = tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label=grid.title)
    return joined([box, *(tag("p", note, class_="note") for note in grid.notes)])


def folded(summary: str, *content: str, is_open: bool = False) -> Html:
    """Content that a click unfolds."""
    return tag("details", tag("summary", summary), *content, **({"open": ""} if is_open else {}))


def all_tables(grids: Iterable[Grid | None]) -> Html:
    """One below the other, but for those that are None."""
    return joined(table(grid) for grid in grids if grid is not None)


@dataclass(frozen=True)
class PageSection:
    """A part of the page.

    Attributes:
        id: its address on the page.
        how: how it is read.
        content: nothing where the report has none of it.
    """

    id: str
    title: str
    how: str
    content: Html


def document(title: str, *parts: Html, rules: str = "") -> str:
    """The whole page; `rules`: CSS that this page alone has."""
    body = tag("body", *parts, Html(f"<script>{_SCRIPT}</script>"))
    return f'<!DOCTYPE html>\n<html lang="en">{_head(title, rules)}{body}</html>\n'


def section_html(section: PageSection, *, absent: str) -> Html:
    """A section, which says `absent` where it has no content."""
    content = section.content or tag("p", absent)
    heading = tag("h2", section.title, id=f"{section.id}-title")
    how = tag("p", section.how, class_="how")
    return tag("section", heading, how, content, id=section.id, aria_labelledby=f"{section.id}-title")


def _head(title: str, rules: str) -> Html:
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return Html(
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="color-scheme" content="light dark">'
        f"{tag('title', title)}<style>{style()}{rules}</style></head>"
    )


def _cell(cell: Cell, *, is_header: bool, is_name: bool) -> Html:
    text = text_of(cell.text, cell.language) if cell.language else cell.text
    small = [tag("small", cell.small)] if cell.small else []
    classes = (
        " ".join(
            filter(
                None, [_heat(cell.heat), "strong" if cell.strong else "", "name" if is_name and not is_header else ""]
            )
        )
        or None
    )
    title = cell.title or None
    if is_header:
        return tag("th", _breakable(text), *small, scope="row", class_=classes, title=title)
    return tag("td", text, *small, class_=classes, title=title)


def _breakable(text: str) -> Html:
    """A system's name may go on in the next line after a plus, and nowhere else."""
    if isinstance(text, Html):
        return text
    return Html("+<wbr>".join(escape(part) for part in text.split("+")))


def _heat(heat: float | None) -> str:
    if heat is None:
        return ""
    step = min(round(abs(heat) * HEAT_STEPS), HEAT_STEPS)
    return f"worse{step}" if heat < 0 else f"heat{step}"
