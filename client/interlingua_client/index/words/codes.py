"""Codes: what has a digit in it, whole. E-417 is not E-418, and not 417.

    folded text --runs joined by - . _ / that hold a digit--> written alike: no hyphen between a letter and a digit

    "error E-417-es, E_417, E417"  --> e417 (three times; "e417-es" beside the first)
    "KB5034441 0x80070005 v2.3.1"  --> kb5034441 | 0x80070005 | v2.3.1
    "C2/C3"                        --> c2/c3 | c2 | c3

Endings that a language hangs on with a hyphen, and words before, are taken off: of a run's parts those that stand from
the first with a digit (and the one before it, where that is digits alone) to the last with a digit. Letters of scripts
without spaces end a code, as in エラーE-417が.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from interlingua_client.index.words.text_words import SPACED

_JOINED = regex.compile(rf"{SPACED}+(?:[-._/\u2010\u2212]{SPACED}+)*", regex.V1)
_LETTER_AND_DIGIT = regex.compile(r"(?<=[^\W\d])[-_\u2010\u2212](?=\d)|(?<=\d)[-_\u2010\u2212](?=[^\W\d])")
_DASH = regex.compile(r"[_\u2010\u2212]")
_PART = regex.compile(r"[^-._/\u2010\u2212]+")
_DIGIT = regex.compile(r"\d")
_LETTER = regex.compile(r"\p{L}")
_LONGEST = 64


def codes_of(folded_text: str) -> list[str]:
    """The codes of a folded text (text_words.py), in its order; those longer than 64 characters are left out."""
    runs = (run[0] for run in _JOINED.finditer(folded_text) if _DIGIT.search(run[0]))
    return [code for run in runs for code in dict.fromkeys(_codes(run)) if len(code) <= _LONGEST]


def is_distinct(code: str) -> bool:
    """Whether it has letters and digits: E-417 names one thing, 10 may be the number of any."""
    return bool(_DIGIT.search(code) and _LETTER.search(code))


def without_codes(folded_text: str) -> str:
    """The text with spaces where its codes are."""
    words: str = _JOINED.sub(lambda run: " " if _DIGIT.search(run[0]) else run[0], folded_text)
    return words


def _codes(run: str) -> Iterator[str]:
    yield _alike(run)
    yield _alike(_core(run))
    for piece in run.split("/"):
        if _DIGIT.search(piece) and not piece.isdigit():
            yield _alike(_core(piece))


def _core(run: str) -> str:
    """The run without words before and endings behind."""
    parts = list(_PART.finditer(run))
    with_digits = [place for place, part in enumerate(parts) if _DIGIT.search(part[0])]
    first, last = with_digits[0], with_digits[-1]
    if first and parts[first][0].isdigit():
        first -= 1
    return run[parts[first].start() : parts[last].end()]


def _alike(code: str) -> str:
    written: str = _DASH.sub("-", _LETTER_AND_DIGIT.sub("", code))
    return written
