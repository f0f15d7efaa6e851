"""Debian Reference as an evaluation set of long pages: a part's title asks for the page that holds the part.

    usr/share/debian-reference/ch*.LANGUAGE.html (DocBook's sections, the same anchors in every language)
        --> sections: documents, several screens long;  titles of their parts: queries, in every language

The texts are Osamu Aoki's and the translators', under the GPL, version 2 or later; nothing of them is kept in this
project. They come from Debian's `debian-reference-*` packages, a package a language.

A part's title is asked, and taken out of the page: what stands under it has to be found. What is not translated stands
there in English: a section counts in a language where at least half of its paragraphs differ from the English ones, and
a title asks in a language where it differs from the English one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.debian_packages import ensure_package
from interlingua.base.errors import InputError
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query, half_of
from interlingua_evaluation.datasets.manuals.xml_file import flat_text, root_of

NAME = "debian-reference"
LICENCE = "GPL-2+"
LANGUAGES = ("en", "de", "fr", "it", "ja", "pt")
PACKAGED = ("en", "de", "es", "fr", "id", "it", "ja", "pt", "pt-BR", "zh-CN", "zh-TW")
LEAST_SHARE = 0.5

_FOLDER = Path("usr/share/debian-reference")
_XHTML = "{http://www.w3.org/1999/xhtml}"
_BLOCKS = tuple(_XHTML + name for name in ("p", "pre", "td", "th", "dt"))
_NUMBER = re.compile(r"^\s*(?:\d+\.)+\s*")
_LEAST_WORDS = 2


@dataclass(frozen=True, kw_only=True)
class ManualSection:
    """A section of a chapter in one language.

    Attributes:
        name: its anchor, the same in every language.
        paragraphs: all that is read below its title, without its parts' titles.
        parts: titles of its parts, by their anchors.
    """

    name: str
    title: str
    paragraphs: tuple[str, ...]
    parts: Mapping[str, str]


def debian_reference(languages: Sequence[str] = LANGUAGES, folder: Path | None = None) -> Dataset:
    """The dataset.

    Args:
        languages: of PACKAGED.
        folder: where the packages are unpacked, all into one; None to fetch them by apt-get into the cache.

    Raises:
        InputError: there is no such language, or the folder has none of its pages.
        ArchiveError: a package could not be fetched.
    """
    if missing := [tag for tag in languages if tag not in PACKAGED]:
        raise InputError(f"Debian Reference has no {', '.join(missing)}; it has {', '.join(PACKAGED)}")
    english = {section.name: section for section in _sections("en", folder)}
    documents, asked = [], []
    for tag in languages:
        for section in _sections(tag, folder):
            original = english.get(section.name)
            if original is None or (tag != "en" and not _is_translated(section, original)):
                continue
            text = "\n\n".join(section.paragraphs)
            documents.append(JudgedDocument(f"{section.name}.{tag}", tag, section.title, text, section.name))
            asked += [
                Query(f"{part}.{tag}", tag, title, "part", section.name, half_of(section.name))
                for part, title in section.parts.items()
                if len(title) > _LEAST_WORDS and (tag == "en" or title != original.parts.get(part))
            ]
    answers: dict[str, dict[str, int]] = {}
    for document in documents:
        answers.setdefault(document.group, {})[document.id] = 1
    return Dataset(
        name=NAME,
        documents=tuple(documents),
        queries=tuple(asked),
        qrels={query.id: answers[query.group] for query in asked},
        facts={"source": "debian-reference-*", "licence": LICENCE, "least_share": LEAST_SHARE},
    )


def _is_translated(section: ManualSection, english: ManualSection) -> bool:
    untranslated = set(english.paragraphs)
    differing = sum(paragraph not in untranslated for paragraph in section.paragraphs)
    return section.title != english.title and differing >= LEAST_SHARE * len(section.paragraphs)


def _sections(tag: str, folder: Path | None) -> Iterator[ManualSection]:
    """The sections that have parts, chapter by chapter."""
    name = tag.lower()
    root = (ensure_package(f"{NAME}-{name}") if folder is None else folder) / _FOLDER
    files = sorted(root.glob(f"ch*.{name}.html"))
    if not files:
        raise InputError(f"{root}: no chapters of Debian Reference in {tag} (looked for ch*.{name}.html)")
    for file in files:
        for element in root_of(file, "XHTML", recover=True).iter(f"{_XHTML}div"):
            if element.get("class") == "section" and _depth(element) == 1 and (section := _section(element)).parts:
                yield section


def _section(element: Any) -> ManualSection:
    name, title = _heading(element)
    inner = [part for part in element.iter(f"{_XHTML}div") if part.get("class") == "section" and part is not element]
    blocks = [block for block in element.iter(*_BLOCKS) if not any(True for _ in block.iterancestors(*_BLOCKS))]
    paragraphs = tuple(filter(None, (_text(block) for block in blocks)))
    return ManualSection(
        name=name, title=title, paragraphs=paragraphs, parts=dict(_heading(part) for part in inner if _depth(part) == 2)
    )


def _depth(section: Any) -> int:
    return 1 + len([above for above in section.iterancestors(f"{_XHTML}div") if above.get("class") == "section"])


def _heading(section: Any) -> tuple[str, str]:
    """A section's anchor and its title, without its number."""
    for heading in section.iter(*(f"{_XHTML}h{level}" for level in range(2, 6))):
        anchor = heading.find(f"{_XHTML}a")
        return ("" if anchor is None else anchor.get("id", "")), _NUMBER.sub("", _text(heading))
    return "", ""


def _text(element: Any) -> str:
    if element.tag == f"{_XHTML}pre":
        return "".join(element.itertext()).strip("\n")
    return flat_text(element)
