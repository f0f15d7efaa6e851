"""How long a corpus's texts are once a model's services have tokenized them.

JSON lines --Corpus--> documents --frame of each service, TextEncoder--> token lengths --> LengthHistogram

An embedder is measured on every document as `embed_document` reads it, and on every query as `embed_query` does; a
reranker on every document paired with a query. Queries come from a file of their own; without one, a document's title,
or its first sentence, stands in for the query that finds it, as it does for language offsets.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.text_encoder import Framed
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_exporter.texts.text_frame import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from interlingua_client.document import Document
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.spec import ModelSpec

_BATCH = 256  # texts that are tokenized together; bounds the memory, not the result


@dataclass(frozen=True)
class LengthHistogram:
    """Texts by their length.

    Attributes:
        counts: (tokens, texts), ascending; specials, prompts and truncation included.
        max_tokens: the model's limit; no length is above it.
    """

    counts: tuple[tuple[int, int], ...]
    max_tokens: int

    @classmethod
    def of(cls, lengths: Iterable[int], max_tokens: int) -> LengthHistogram:
        """From the length of each text. Raises InputError: there is no text, or one is longer than the limit."""
        counted = sorted(Counter(lengths).items())
        if not counted:
            raise InputError("there are no texts to measure the lengths of")
        if counted[0][0] < 1 or counted[-1][0] > max_tokens:
            raise InputError(f"lengths go from {counted[0][0]} to {counted[-1][0]}, not within 1 to {max_tokens}")
        return cls(tuple(counted), max_tokens)

    @property
    def texts(self) -> int:
        return sum(texts for _, texts in self.counts)

    @property
    def tokens(self) -> int:
        return sum(length * texts for length, texts in self.counts)

    @property
    def full(self) -> int:
        """Texts at the limit: they were cut, or just fit."""
        return dict(self.counts).get(self.max_tokens, 0)

    def quantile(self, share: float) -> int:
        """The least length that at least this share of the texts, 0 to 1, does not exceed."""
        seen = 0
        for length, texts in self.counts:
            seen += texts
            if seen >= share * self.texts:
                return length
        return self.counts[-1][0]


def measure(checkpoint: Checkpoint, corpus: Path, queries: Path | None = None) -> LengthHistogram:
    """Tokenize a corpus as the model's services would.

    Args:
        corpus: as `interlingua index` reads it.
        queries: JSON lines in the same form, a query a line; a reranker's queries go round the documents in turn.

    Raises:
        InputError: a file cannot be read, has a bad line or no text, or the tokenizer cannot be used.
    """
    encoder = checkpoint.text_encoder()
    lengths: Counter[int] = Counter()
    texts = _texts(checkpoint.spec, corpus, queries)
    while batch := list(islice(texts, _BATCH)):
        lengths.update(map(len, checkpoint.long_rows(encoder, batch)))
    if not lengths:
        raise InputError(f"{corpus} has no documents: there is nothing to measure lengths on")
    return LengthHistogram.of(lengths.elements(), checkpoint.spec.max_tokens)


def _texts(spec: ModelSpec, corpus: Path, queries: Path | None) -> Iterator[Framed]:
    if spec.role == "reranker":
        frame = frame_of(spec, RERANK)
        yield from (Framed(pair, frame) for pair in _pairs(corpus, queries))
        return
    query_frame, document_frame = frame_of(spec, EMBED_QUERY), frame_of(spec, EMBED_DOCUMENT)
    for document in _documents(corpus):
        yield Framed(document.passage, document_frame)
        if queries is None:
            yield Framed(_stand_in(document), query_frame)
    if queries is not None:
        yield from (Framed(query.passage, query_frame) for query in _documents(queries))


def _pairs(corpus: Path, queries: Path | None) -> Iterator[tuple[str, str]]:
    if queries is None:
        yield from ((_stand_in(document), document.passage) for document in _documents(corpus))
        return
    asked = [query.passage for query in _documents(queries)]
    if not asked:
        raise InputError(f"{queries} has no queries")
    yield from ((query, document.passage) for query, document in zip(cycle(asked), _documents(corpus), strict=False))


def _documents(path: Path) -> Iterator[Document]:
    from interlingua_client.corpus import Corpus

    return iter(Corpus(path, lambda _: "und"))  # the language has no part in a length


def _stand_in(document: Document) -> str:
    from interlingua_client.index.query_stand_ins import stand_in

    return stand_in(document)
