"""Texts as they are compared: two that differ by case, punctuation, spacing or width are the same text.

"Press «Super»+Tab." --> "press super tab"
"""

from __future__ import annotations

import re
import unicodedata

# Fewer words than that are a search term: that a relevant document holds them is what a search term is for.
_LEAST_WORDS = 3
_LEAST_UNSPACED = 6

# Scripts without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_KEPT = ("L", "M", "N")  # Unicode's major categories: letters, marks (vowel signs), numbers


def plain_text(text: str) -> str:
    """Casefolded letters, digits and vowel signs, with single spaces between them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_SEPARATORS).split())


def says(document: str, query: str) -> bool:
    """Whether a plain document holds a plain query, word for word; single words and pairs do not count."""
    if _UNSPACED.search(query):
        return len(query) >= _LEAST_UNSPACED and query in document
    return query.count(" ") >= _LEAST_WORDS - 1 and f" {query} " in f" {document} "


class _Separators(dict[int, str]):
    """What `str.translate` puts for a character, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if unicodedata.category(character)[0] in _KEPT else " "
        return self[code]


_SEPARATORS = _Separators()
