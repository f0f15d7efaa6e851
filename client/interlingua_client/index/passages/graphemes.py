"""Cuts that leave whole what a reader sees as one character (UAX #29), by the library `regex`.

text[start:end], most bytes --> (start, end, level) ...: behind a space or a punctuation mark, else between graphemes
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex

from interlingua_client.index.passages.breaks import Break

_GRAPHEME = regex.compile(r"\X")
_ASCII_CLAUSE_END = regex.compile(r"(?r)(?<=[\s!-#%-'*,./:;?@\\)\]}-])", regex.ASCII)
_CLAUSE_END = regex.compile(r"[\s\p{Po}\p{Pd}\p{Pe}\p{Pf}]")


def token_bound(text: str) -> int:
    """Tokens that a text can at most have: one a byte of its widest form, and one that begins it."""
    return 1 + (len(text) if text.isascii() else len(unicodedata.normalize("NFKC", text).encode(errors="replace")))


def is_inside(text: str, place: int) -> bool:
    """Whether a cut before a punctuation mark's, a space's or a mark's follower would part a grapheme."""
    if not 0 < place < len(text):
        return False
    found = _GRAPHEME.match(text, place - 1)
    return bool(found and found.end() > place)


def last_cut(text: str, start: int, end: int) -> int:
    """The last place up to `end` that parts no grapheme of text[start:]; `end` where one goes on and on."""
    cut = start
    for found in _GRAPHEME.finditer(text, start, min(end + 1, len(text))):
        if found.end() > end:
            break
        cut = found.end()
    return cut if cut > start else end


def pieces(text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int, Break]]:
    """Cut a stretch into pieces whose `token_bound` is about `most`; the level is that of the cut behind each."""
    if text.isascii():
        yield from _ascii_pieces(text, start, end, most)
        return
    begin, clause, size, clause_size = start, start, 0, 0
    for first, last, weight in _graphemes(text, start, end, most):
        if size + weight > most and first > begin:
            cut, kept, level = first, 0, Break.GRAPHEME
            if clause_size * 2 >= size and clause > begin:
                cut, kept, level = clause, size - clause_size, Break.CLAUSE
            yield begin, cut, level
            begin, size = cut, kept
            clause, clause_size = begin, 0
        size += weight
        if _CLAUSE_END.match(text, last - 1):
            clause, clause_size = last, size
    if begin < end:
        yield begin, end, Break.GRAPHEME


def _ascii_pieces(text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int, Break]]:
    """The same where a character is a byte, and a grapheme but for "\\r\\n"."""
    while end - start > most:
        limit = start + most
        found = _ASCII_CLAUSE_END.search(text, start, limit + 1)
        cut = found.end() if found and 2 * (found.end() - start) > most else limit
        cut -= text[cut - 1 : cut + 1] == "\r\n" and cut - 1 > start
        yield start, cut, Break.CLAUSE if found and found.end() == cut else Break.GRAPHEME
        start = cut
    yield start, end, Break.GRAPHEME


def _graphemes(text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Each grapheme and its bytes; the code points of one that is longer than a piece."""
    for found in _GRAPHEME.finditer(text, start, end):
        weight = token_bound(found[0]) - 1
        if weight <= most:
            yield found.start(), found.end(), weight
        else:
            yield from ((place, place + 1, token_bound(text[place]) - 1) for place in range(found.start(), found.end()))
