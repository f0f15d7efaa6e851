"""Tokens as a published service counts them, without a server.

model repository: SERVICE/config.pbtxt, SERVICE/VERSION/tokenizer.json --> ServiceTokens --> tokens of each text

The rule is the text backend's (server/backends/text/model.py): the prompt goes before the text, special tokens are
counted, and what has more than `max_tokens` is encoded again with truncation. The client's part is done too: of a
document that is longer than the service takes, in bytes, only the beginning is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from client.conversation import shortened
from interlingua.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from client.embedder import IntArray
    from interlingua.service import ServiceSpec


@dataclass(frozen=True)
class ServiceTokens:
    """The tokenizer of one version of one service.

    Attributes:
        file: its tokenizer.json.
    """

    spec: ServiceSpec
    file: Path

    @classmethod
    def published(cls, model_repository: Path, service: str) -> ServiceTokens | None:
        """Of the newest version; None where there is no such service.

        Raises:
            InputError: nothing is published there, or it cannot be read.
        """
        from exporter.gate.verify import published
        from exporter.publication.publish import TOKENIZER_FILE
        from exporter.publication.repository import ModelRepository

        repository = ModelRepository(model_repository)
        versions = [found for found in published(repository) if service in found.specs]
        if not versions:
            return None
        newest = max(versions, key=lambda found: found.version)
        return cls(newest.specs[service], repository.version_folder(service, newest.version) / TOKENIZER_FILE)

    def sent(self, text: str) -> str:
        """What the client sends of a document."""
        return shortened(text, self.spec.max_text_bytes)

    def counts(self, texts: Sequence[str]) -> IntArray:
        """Tokens of each text with prompt and specials, before truncation, as the service answers them, int64 [n]."""
        encodings = self._tokenizer.encode_batch_fast([self.spec.prompt + self.sent(text) for text in texts])
        return np.array([len(encoding) for encoding in encodings], dtype=np.int64)

    def lengths(self, texts: Sequence[str]) -> IntArray:
        """Tokens of each text alone, without prompt and specials, int64 [n]."""
        encodings = self._tokenizer.encode_batch_fast([self.sent(text) for text in texts], add_special_tokens=False)
        return np.array([len(encoding) for encoding in encodings], dtype=np.int64)

    def read_characters(self, text: str) -> int:
        """How many characters of the text, from its beginning, the network gets to see."""
        self._tokenizer.enable_truncation(self.spec.max_tokens)
        try:
            encoding = self._tokenizer.encode(self.spec.prompt + self.sent(text))
        finally:
            self._tokenizer.no_truncation()
        ends = [
            end for (_, end), special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True) if not special
        ]
        return max(max(ends, default=0) - len(self.spec.prompt), 0)

    @cached_property
    def pair_specials(self) -> int:
        """Special tokens of a query and a document that are read together."""
        number: int = self._tokenizer.num_special_tokens_to_add(True)
        return number

    def is_same_tokenizer(self, other: ServiceTokens) -> bool:
        """Whether both cut texts alike."""
        return self.file.read_bytes() == other.file.read_bytes()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self.file))
        except Exception as error:  # the package raises nothing more specific
            raise InputError(f"cannot read {self.file} ({error}): export the model again") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer
