"""The languages of a benchmark's subset: what its name says, where its texts agree.

"eng-Latn, deu-Latn" + sample of the texts --> English documents, German queries; or the other way round
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from interlingua_evaluation.datasets.text_languages import MOSTLY, detected_languages, share_in

_ENGLISH = "en"


class SubsetLanguages(NamedTuple):
    """One tag for each text, and where the texts overruled the name.

    Attributes:
        turned: the documents are in the second language and the queries in the first.
        english: the queries are in English, which the name does not say.
    """

    documents: Iterable[str]
    queries: Iterable[str]
    turned: bool = False
    english: bool = False


def subset_languages(tags: Sequence[str], documents: Sequence[str], queries: Sequence[str]) -> SubsetLanguages:
    """The languages of all texts.

    Args:
        tags: one language; two, the documents' first; or several, among which each text is detected.
    """
    different = list(dict.fromkeys(tags))
    if len(different) not in (1, 2):
        return SubsetLanguages(detected_languages(documents, different), detected_languages(queries, different))
    first, last = different[0], different[-1]
    if first == last:
        english = _only_queries_are_english(first, documents, queries)
        return SubsetLanguages(_each(first, documents), _each(_ENGLISH if english else first, queries), english=english)
    turned = share_in(documents, last, first) >= MOSTLY and share_in(queries, first, last) >= MOSTLY
    corpus, asked = (last, first) if turned else (first, last)
    return SubsetLanguages(_each(corpus, documents), _each(asked, queries), turned=turned)


def _only_queries_are_english(tag: str, documents: Sequence[str], queries: Sequence[str]) -> bool:
    # Where the documents look English too, the detector does not know the language (Scots, Pidgin).
    return share_in(queries, _ENGLISH, tag) >= MOSTLY and share_in(documents, _ENGLISH, tag) <= 1 - MOSTLY


def _each(tag: str, texts: Sequence[str]) -> Iterator[str]:
    return iter([tag] * len(texts))
