"""Documents of which the right answers are known."""

from __future__ import annotations

from itertools import permutations

from interlingua_client.document import Document

WORDS = ("cat", "dog", "sun", "moon", "tree", "fish")
LANGUAGES = ("en", "fr", "de")


def make_documents(languages: tuple[str, ...] = LANGUAGES, words: tuple[str, ...] = WORDS) -> list[Document]:
    """One document a language and ordered pair of words: `en-cat-dog` is about cats, and dogs."""
    return [
        Document(f"{language}-{a}-{b}", language, f"{language}:{a}", f"{language}:{a} {language}:{b}")
        for language in languages
        for a, b in permutations(words, 2)
    ]
