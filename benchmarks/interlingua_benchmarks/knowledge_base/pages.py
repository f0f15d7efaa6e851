"""Pages of several passages without meaning, and an embedder that has their vectors ready.

    numbers --words of a vocabulary--> pages of sections --Indexer, split--> passages --> vectors like an embedder's

What an index costs beside the network does not depend on what a text says, but for the words that a question shares
with the texts: a page's number, which is in few, and words that are in one of a hundred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.document import Document
from interlingua_client.embedder import Embedded, EmbedderIdentity, ServiceTimes
from interlingua_loadtest.capacity.index.index_measurement import LikeEmbeddings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from interlingua.base.json_value import JsonValue
    from interlingua.served.language_vectors import LanguageVectors
    from interlingua_client.deadline import Deadline
    from interlingua_client.embedder import FloatArray, Role

PASSAGE_TOKENS = 256
LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt", "sv")

_SECTION_WORDS = 200  # a word is a token, as the embedder below counts; one section fits into a passage, two do not
_SENTENCE = 12
_ASKED_WORDS = 6
_VOCABULARY = 20_000
_SEED = 20260101


class ReadyEmbedder:
    """Vectors that were drawn before, one after the other: what is left of indexing is the index's own work."""

    def __init__(self, count: int, dimension: int) -> None:
        """Draw so many."""
        self.identity = EmbedderIdentity("synthetic", "synthetic", dimension)
        self.language_vectors: LanguageVectors | None = None
        self.max_tokens = 512
        self.given = 0
        self._drawn = LikeEmbeddings.draw(count, dimension)

    @property
    def queries(self) -> FloatArray:
        """Vectors of questions, float32 [queries, D]."""
        return self._drawn.queries

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:  # noqa: ARG002
        """The next vectors."""
        rows = (self.given + np.arange(len(texts))) % len(self._drawn.documents)
        self.given += len(texts) if role == "document" else 0
        tokens = np.full(len(texts), PASSAGE_TOKENS, np.int64)
        return Embedded(self._drawn.documents[rows], tokens, tokens > PASSAGE_TOKENS, ServiceTimes(0.0))

    def embed_batches(self, batches: Iterable[Sequence[str]], role: Role) -> Iterator[Embedded]:
        """The next vectors of each."""
        for batch in batches:
            yield self.embed(batch, role)

    def count_tokens(self, texts: list[str], role: Role) -> list[int]:  # noqa: ARG002
        """Words, which are of the vocabulary."""
        return [len(text.split()) for text in texts]


def pages(documents: int, sections: int) -> Iterator[Document]:
    """Pages of so many sections, each of a passage's size, with the metadata that a knowledge base has."""
    random = np.random.default_rng(_SEED)
    words = np.array([f"w{number}" for number in range(_VOCABULARY)])
    for number in range(documents):
        drawn = words[random.integers(_VOCABULARY, size=(sections, _SECTION_WORDS))]
        text = "\n\n".join(f"## Part {row + 1}\n\n{_sentences(drawn[row])}" for row in range(sections))
        url, tenant = f"https://example.org/{number}", f"tenant-{number % 50}"
        metadata: dict[str, JsonValue] = {"url": url, "tenant": tenant, "stock": number}
        yield Document(f"page-{number}", LANGUAGES[number % len(LANGUAGES)], f"Page {number}", text, metadata)


def question(number: int, documents: int) -> str:
    """A question for a page by its number, with words of the pages."""
    random = np.random.default_rng([_SEED, number])
    words = " ".join(f"w{word}" for word in random.integers(_VOCABULARY, size=_ASKED_WORDS))
    return f"What does page {random.integers(documents)} say of {words}?"


def _sentences(words: np.ndarray[tuple[int], np.dtype[np.str_]]) -> str:
    return " ".join(" ".join(words[start : start + _SENTENCE]) + "." for start in range(0, len(words), _SENTENCE))
