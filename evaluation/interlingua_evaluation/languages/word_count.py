"""How much a text says, in words, or in characters where a script has no spaces.

    "The user's files - 3 MB" --split at whitespace, with a letter or a digit--> The | user's | files | 3 | MB

A word is what stands between two spaces and holds a letter or a digit; a dash that stands alone is none, and "l'eau"
is one. Nothing else would be the same for every language that has spaces. Chinese, Japanese, Thai, Lao, Khmer, Burmese
and Tibetan do not put spaces between words, so there a "word" in this sense is a clause. Finding their words takes a
dictionary for each, and its own idea of a word would decide the figure. There characters are counted: letters, marks
and digits. Neither unit compares two languages: that is done on the same content, against English (text_figures.py).
"""

from __future__ import annotations

from typing import NamedTuple

import regex

_CHARACTERS = r"[\p{L}\p{M}\p{N}]"
_RUN = regex.compile(rf"{_CHARACTERS}+")
_UNSPACED = regex.compile(
    r"[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{Script=Tibetan}\p{Line_Break=SA}]"
    rf"&&{_CHARACTERS}]+",
    regex.V1,
)


class TextSize(NamedTuple):
    """What was counted in a text.

    Attributes:
        words: pieces between whitespace that hold a letter or a digit.
        characters: code points that are letters, marks or digits.
        unspaced: those of them that belong to a script without spaces between words.
    """

    words: int
    characters: int
    unspaced: int


def text_size(text: str) -> TextSize:
    """Counts a text's words and characters."""
    return TextSize(
        words=sum(_RUN.search(piece) is not None for piece in text.split()),
        characters=sum(map(len, _RUN.findall(text))),
        unspaced=sum(map(len, _UNSPACED.findall(text))),
    )
