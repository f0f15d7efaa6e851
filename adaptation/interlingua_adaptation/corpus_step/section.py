"""A piece of text with a heading, in one language; its translations share its group."""

from __future__ import annotations

from typing import NamedTuple


class Section(NamedTuple):
    """What queries and documents for training are made of.

    Attributes:
        group: the same for all translations of one section.
        language: a BCP 47 tag.
        title: the heading, or "".
        text: the paragraphs, joined.
    """

    group: str
    language: str
    title: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.group}.{self.language}"
