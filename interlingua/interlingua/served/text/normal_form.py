"""Texts in the one form that tokenizers know.

"한" in three letters, "ｶﾞ" in two, "pass\\u00adword" --normal_form--> "한", "ガ", "password"

SentencePiece composes what is written in parts, and models were trained on its tokens. The `Precompiled` step that
Hugging Face makes of it reads grapheme by grapheme, and leaves Hangul, kana and part of Vietnamese apart; other
tokenizers compose nothing at all. File names of a Mac, exports and keyboards write in parts.
"""

from __future__ import annotations

import re
import unicodedata

# Half-width kana and Hangul letters, with their sound marks, which Unicode's NFC leaves as they are.
_HALF_WIDTH = re.compile("[\uff61-\uffdc]+")
# Where a line may break or not, which way it runs, which drawing of an ideograph is meant: nothing of it is read.
# ZERO WIDTH (NON-)JOINER and the emojis' variation selectors stay: Persian, Indic scripts and emojis mean them.
_UNREAD = re.compile("[\u00ad\u034f\u061c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0100-\U000e01ef]")
# ZERO WIDTH SPACE is a place to break a line, but for scripts that write no spaces: there it parts words.
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u30ff\u3400-\u9fff\uaa60-\uaadf"
_SPACELESS += "\uf900-\ufaff\U00020000-\U0003ffff"
_BREAK = re.compile(f"(?<![{_SPACELESS}\u200b])\u200b+(?![{_SPACELESS}\u200b])")


def normal_form(text: str) -> str:
    """The text composed (Unicode's NFC, half-width kana too), without what is not read; most texts as they are."""
    if text.isascii():
        return text
    if _HALF_WIDTH.search(text):
        text = _HALF_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return unicodedata.normalize("NFC", _BREAK.sub("", _UNREAD.sub("", text)))


def readable(text: str) -> str:
    """The text's normal form. Raises ValueError: it has a NUL, of which special tokens' marks are made (marks.py)."""
    if "\0" in text:
        raise ValueError("a text holds a NUL character, which could stand for a special token")
    return normal_form(text)
