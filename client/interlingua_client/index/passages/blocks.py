"""Headings, paragraphs and lines of a text, as Markdown marks them; a text without marks has paragraphs alone.

    # Title                 heading                    Title
    ## Part                 heading                    =====      heading (setext)
    Some words.             prose, of several lines
    - an item               a line, and those that go on with it
    | a | table |           a line
    ```code```              a line each, in which no mark means anything

Lines that only look like headings are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from interlingua_client.index.passages.breaks import Break

_ITEM = re.compile(r"[ \t]*(?:(?:[-*+\u2022\u2023\u25e6\u30fb]|\w{1,3}[.)\uff0e])[ \t]|[|>]|(?: {4}|\t)[ \t]*\S)")
_LONGEST_HEADING = 1000


class TextBlock(NamedTuple):
    """A stretch of lines.

    Attributes:
        depth: of a heading, from 1 on; 0 of what is none.
        title: a heading's words.
        is_code: whether no sentences are to be sought in it, as in code and in a table's rows.
    """

    start: int
    end: int
    level: Break
    depth: int = 0
    title: str = ""
    is_code: bool = False


def blocks(text: str) -> Iterator[TextBlock]:
    """The blocks in order; what is between them is blank."""
    run: TextBlock | None = None
    lines_of_run, fence, place, level = 0, "", 0, Break.PARAGRAPH
    for line in text.splitlines(keepends=True):
        start, place = place, place + len(line)
        bare = line.strip()
        if fence:
            fence = "" if _closes(bare, fence) else fence
            if bare:
                yield TextBlock(start, place, level, is_code=True)
                level = Break.LINE
            continue
        underlined = _underline(bare) if run and lines_of_run == 1 and run.level == Break.PARAGRAPH else 0
        if run and underlined and (title := text[run.start : run.end].strip())[:1] not in "|>":
            yield TextBlock(run.start, place, Break.HEADING, underlined, title)
            run, level = None, Break.PARAGRAPH
            continue
        fence, depth = _opened(line), _depth(bare) if len(line) - len(line.lstrip(" ")) < 4 else 0
        begins = not bare or bool(fence or depth or (_ITEM.match(line) and (run is None or not _goes_on(line))))
        if run and not begins:
            run, lines_of_run = run._replace(end=place), lines_of_run + 1
            continue
        if run:
            yield run
            run, level = None, Break.LINE
        if not bare:
            level = Break.PARAGRAPH
        elif depth:
            yield TextBlock(start, place, Break.HEADING, depth, bare.strip("#").strip())
            level = Break.PARAGRAPH
        elif fence:
            yield TextBlock(start, place, level, is_code=True)
            level = Break.LINE
        else:
            run, lines_of_run = TextBlock(start, place, level, is_code=bare.startswith("|")), 1
    if run:
        yield run


def _depth(bare: str) -> int:
    depth = len(bare) - len(bare.lstrip("#"))
    is_heading = 1 <= depth <= 6 and bare[depth : depth + 1] in (" ", "\t") and len(bare) <= _LONGEST_HEADING
    return depth if is_heading and bare.strip("# \t") else 0


def _underline(bare: str) -> int:
    """The depth of the heading that a line of = or - makes of the line before it; 0 of another line."""
    for depth, mark in ((1, "="), (2, "-")):
        if len(bare) >= 3 and not bare.strip(mark):
            return depth
    return 0


def _opened(line: str) -> str:
    """The marks that begin code; "" where it does not."""
    bare = line.strip()
    for mark in ("`", "~"):
        marks = bare[: len(bare) - len(bare.lstrip(mark))]
        if len(marks) >= 3 and mark not in bare[len(marks) :]:
            return marks
    return ""


def _closes(bare: str, fence: str) -> bool:
    return bare.startswith(fence) and not bare.strip(fence[0])


def _goes_on(line: str) -> bool:
    """Whether a line that is set in goes on with the one before: an item's second line."""
    bare = line.lstrip(" \t")
    return len(bare) < len(line) and not _ITEM.match(bare)
