"""Sections of LibreOffice's help, aligned across languages.

    usr/share/libreoffice/help/<language>/text/**/*.html
        --> a heading (h1 to h3 with an id) and the paragraphs under it --> Section, keyed (file, heading id)

The same file and heading id is the same section in every language. The texts are LibreOffice's, under the
Mozilla Public License 2.0; nothing of them is kept in this project. They come from Debian's
`libreoffice-help-*` packages (`interlingua/base/debian_packages.py`) or from any folder with that layout.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.extras import require
from interlingua_adaptation.corpus_step.section import Section
from interlingua_client.language_tag import normalize_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.html import HtmlElement

LICENCE = "MPL-2.0"
HELP_FOLDER = Path("usr/share/libreoffice/help")

_HEADINGS = ("h1", "h2", "h3")
_PARAGRAPHS = ("p",)
# Embedded paragraphs are quoted from another page, where they are found as well.
_LEFT_OUT_CLASSES = frozenset(
    {"related", "relatedtopics", "relatedbody", "embedded", "howtogetheader", "debug", "noteicon"}
)
_MAC_VARIANTS = ".//span[@class='MAC']"  # stand beside what the other systems' menus say


def chosen(languages: Sequence[str]) -> list[str]:
    """The languages as BCP 47 tags, each once.

    Raises:
        InputError: one of them is no language tag, or there are fewer than two.
    """
    try:
        tags = list(dict.fromkeys(_tag(language) for language in languages))
    except ValueError as error:
        raise InputError(str(error)) from None
    if len(tags) < 2:
        raise InputError("name two or more languages of LibreOffice's help: one alone has nothing to be aligned with")
    return tags


def packages(tags: Sequence[str]) -> list[str]:
    """Debian's package names for these languages."""
    return [f"libreoffice-help-{'en-us' if tag == 'en' else tag.lower()}" for tag in tags]


def read_sections(folders: Sequence[Path], tags: Sequence[str]) -> Iterator[Section]:
    """All sections with a heading, language by language; some have no text, and some come twice.

    Args:
        folders: the unpacked packages' roots, or help folders themselves.
        tags: the languages wanted.

    Raises:
        InputError: a language that is in none of the folders, or lxml is not installed.
    """
    require("adapt", "lxml", used_for="reading help pages")
    roots = [folder / HELP_FOLDER if (folder / HELP_FOLDER).is_dir() else folder for folder in folders]
    found = {
        tag: root / name / "text"
        for root in roots
        for name in sorted(path.parent.name for path in root.glob("*/text") if path.is_dir())
        if (tag := _folder_tag(name))
    }
    if missing := [tag for tag in tags if tag not in found]:
        raise InputError(
            f"no LibreOffice help in {', '.join(missing)} (looked for {HELP_FOLDER}/<language>/text in "
            f"{', '.join(map(str, folders))}; there is {', '.join(sorted(found)) or 'none'})"
        )
    for tag in tags:
        for page in sorted(found[tag].rglob("*.html")):
            yield from _sections_of(page, page.relative_to(found[tag]).as_posix(), tag)


def _tag(name: str) -> str:
    tag = normalize_tag(name)
    return "en" if tag == "en-US" else tag


def _folder_tag(name: str) -> str:
    """The language of a folder, or ""."""
    try:
        return _tag(name)
    except ValueError:
        return ""


def _sections_of(page: Path, name: str, language: str) -> Iterator[Section]:
    from lxml import etree, html

    try:
        tree = html.fromstring(page.read_bytes(), parser=html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:  # an empty file
        return
    areas = tree.xpath("//div[@id='DisplayArea']")
    if not areas:
        return
    for variant in areas[0].xpath(_MAC_VARIANTS):
        variant.drop_tree()
    heading, heading_id, paragraphs = "", "", list[str]()
    for element in areas[0].iter(*_HEADINGS, *_PARAGRAPHS):
        if element.tag in _HEADINGS:
            if element.get("id"):
                yield from _section(name, heading_id, language, heading, paragraphs)
                heading, heading_id, paragraphs = _text(element), element.get("id"), []
        elif not _left_out(element):
            paragraphs.append(_text(element))
    yield from _section(name, heading_id, language, heading, paragraphs)


def _section(name: str, heading_id: str, language: str, heading: str, paragraphs: list[str]) -> Iterator[Section]:
    text = " ".join(paragraph for paragraph in paragraphs if paragraph)
    if heading:
        yield Section(group=f"{name}#{heading_id}", language=language, title=heading, text=text)


def _left_out(element: HtmlElement) -> bool:
    while element is not None and element.get("id") != "DisplayArea":
        if _LEFT_OUT_CLASSES.intersection((element.get("class") or "").split()):
            return True
        element = element.getparent()
    return False


def _text(element: HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())
