"""An encoder of token vectors without a network: a vector a word, from the word's own characters."""

from __future__ import annotations

import string
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from interlingua.served.token_vectors import TokenVectors
from interlingua_client.token_encoder import EncoderIdentity
from tests.support.hash_embedder import direction

TOKEN_DIMENSION = 160


class HashTokenEncoder:
    """A word's vector is its direction, in any language and on either side."""

    def __init__(self, digest: str = "tokens-1", *, pause_s: float = 0.0) -> None:
        self.encoder: EncoderIdentity | None = EncoderIdentity(digest, "hash tokens", TOKEN_DIMENSION)
        self.encoded: list[str] = []
        self._pause_s = pause_s

    def encode_documents(self, batches: Iterable[Sequence[str]]) -> Iterator[list[TokenVectors]]:
        for batch in batches:
            time.sleep(self._pause_s)
            self.encoded += batch
            yield [tokens_of(text) for text in batch]


def tokens_of(text: str) -> TokenVectors:
    """One vector a word that is no punctuation; weights that sum to 1."""
    words = [word.rpartition(":")[2] for word in text.split() if word.strip(string.punctuation)]
    vectors = np.array([direction(word, TOKEN_DIMENSION) for word in words], np.float32).reshape(-1, TOKEN_DIMENSION)
    return TokenVectors(vectors, np.full(len(words), 1 / max(len(words), 1), np.float32))


def score(query: str, document: str) -> float:
    """The score of two texts by the sum that defines it."""
    rows, columns = tokens_of(query), tokens_of(document)
    if not len(columns.vectors):
        return -float(rows.weights.sum())
    return sum(
        float(weight) * max(float(row @ column) for column in columns.vectors)
        for row, weight in zip(rows.vectors, rows.weights, strict=True)
    )
