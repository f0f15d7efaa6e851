"""Tokens as a published service counts them, without a server.

PublishedVersion: ServiceSpec, SERVICE/VERSION/tokenizer.json --> ServiceTokens --> tokens of each text or pair

Prompts, templates and truncation are those of the text backend, by its own code. The client's part is done too: of a
document that is longer than the service takes, in bytes, only the beginning is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua.repository.text_encoder import Framed, TextEncoder
from interlingua.served.late_interaction.side_services import interaction_of, sides_of
from interlingua.served.limits import TEXTS_PER_REQUEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from interlingua.repository.published import PublishedVersion
    from interlingua.served.late_interaction.sides import SideRules
    from interlingua.served.service import Frame, ServiceSpec
    from interlingua.served.text.tokenizer import Text


@dataclass(frozen=True)
class ServiceTokens:
    """The tokenizer of one version of one service.

    Attributes:
        file: its tokenizer.json.
    """

    service: str
    spec: ServiceSpec
    file: Path

    @classmethod
    def of(cls, published: PublishedVersion, service: str) -> ServiceTokens:
        """The tokenizer of one of the version's services."""
        return cls(service, published.specs[service], published.tokenizer(service))

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
        if not self._sides:
            return self._encoder.count([Framed(self.sent(text), self.spec.frame) for text in texts])
        every: NDArray[np.int64] = np.sum(self._side_counts(texts), axis=0)
        return every

    def computed(self, pairs: Sequence[Text]) -> NDArray[np.int64]:
        """Tokens that each pair adds to what a service computes, int64 [n]: of a late-interaction model its document's,
        and its part of the query's, which a request has once. Raises as `counts`.
        """
        if not self._sides:
            return self.counts(pairs)
        query, document = self._side_counts(pairs)
        added: NDArray[np.int64] = document - -query // TEXTS_PER_REQUEST  # rounded up
        return added

    def pair_lengths(self, queries: NDArray[np.int64], documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tokens of pairs after truncation, of those that both texts have alone. Raises as `counts`."""
        if not self._sides:
            around_both = int(self.counts([("", "")])[0])
            whole: NDArray[np.int64] = np.minimum(queries + documents + around_both, self.spec.max_tokens)
            return whole
        around = [int(counts[0]) for counts in self._side_counts([("", "")])]
        query, document = (
            np.minimum(alone + more, side.max_tokens)
            for alone, more, side in zip((queries, documents), around, self._sides, strict=True)
        )
        together: NDArray[np.int64] = query + document
        return together

    def _side_counts(self, texts: Sequence[Text]) -> list[NDArray[np.int64]]:
        """Tokens of each text by each side that the service reads."""
        sent = [self.sent(text) for text in texts]
        columns = [sent] if len(self._sides) == 1 else zip(*sent, strict=True)
        return [
            self._encoder.count([Framed(text, side) for text in column])
            for column, side in zip(columns, self._sides, strict=True)
        ]

    @cached_property
    def _sides(self) -> tuple[SideRules, ...]:
        """What a late-interaction service reads of texts or pairs; none for another."""
        interaction = interaction_of(self.spec)
        return sides_of(self.service, interaction) if interaction else ()

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Tokens of each text alone, without prompt, template and specials, int64 [n]. Raises as `counts`."""
        return self._encoder.lengths([self.spec.shortened(text) for text in texts], self._frame)

    def read_characters(self, text: str) -> int:
        """How many characters of the text, from its beginning, the network gets to see. Raises as `counts`."""
        return self._encoder.read_characters(Framed(self.spec.shortened(text), self._frame))

    @property
    def _frame(self) -> Frame | SideRules:
        return self._sides[-1] if self._sides else self.spec.frame

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
