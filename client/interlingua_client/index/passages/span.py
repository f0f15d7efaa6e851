"""Where a passage is in its document's text, and what is embedded of it."""

from __future__ import annotations

from typing import NamedTuple

from interlingua.served.text.normal_form import normal_form


class Span(NamedTuple):
    """A passage of a text: text[start:end], in code points.

    Attributes:
        heading: what it stands under, outermost first, " > " between them; "" for nothing. A heading that the slice
            itself begins with is not in it.
    """

    start: int
    end: int
    heading: str = ""


def passage_text(title: str, heading: str, text: str) -> str:
    """What is embedded of a passage: its title, its heading and itself, a line break between them."""
    return "\n".join(part for part in (title, heading, text) if normal_form(part).strip())
