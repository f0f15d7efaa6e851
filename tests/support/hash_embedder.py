"""An embedder without a network: vectors from the texts' own characters, the same on every machine.

A text's vector is the sum of pseudo-random directions of its words, plus a constant for its language, which is
what multilingual encoders do and the offsets take out again. Words are compared through a tiny dictionary, so
that texts of different languages can mean the same.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from interlingua.served.language_vectors import LanguageVectors
from interlingua_client.deadline import Deadline
from interlingua_client.embedder import Embedded, EmbedderIdentity, FloatArray, Role, ServiceTimes

DIMENSION = 32


def direction(name: str, dimension: int = DIMENSION) -> FloatArray:
    """A unit vector that belongs to a name."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class HashEmbedder:
    """`language:word word` is a text in a language; without the colon there is no language."""

    def __init__(
        self, digest: str = "hash-1", *, dimension: int = DIMENSION, pause_s: float = 0.0, ahead: int = 0
    ) -> None:
        """`ahead` batches are drawn before the first is answered."""
        self.identity = EmbedderIdentity(digest, "hash", dimension)
        self.embedded: list[str] = []
        self.counted: list[str] = []
        self.language_vectors: LanguageVectors | None = None
        self.max_tokens = 512
        self._pause_s, self._ahead = pause_s, ahead

    def embed(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> Embedded:  # noqa: ARG002
        time.sleep(self._pause_s)
        self.embedded += texts
        dimension = self.identity.dimension
        vectors = np.array([self.vector(text, role) for text in texts], np.float32).reshape(-1, dimension)
        tokens = np.array([len(text.split()) for text in texts], np.int64)
        return Embedded(vectors, tokens, tokens > self.max_tokens, ServiceTimes(0.0))

    def embed_batches(self, batches: Iterable[Sequence[str]], role: Role) -> Iterator[Embedded]:
        drawn: deque[Sequence[str]] = deque()
        for batch in batches:
            drawn.append(batch)
            if len(drawn) > self._ahead:
                yield self.embed(drawn.popleft(), role)
        for batch in drawn:
            yield self.embed(batch, role)

    def count_tokens(self, texts: Sequence[str], role: Role, deadline: Deadline | None = None) -> list[int]:  # noqa: ARG002
        self.counted += texts
        return [len(text.split()) for text in texts]

    def vector(self, text: str, role: Role) -> FloatArray:
        """The vector of one text, [dimension]."""
        dimension = self.identity.dimension
        total = np.zeros(dimension, np.float32)
        for word in text.split():
            language, _, stem = word.rpartition(":")
            total += direction(stem, dimension)
            if language:
                total += 3 * direction(f"{role} in {language}", dimension)
        length = float(np.linalg.norm(total))
        return total / length if length else direction("nothing", dimension)
