"""Sentences and lengths in any script, without a model."""

from __future__ import annotations

import re
import unicodedata

# A full stop ends a sentence only where a space follows; the stops of scripts without spaces end it at once.
_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？।؟۔])\s*|\s*\n\s*")  # noqa: RUF001

_WIDE_WEIGHT = 2


def sentences(text: str) -> list[str]:
    """The text's sentences, in order, without the space between them."""
    return [part for part in _END.split(text.strip()) if part]


def size(text: str) -> int:
    """Characters, an ideograph, kana or hangul syllable counting as two: it says about as much."""
    return sum(_WIDE_WEIGHT if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def words(text: str) -> int:
    """Words; where there are no spaces two wide characters count as one."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return max(len(text.split()), wide // _WIDE_WEIGHT)
