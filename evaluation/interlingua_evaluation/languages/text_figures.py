"""What a language's texts cost: TextCounts --> TextFigures, beside English.

fertility      tokens of the documents / their words, or characters where a script has no spaces (word_count.py)
against English  the same content: over the groups that both languages have, tokens in this one / tokens in English
                 (a group's documents averaged); without translations the quotient of the two fertilities, which takes
                 a word for a word whatever the language packs into it, and is marked as such
embedding cost   tokens that the network computes for a document, after truncation / the same in English
reranking cost   tokens of a query and a document together, after truncation, over all pairs of the language's queries
                 and documents / the same in English: what one candidate costs

Both costs are of the corpus as it is: where a language's documents are longer, they cost more. Fertility: Rust et al.
2021, "How Good is Your Tokenizer?".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from interlingua_client.language_tag import base_language
from interlingua_evaluation.languages.text_counts import pair_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlingua.repository.service_tokens import ServiceTokens
    from interlingua_evaluation.languages.text_counts import TextCounts

_ENGLISH = "en"
_MOSTLY = 0.5  # of a language's characters, in scripts without spaces
_FEWEST_TRANSLATIONS = 10  # one text says little about a language

Unit = Literal["word", "character"]
Basis = Literal["translations", "words"]


@dataclass(frozen=True)
class AgainstEnglish:
    """Tokens that a language takes for each of English.

    Attributes:
        basis: the same content in both, or a word of each.
        groups: that both have.
    """

    ratio: float
    basis: Basis
    groups: int


@dataclass(frozen=True, kw_only=True)
class TextFigures:
    """One language's documents; tokens are the embedding service's.

    Attributes:
        unit: what `tokens_per_unit` is of: a character in scripts without spaces.
        tokens_per_unit: the fertility, without prompt and specials; None where no letter is.
        against_english: None for English, without English, or where neither translations nor words are.
        mean_tokens: of a document, with prompt and specials, before truncation.
        truncated_share: of the documents, those of which the network sees the beginning only.
        unread_share: of all characters of all documents, those that it does not see.
        embedding_tokens: of a document, after truncation.
        pair_tokens: of a query with a document, after truncation; None without queries or a reranker.
        embedding_cost, reranking_cost: against English; 1 for English.
    """

    documents: int
    unit: Unit
    tokens_per_unit: float | None
    against_english: AgainstEnglish | None
    mean_tokens: float
    truncated: int
    truncated_share: float
    unread_share: float
    embedding_tokens: float
    pair_tokens: float | None
    embedding_cost: float | None
    reranking_cost: float | None


def english_of(languages: Iterable[str]) -> str | None:
    """The first variant of English."""
    return next((tag for tag in languages if base_language(tag) == _ENGLISH), None)


def text_figures(
    documents: Mapping[str, TextCounts], queries: Mapping[str, Mapping[int, int]], reranking: ServiceTokens | None
) -> dict[str, TextFigures]:
    """The figures of every language that has documents.

    Args:
        queries: language -> tokens of a query alone, by the reranker's tokenizer -> queries.
    """
    pairs = {
        tag: pair_tokens(queries.get(tag, {}), counts.pair_lengths, reranking) if reranking else None
        for tag, counts in documents.items()
    }
    english = english_of(documents)
    reference = documents[english] if english else None
    return {
        tag: _figures(counts, pairs[tag], reference, pairs[english] if english else None)
        for tag, counts in documents.items()
    }


def _figures(
    counts: TextCounts, pair: float | None, english: TextCounts | None, english_pair: float | None
) -> TextFigures:
    unit = _unit(counts)
    computed = counts.computed / counts.texts
    return TextFigures(
        documents=counts.texts,
        unit=unit,
        tokens_per_unit=_quotient(counts.content, counts.words if unit == "word" else counts.characters),
        against_english=None if english is None or english is counts else _against(counts, english),
        mean_tokens=counts.tokens / counts.texts,
        truncated=counts.truncated,
        truncated_share=counts.truncated / counts.texts,
        unread_share=_quotient(counts.unread, counts.written) or 0.0,
        embedding_tokens=computed,
        pair_tokens=pair,
        embedding_cost=None if english is None else _quotient(computed, english.computed / english.texts),
        reranking_cost=_quotient(pair, english_pair),
    )


def _unit(counts: TextCounts) -> Unit:
    return "character" if counts.unspaced > _MOSTLY * counts.characters else "word"


def _against(counts: TextCounts, english: TextCounts) -> AgainstEnglish | None:
    shared = counts.groups.keys() & english.groups.keys()
    if len(shared) >= _FEWEST_TRANSLATIONS:
        mine, theirs = (sum(side.groups[group].mean for group in sorted(shared)) for side in (counts, english))
        ratio = _quotient(mine, theirs)
        return None if ratio is None else AgainstEnglish(ratio, "translations", len(shared))
    if _unit(counts) == _unit(english) == "word":
        ratio = _quotient(_quotient(counts.content, counts.words), _quotient(english.content, english.words))
        return None if ratio is None else AgainstEnglish(ratio, "words", len(shared))
    return None


def _quotient(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
