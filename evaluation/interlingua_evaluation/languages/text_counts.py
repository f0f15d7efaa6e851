"""Documents and queries --> what is counted of each language, in one pass and in constant memory but for the groups.

CountedText ... --blocks--> ServiceTokens (embedding, reranking), TextSize --> TextCounts by language
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.repository.service_tokens import ServiceTokens
from interlingua.served.service import EMBED_DOCUMENT, RERANK
from interlingua_evaluation.languages.word_count import text_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua.display.progress import Progress
    from interlingua.repository.published import Published
    from interlingua_client.embedder import IntArray

_AT_ONCE = 256


class CountedText(NamedTuple):
    """A document as it is embedded, or a query.

    Attributes:
        group: shared by translations; "" for none.
    """

    language: str
    group: str
    text: str


class PublishedTokens(NamedTuple):
    """The services' tokenizers; no reranker need be published."""

    embedding: ServiceTokens
    reranking: ServiceTokens | None

    @classmethod
    def of(cls, published: Published) -> PublishedTokens:
        """The counts by the newest published versions.

        Raises:
            InputError: no embedder is published.
        """
        embedder, reranker = published.required("embedder"), published.newest("reranker")
        embedding = ServiceTokens.of(embedder, EMBED_DOCUMENT)
        return cls(embedding, ServiceTokens.of(reranker, RERANK) if reranker else None)


@dataclass
class GroupLength:
    """Tokens of the documents of one group in one language."""

    total: int = 0
    documents: int = 0

    @property
    def mean(self) -> float:
        return self.total / self.documents


@dataclass(kw_only=True)
class TextCounts:
    """Sums over the texts of one language.

    Attributes:
        texts: how many.
        tokens: with prompt and specials, before truncation.
        computed: the same after truncation.
        content: tokens of the texts alone.
        words, characters, unspaced: as in TextSize.
        truncated: texts of which the network sees the beginning only.
        written, unread: code points in all, and cut off.
        pair_lengths: tokens of a text alone, by the reranker's tokenizer -> texts.
        groups: group -> content.
    """

    texts: int = 0
    tokens: int = 0
    computed: int = 0
    content: int = 0
    words: int = 0
    characters: int = 0
    unspaced: int = 0
    truncated: int = 0
    written: int = 0
    unread: int = 0
    pair_lengths: Counter[int] = field(default_factory=Counter)
    groups: dict[str, GroupLength] = field(default_factory=dict)


def count_documents(
    documents: Iterable[CountedText], tokens: PublishedTokens, progress: Progress | None = None
) -> dict[str, TextCounts]:
    """By language, in the order of their first appearance."""
    counts: dict[str, TextCounts] = {}
    embedding, reranking = tokens
    shares_tokenizer = reranking is not None and reranking.is_same_tokenizer(embedding)
    for block in _blocks(documents):
        texts = [text.text for text in block]
        lengths = embedding.lengths(texts)
        counted = embedding.counts(texts)
        for text, tokens_of_it, length in zip(block, counted.tolist(), lengths.tolist(), strict=True):
            _add(counts.setdefault(text.language, TextCounts()), text, tokens_of_it, length, embedding)
        if reranking is not None:
            _add_pair_lengths(counts, block, lengths if shares_tokenizer else reranking.lengths(texts))
        if progress is not None:
            progress.advance(len(block))
    return counts


def count_queries(queries: Iterable[CountedText], tokens: PublishedTokens) -> dict[str, Counter[int]]:
    """Language -> tokens of a query alone, by the reranker's tokenizer -> queries; {} without a reranker."""
    counts: dict[str, TextCounts] = {}
    if tokens.reranking is not None:
        for block in _blocks(queries):
            _add_pair_lengths(counts, block, tokens.reranking.lengths([query.text for query in block]))
    return {language: of_language.pair_lengths for language, of_language in counts.items()}


def pair_tokens(queries: Mapping[int, int], documents: Mapping[int, int], reranking: ServiceTokens) -> float | None:
    """What a query and a document have together on average, over all pairs, after truncation; None without a pair.

    Args:
        queries, documents: tokens of a text alone -> texts.
    """
    if not queries or not documents:
        return None
    asked, found = np.array(sorted(queries)), np.array(sorted(documents))
    weights = np.outer([queries[length] for length in asked.tolist()], [documents[length] for length in found.tolist()])
    lengths = reranking.pair_lengths(asked[:, None], found[None])
    return float((lengths * weights).sum() / weights.sum())


def _add(counts: TextCounts, text: CountedText, tokens: int, length: int, embedding: ServiceTokens) -> None:
    limit = embedding.spec.max_tokens
    size = text_size(text.text)
    counts.texts += 1
    counts.tokens += tokens
    counts.computed += min(tokens, limit)
    counts.content += length
    counts.words += size.words
    counts.characters += size.characters
    counts.unspaced += size.unspaced
    counts.written += len(text.text)
    if tokens > limit or len(embedding.sent(text.text)) < len(text.text):
        counts.truncated += 1
        counts.unread += len(text.text) - embedding.read_characters(text.text)
    if text.group:
        group = counts.groups.setdefault(text.group, GroupLength())
        group.total += length
        group.documents += 1


def _add_pair_lengths(counts: dict[str, TextCounts], block: list[CountedText], lengths: IntArray) -> None:
    for text, length in zip(block, lengths.tolist(), strict=True):
        counts.setdefault(text.language, TextCounts()).pair_lengths[length] += 1


def _blocks(texts: Iterable[CountedText]) -> Iterator[list[CountedText]]:
    source = iter(texts)
    while block := list(islice(source, _AT_ONCE)):
        yield block
