"""Sections as they were found --> sections that are worth training on, and counts of the others.

all sections -- first of each (group, language), with a text --> by group
             -- the translations that are translations        -> by group
             -- no text that many groups share                -> by group --> CleanCorpus
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua_adaptation.corpus_step.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from interlingua_adaptation.corpus_step.section import Section

# A help page repeats "Opens a submenu." under many headings: no query can tell such sections apart.
_MOST_WITH_ONE_TEXT = 3
_MOST_UNTRANSLATED = 0.5  # share of the characters

Group = dict[str, "Section"]  # by language


@dataclass
class LeftOut:
    """How many sections were left out, and why.

    Attributes:
        duplicated: another section of the same group and language came before.
        empty: there was no text, at most a heading.
        untranslated: more than half of the text is the pivot language's, word for word.
        boilerplate: more than three groups have this text.
    """

    duplicated: int = 0
    empty: int = 0
    untranslated: int = 0
    boilerplate: int = 0


@dataclass(frozen=True)
class CleanCorpus:
    """What is left.

    Attributes:
        groups: sections by group and language, in the order they came.
        pivot: the language that most aligned groups have, English before others; of an unaligned corpus the
            most frequent one.
    """

    groups: Mapping[str, Group]
    pivot: str
    left_out: LeftOut

    def sections(self) -> Iterator[Section]:
        """All of them, group by group."""
        for group in self.groups.values():
            yield from group.values()

    @property
    def languages(self) -> dict[str, int]:
        """Sections by language, the most first."""
        return dict(Counter(section.language for section in self.sections()).most_common())

    @property
    def aligned_groups(self) -> int:
        """Groups of two languages or more."""
        return sum(len(group) > 1 for group in self.groups.values())


def clean(sections: Iterable[Section]) -> CleanCorpus:
    """Leave out what cannot be learned from. Holds the sections in memory."""
    left_out = LeftOut()
    groups = _by_group(sections, left_out)
    pivot = pivot_language(groups)
    for group in groups.values():
        _drop_untranslated(group, pivot, left_out)
    _drop_boilerplate(groups, pivot, left_out)
    return CleanCorpus(groups, pivot, left_out)


def pivot_language(groups: Mapping[str, Group]) -> str:
    """English if an aligned group has it, else the language of most aligned groups, else of most groups; or ""."""
    aligned = Counter(tag for group in groups.values() if len(group) > 1 for tag in group)
    every = aligned or Counter(tag for group in groups.values() for tag in group)
    if "en" in aligned:
        return "en"
    return max(every, key=lambda tag: (every[tag], tag), default="")


def representative(group: Mapping[str, Section], pivot: str) -> Section:
    """The section that stands for a group where one language has to: the pivot's, or the first."""
    return group[pivot] if pivot in group else next(iter(group.values()))


def _by_group(sections: Iterable[Section], left_out: LeftOut) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    seen: set[tuple[str, str]] = set()
    for section in sections:
        key = (section.group, section.language)
        if key in seen:
            left_out.duplicated += 1
        elif not section.text.strip():
            left_out.empty += 1
        else:
            groups.setdefault(section.group, {})[section.language] = section
        seen.add(key)
    return groups


def _drop_untranslated(group: Group, pivot: str, left_out: LeftOut) -> None:
    if pivot not in group:
        return
    original = set(sentences(group[pivot].text))
    for language in [tag for tag in group if tag != pivot]:
        if _shared(group[language].text, original) > _MOST_UNTRANSLATED:
            del group[language]
            left_out.untranslated += 1


def _shared(text: str, original: set[str]) -> float:
    """The share of a text's characters that are in sentences of the original."""
    parts = sentences(text)
    return sum(len(part) for part in parts if part in original) / sum(len(part) for part in parts)


def _drop_boilerplate(groups: dict[str, Group], pivot: str, left_out: LeftOut) -> None:
    texts = Counter(representative(group, pivot).text for group in groups.values())
    for name in [n for n, g in groups.items() if texts[representative(g, pivot).text] > _MOST_WITH_ONE_TEXT]:
        left_out.boilerplate += len(groups.pop(name))
