"""GNOME's user help as a cross-lingual evaluation set: a page's title asks for the page, in every language.

    usr/share/help/<language>/gnome-help/*.page (Mallard XML)
        --> title, description, body, "see also", and how much of it is translated

The texts are the GNOME documentation project's, under CC BY-SA 3.0; nothing of them is kept in this project.
They come from Debian's `gnome-user-docs` package or from any folder with that layout. What is not
translated stands there in English: the share of a page's texts that differ from the English ones is its translated
share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import InputError
from interlingua_client.language_tag import normalize_tag
from interlingua_evaluation.datasets.manuals.xml_file import flat_text, root_of

LICENCE = "CC-BY-SA-3.0"
PACKAGE = "gnome-user-docs"
HELP_FOLDER = Path("usr/share/help")

_MALLARD = "{http://projectmallard.org/1.0/}"
_BLOCKS = tuple(_MALLARD + name for name in ("title", "p", "screen"))
_LEFT_OUT = frozenset(_MALLARD + name for name in ("info", "comment"))


@dataclass(frozen=True, kw_only=True)
class HelpPage:
    """One page in one language.

    Attributes:
        name: the file's stem, the same in every language.
        language: a BCP 47 tag.
        description: the one-line summary that lists show, or "".
        body: all that is read below the title.
        see_also: names of the pages that it points to.
        translated_share: of its paragraphs, those that are not the English ones; 1.0 for English.
    """

    name: str
    language: str
    title: str
    description: str
    body: str
    see_also: frozenset[str]
    translated_share: float


PagesByName = Mapping[str, Mapping[str, HelpPage]]


def read_pages(folder: Path, languages: Sequence[str]) -> PagesByName:
    """The help pages by name and language; guide pages, which are lists of links, are left out.

    Args:
        folder: the unpacked package's root.
        languages: BCP 47 tags; English is read in any case, as what translations are measured against.

    Raises:
        InputError: no help in the folder, a language that it does not have, or a page that is no XML.
    """
    root = folder / HELP_FOLDER
    by_tag = {_tag(path.name): path / "gnome-help" for path in root.glob("*") if (path / "gnome-help").is_dir()}
    if "en" not in by_tag:
        raise InputError(f"{folder}: no GNOME help here (looked for {HELP_FOLDER}/C/gnome-help)")
    missing = [tag for tag in languages if tag not in by_tag]
    if missing:
        raise InputError(f"GNOME help has no {', '.join(missing)}; it has {', '.join(sorted(by_tag))}")
    pages: dict[str, dict[str, HelpPage]] = {}
    for source in sorted(by_tag["en"].glob("*.page")):
        english = _read(source)
        if english is None:
            continue
        versions = {"en": _page(source.stem, "en", english, english)}
        for tag in languages:
            translation = _read(by_tag[tag] / source.name) if tag != "en" else None
            if translation is not None:
                versions[tag] = _page(source.stem, tag, translation, english)
        pages[source.stem] = versions
    return pages


@dataclass(frozen=True)
class _Content:
    title: str
    description: str
    paragraphs: tuple[str, ...]
    see_also: frozenset[str]


def _tag(folder_name: str) -> str:
    return "en" if folder_name == "C" else normalize_tag(folder_name)


def _page(name: str, language: str, content: _Content, english: _Content) -> HelpPage:
    texts = list(filter(None, (content.title, content.description, *content.paragraphs)))
    untranslated = {english.title, english.description, *english.paragraphs}
    differing = sum(text not in untranslated for text in texts)
    return HelpPage(
        name=name,
        language=language,
        title=content.title,
        description=content.description,
        body=" ".join(content.paragraphs),
        see_also=content.see_also,
        translated_share=1.0 if content is english else differing / len(texts),
    )


def _read(file: Path) -> _Content | None:
    """A topic page's texts; None where there is no such file, or no text, or only links."""
    if not file.is_file():
        return None
    page = root_of(file, "XML", remove_comments=True, remove_pis=True)
    title = page.find(_MALLARD + "title")
    if page.get("type") != "topic" or title is None:
        return None
    blocks = [block for block in page.iter(*_BLOCKS) if block is not title and not _left_out(block)]
    paragraphs = tuple(filter(None, map(flat_text, blocks)))
    description = page.find(f"{_MALLARD}info/{_MALLARD}desc")
    links = page.iterfind(f"{_MALLARD}info/{_MALLARD}link[@type='seealso']")
    if not paragraphs:
        return None
    return _Content(
        title=flat_text(title),
        description="" if description is None else flat_text(description),
        paragraphs=paragraphs,
        see_also=frozenset(link.get("xref", "").split("#")[0] for link in links),
    )


def _left_out(element: Any) -> bool:
    return any(ancestor.tag in _LEFT_OUT for ancestor in element.iterancestors())
