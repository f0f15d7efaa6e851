"""A text as the tokens that BM25 counts, by script and language.

    text --NFKC, casefold--> runs of letters --by script--> bigrams, or a word --by language--> its stem

    "iPhoneの電源" --> iphone | の電 電源        (the run の電源 has no spaces: bigrams)
    "Running quickly", en --> run | quick       (Snowball has English)

What a script needs depends on the text, never on its language tag, so that mixed scripts come apart:

- Han, Hiragana, Katakana, Bopomofo and Hangul: overlapping bigrams of a run, as Lucene's CJK analyzer makes them; a
  lone character is a token.
- Thai, Lao, Khmer, Burmese and the other scripts that UAX #14 calls SA: bigrams too, of a letter with its marks.
- All others: runs of letters, marks and digits. Marks stay, unlike in Python's `\\w`: the vowels of Indic scripts are
  marks. Points that Arabic and Hebrew may or may not write are dropped.

A hyphen, an underscore, a dot and an apostrophe end a word ("l'eau" holds "eau"); an apostrophe between Cyrillic
letters is dropped, as in "комп'ютер". Nothing is a stop word: the idf sees to it.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

from interlingua.served.text.normal_form import normal_form
from interlingua_client.language_tag import UNDETERMINED, base_language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CJK = r"[[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}]&&[\p{L}\p{M}\p{N}]]"
_NO_SPACES = r"\p{Line_Break=SA}"
_RUN = regex.compile(
    rf"(?P<characters>{_CJK}+)|(?P<clusters>{_NO_SPACES}[{_NO_SPACES}\p{{M}}]*)"
    rf"|(?P<word>[[\p{{L}}\p{{M}}\p{{N}}]--{_CJK}--{_NO_SPACES}]+)",
    regex.V1,
)
_CLUSTER = regex.compile(r".\p{M}*", regex.DOTALL)
_IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_OPTIONAL = regex.compile(
    r"[[\p{scx=Arabic}\p{Script=Hebrew}]&&\p{Mn}]+|\u0640|(?<=\p{Cyrillic})['\u2019\u02BC](?=\p{Cyrillic})", regex.V1
)
_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.V1)

_DOTTED_AND_DOTLESS = str.maketrans("\u0130I", "i\u0131")
_DOTTED_AND_DOTLESS_IN = ("tr", "az")


def tokens(text: str, language: str) -> list[str]:
    """Tokens in the text's order, repeated as they are there; [] where no letter and no digit is.

    Args:
        language: BCP 47 tag; it chooses the Snowball stemmer, if there is one, and how a Turkish I is lowered.
    """
    base = base_language(language)
    words = _stemmer(base)
    found: list[str] = []
    for run in _RUN.finditer(_normalized(text, base)):
        if run.lastgroup == "word":
            found += words([run[0]])
        else:
            found += _bigrams(run[0] if run.lastgroup == "characters" else _CLUSTER.findall(run[0]))
    return found


def tokens_of_any_language(text: str, language: str) -> list[str]:
    """The words as they are written, and beside each what its language's stemmer makes of it.

    A name is written alike in all languages, and every stemmer makes another token of it ("Norvella": norvella in
    English, norvell in Spanish); where texts of several languages are in one index, its own spelling has to count. So
    each word is there twice, also where both are the same: no word counts more than another for having an ending.
    """
    return tokens(text, UNDETERMINED) + tokens(text, language)


def _bigrams(units: Sequence[str]) -> list[str]:
    if len(units) == 1:
        return [units[0]]
    return [first + second for first, second in pairwise(units)]


def _normalized(text: str, base: str) -> str:
    """The text as Unicode's NFKC_Casefold (UAX #44), with digits in ASCII, and without what writers may leave out."""
    text = unicodedata.normalize("NFKC", normal_form(text))
    if base in _DOTTED_AND_DOTLESS_IN:
        text = text.translate(_DOTTED_AND_DOTLESS)
    # casefold makes i and U+0307 of İ: outside Turkish a plain i.
    text = _IGNORED.sub("", text.casefold().replace("i\u0307", "i"))
    text = _OPTIONAL.sub("", unicodedata.normalize("NFKC", text))
    ascii_digits: str = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0], digit[0])), text)
    return ascii_digits


@cache
def _stemmer(base: str) -> Callable[[list[str]], list[str]]:
    """Snowball's stemmer of a language; where it has none, words stay as they are."""
    import Stemmer

    try:
        stems: Callable[[list[str]], list[str]] = Stemmer.Stemmer(base).stemWords
    except KeyError:
        return lambda words: words
    return stems
