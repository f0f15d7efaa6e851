"""Places where a text may be cut, from the best to the worst."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Break(IntEnum):
    """What a cut stands before."""

    HEADING = 0
    PARAGRAPH = 1
    LINE = 2
    SENTENCE = 3
    CLAUSE = 4
    GRAPHEME = 5
    CODE_POINT = 6
    """Only of a grapheme that is longer than a passage."""
    UNDER_HEADING = 7
    """A heading goes with what stands under it."""


class Unit(NamedTuple):
    """A stretch of a text that is not cut any more: text[start:end].

    Attributes:
        level: of the cut before it.
        headings: those that it stands under, outermost first; its own is not among them.
    """

    start: int
    end: int
    level: Break
    headings: tuple[str, ...] = ()
