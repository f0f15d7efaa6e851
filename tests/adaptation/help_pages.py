"""A tiny LibreOffice help: the layout and the markup of the real one, with texts of our own."""

from __future__ import annotations

from pathlib import Path

PAGE = """<!DOCTYPE html>
<html lang="{language}"><head><title>{language}</title></head><body>
<header><p>Header of the web site</p></header>
<div id="DisplayArea" itemprop="articleBody">{content}</div>
<footer><div id="DEBUG" class="debug"><h3 class="bug" id="bug">Debug</h3><p>This page is</p></div></footer>
</body></html>"""


def write_page(root: Path, language: str, name: str, content: str) -> None:
    """One page below usr/share/libreoffice/help/<language>/text."""
    path = root / "usr/share/libreoffice/help" / language / "text" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGE.format(language=language, content=content), encoding="utf-8")


def section(heading_id: str, heading: str, *paragraphs: str, level: int = 2) -> str:
    """Markup of a heading with paragraphs."""
    body = "".join(f'<p id="{heading_id}_{n}" class="paragraph">{text}</p>' for n, text in enumerate(paragraphs))
    return f'<h{level} id="{heading_id}" dir="auto">{heading}</h{level}>{body}'
