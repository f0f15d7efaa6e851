"""A text to the units that passages are made of: headings, lines and sentences, without the blanks around them.

text --blocks--> headings, lines, prose --sentences--> Unit ...
"""

from __future__ import annotations

from collections.abc import Iterator

from interlingua_client.index.passages.blocks import TextBlock, blocks
from interlingua_client.index.passages.breaks import Break, Unit
from interlingua_client.index.passages.graphemes import is_inside
from interlingua_client.index.passages.sentences import sentences


def units(text: str, language: str) -> Iterator[Unit]:
    """The units in order; every character that is not blank is in one of them."""
    open_headings: list[TextBlock] = []
    follows_heading = False
    for block in blocks(text):
        if block.depth:
            while open_headings and open_headings[-1].depth >= block.depth:
                open_headings.pop()
        above = tuple(heading.title for heading in open_headings)
        if block.depth:
            open_headings.append(block)
            parts = iter([(block.start, block.end)])
        elif block.is_code:
            parts = iter([(block.start, block.end)])
        else:
            parts = sentences(text, block.start, block.end, language)
        level = block.level
        for start, end in parts:
            begin, stop = stripped(text, start, end)
            if begin < stop:
                at_line = level == Break.SENTENCE and "\n" in text[start:begin]
                found = Break.LINE if at_line else level
                yield Unit(begin, stop, Break.UNDER_HEADING if follows_heading else found, above)
                follows_heading = bool(block.depth)
            level = Break.LINE if text[start:end].endswith("\n") else Break.SENTENCE


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without the blanks around it, but for one that a grapheme begins with."""
    held = text[start:end]
    begin = start + len(held) - len(held.lstrip())
    stop = end - (len(held) - len(held.rstrip()))
    if begin >= stop:
        return begin, begin
    return (begin - 1 if begin > start and is_inside(text, begin) else begin), stop
