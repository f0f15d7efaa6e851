"""A text as the tokens that BM25 counts: an index's words (interlingua_client/index/words/text_words.py), stemmed.

text --words, by script--> those between spaces --Snowball, by language--> stems
                           bigrams of scripts without spaces, as they are

"Running quickly", en --> run | quick
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from interlingua_client.index.words.text_words import folded, text_words, words_of
from interlingua_client.language_tag import UNDETERMINED, base_language

if TYPE_CHECKING:
    from collections.abc import Callable


def tokens(text: str, language: str) -> list[str]:
    """Tokens in the text's order, repeated as they are there; [] where no letter and no digit is.

    Args:
        language: BCP 47 tag; it chooses the Snowball stemmer, if there is one, and how a Turkish I is lowered.
    """
    stems = _stemmer(base_language(language))
    return [stems(word) if is_spaced else word for word, is_spaced in words_of(folded(text, language))]


def tokens_of_any_language(text: str, language: str) -> list[str]:
    """The words as they are written, and beside each what its language's stemmer makes of it.

    A name is written alike in all languages, and every stemmer makes another token of it ("Norvella": norvella in
    English, norvell in Spanish); where texts of several languages are in one index, its own spelling has to count. So
    each word is there twice, also where both are the same: no word counts more than another for having an ending.
    """
    return text_words(text, UNDETERMINED) + tokens(text, language)


@cache
def _stemmer(base: str) -> Callable[[str], str]:
    """Snowball's stemmer of a language; where it has none, words stay as they are."""
    import Stemmer

    try:
        stem: Callable[[str], str] = Stemmer.Stemmer(base).stemWord
    except KeyError:
        return lambda word: word
    return stem
