"""Tokens as a published service counts them, without a server.

PublishedVersion: ServiceSpec, SERVICE/VERSION/tokenizer.json --> ServiceTokens --> tokens of each text or pair

Prompts, templates and truncation are those of the text backend, by its own code. The client's part is done too: of a
document that is longer than the service takes, in bytes, only the beginning is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.text_encoder import Framed, TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from interlingua.repository.published import PublishedVersion
    from interlingua.served.service import ServiceSpec
    from interlingua.served.text.tokenizer import Text


@dataclass(frozen=True)
class ServiceTokens:
    """The tokenizer of one version of one service.

    Attributes:
        file: its tokenizer.json.
    """

    spec: ServiceSpec
    file: Path

    @classmethod
    def of(cls, published: PublishedVersion, service: str) -> ServiceTokens:
        """The tokenizer of one of the version's services."""
        return cls(published.specs[service], published.tokenizer(service))

    def sent(self, text: Text) -> Text:
        """What the client sends: the document is cut at the service's limit in bytes, the query of a pair is not."""
        if isinstance(text, tuple):
            return text[0], self.spec.shortened(text[1])
        return self.spec.shortened(text)

    def counts(self, texts: Sequence[Text]) -> NDArray[np.int64]:
        """Tokens of each text, or (query, document), as the service answers them, int64 [n].

        What it puts around them is counted, and so is what truncation leaves out.

        Raises:
            InputError: the tokenizer cannot be read, or does not go with the template.
        """
        return self._encoder.count([Framed(self.sent(text), self.spec.frame) for text in texts])

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text alone, without prompt, template and specials, int64 [n]. Raises as `counts`."""
        return self._encoder.lengths([self.spec.shortened(text) for text in texts], self.spec.frame)

    def read_characters(self, text: str) -> int:
        """How many characters of the text, from its beginning, the network gets to see. Raises as `counts`."""
        return self._encoder.read_characters(Framed(self.spec.shortened(text), self.spec.frame))

    @cached_property
    def around_a_pair(self) -> int:
        """Tokens that the service adds to those of a query and a document: the specials, or the template."""
        return int(self.counts([("", "")])[0])

    def is_same_tokenizer(self, other: ServiceTokens) -> bool:
        """Whether both cut texts alike."""
        # In a template, what reads like a special token is text (served/text/marks.py).
        alike = bool(self.spec.template) == bool(other.spec.template)
        return alike and self.file.read_bytes() == other.file.read_bytes()

    @cached_property
    def _encoder(self) -> TextEncoder:
        spec = self.spec
        try:
            content = self.file.read_bytes()
            return TextEncoder(
                content, max_tokens=spec.max_tokens, pad_token_id=spec.pad_token_id, padding_side=spec.padding_side
            )
        except (OSError, InputError) as error:
            raise InputError(f"cannot read {self.file} ({error}): export the model again") from error
