"""A text as the words that an index of words holds, by script; no dictionary, no stemmer.

    text --NFKC, casefold--> runs of letters --by script--> bigrams, or a word

    "iPhoneの電源" --> iphone | の電 電源        (the run の電源 has no spaces: bigrams)

What a script needs depends on the text, never on its language tag, so that mixed scripts come apart:

- Han, Hiragana, Katakana, Bopomofo and Hangul: overlapping bigrams of a run, as Lucene's CJK analyzer makes them; a
  lone character is a token.
- Thai, Lao, Khmer, Burmese and the other scripts that UAX #14 calls SA: bigrams too, of a letter with its marks.
- All others: runs of letters, marks and digits. Marks stay, unlike in Python's `\\w`: the vowels of Indic scripts are
  marks. Points that Arabic and Hebrew may or may not write are dropped.

A hyphen, an underscore, a dot and an apostrophe end a word ("l'eau" holds "eau"); an apostrophe between Cyrillic
letters is dropped, as in "комп'ютер". Nothing is a stop word: the idf sees to it. What hyphens join stands whole in
codes.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import regex

from interlingua.served.text.normal_form import normal_form
from interlingua_client.language_tag import base_language

_CJK = r"[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}]&&[\p{L}\p{M}\p{N}]]"
_NO_SPACES = r"\p{Line_Break=SA}"
SPACED = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{_CJK}--{_NO_SPACES}]"  # a letter of a script that parts words by spaces
RUN = regex.compile(
    rf"(?P<characters>{_CJK}+)|(?P<clusters>{_NO_SPACES}[{_NO_SPACES}\p{{M}}]*)|(?P<word>{SPACED}+)", regex.V1
)
CLUSTER = regex.compile(r".\p{M}*", regex.DOTALL)
_IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_OPTIONAL = regex.compile(
    r"[[\p{scx=Arabic}\p{Script=Hebrew}]&&\p{Mn}]+|\u0640|(?<=\p{Cyrillic})['\u2019\u02BC](?=\p{Cyrillic})", regex.V1
)
_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)

_DOTTED_AND_DOTLESS = str.maketrans("\u0130I", "i\u0131")
_DOTTED_AND_DOTLESS_IN = ("tr", "az")


def text_words(text: str, language: str) -> list[str]:
    """Words in the text's order, repeated as they are there; [] where no letter and no digit is.

    Args:
        language: BCP 47 tag; it chooses how a Turkish I is lowered, and nothing else.
    """
    return [word for word, _ in words_of(folded(text, language))]


def words_of(folded_text: str) -> Iterator[tuple[str, bool]]:
    """Words of a folded text, each with whether it stood between spaces, rather than being a bigram."""
    for run in RUN.finditer(folded_text):
        if run.lastgroup == "word":
            yield run[0], True
        else:
            for pair in _bigrams(run[0] if run.lastgroup == "characters" else CLUSTER.findall(run[0])):
                yield pair, False


def _bigrams(units: Sequence[str]) -> list[str]:
    if len(units) == 1:
        return [units[0]]
    return [first + second for first, second in pairwise(units)]


def folded(text: str, language: str) -> str:
    """The text as Unicode's NFKC_Casefold (UAX #44), with digits in ASCII, and without what writers may leave out."""
    text = unicodedata.normalize("NFKC", normal_form(text))
    if base_language(language) in _DOTTED_AND_DOTLESS_IN:
        text = text.translate(_DOTTED_AND_DOTLESS)
    # casefold makes i and U+0307 of İ: outside Turkish a plain i.
    text = _IGNORED.sub("", text.casefold().replace("i\u0307", "i"))
    text = _OPTIONAL.sub("", unicodedata.normalize("NFKC", text))
    ascii_digits: str = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0], digit[0])), text)
    return ascii_digits
