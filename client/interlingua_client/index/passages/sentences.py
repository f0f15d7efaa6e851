"""Sentences of a stretch of prose, by the library `sentencex` (rules and abbreviations of some 300 languages).

Thai, Lao, Khmer and Burmese end sentences with a space, which also parts clauses: there every space is an end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

from interlingua_client.index.passages.graphemes import is_inside, last_cut

_WINDOW = 8192
_UNMARKED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_SPACE = re.compile(f"(?<=[{_UNMARKED}])[ \u3000\u00a0]+(?=[{_UNMARKED}])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_]")
_WITHOUT_A_LANGUAGE = "en"


def sentences(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    """The sentences of text[start:end] in order; together they are all of it, and none parts a grapheme."""
    while start < end:
        stop = end if end - start <= _WINDOW else _window_end(text, start)
        begin = start
        for cut in _cuts(text, start, stop, language or _WITHOUT_A_LANGUAGE):
            # What has no letter, the number of a list's item say, is no sentence of its own.
            if _LETTER.search(text, begin, cut) and not is_inside(text, cut):
                yield begin, cut
                begin = cut
        if begin < stop:
            yield begin, stop
        start = stop


def _cuts(text: str, start: int, end: int, language: str) -> Iterator[int]:
    place = start
    for sentence in sentencex.segment(language, _SURROGATE.sub("\ufffd", text[start:end])):
        for space in _SPACE.finditer(text, place, place + len(sentence)):
            yield space.end()
        place += len(sentence)
        yield min(place, end)


def _window_end(text: str, start: int) -> int:
    """Where a long stretch is parted before anything is sought in it: behind a line, a space, or any grapheme."""
    end = start + _WINDOW
    for mark in ("\n", " "):
        place = text.rfind(mark, start + _WINDOW // 2, end) + 1
        if place and not is_inside(text, place):
            return place
    return last_cut(text, start, end)
