"""What every report's page is: one document that needs nothing else, of sections that say how they are read.

title, parts --> HTML

The page's own policy lets nothing be loaded and no script but its own run: that one unfolds everything before printing.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from interlingua.display.page_html import Html, tag
from interlingua.display.page_style import style

_SCRIPT = 'addEventListener("beforeprint",()=>document.querySelectorAll("details").forEach(part=>part.open=true))'


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
