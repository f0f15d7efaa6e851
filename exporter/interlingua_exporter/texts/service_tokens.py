"""Tokens as a published service counts them, without a server.

model repository: SERVICE/config.pbtxt, SERVICE/VERSION/tokenizer.json --> ServiceTokens --> tokens of each text or pair

Prompts, templates and truncation are those of the text backend, by its own code. The client's part is done too: of a
document that is longer than the service takes, in bytes, only the beginning is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.model_repository import FAMILIES, ModelRepository
from interlingua.repository.triton_config import CONFIG_FILE, parameters_of
from interlingua.served.graph_names import TOKENIZER_FILE
from interlingua.served.service import ServiceSpec
from interlingua_exporter.texts.text_encoder import Framed, TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from interlingua_exporter.texts.text_encoder import Text


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
            InputError: its configuration is not one of ours.
        """
        repository = ModelRepository(model_repository)
        family = next(family for family in FAMILIES.values() if service in family.services)
        config, versions = repository.config(service), repository.versions(family)
        if config is None or not versions:
            return None
        try:
            spec = ServiceSpec.from_parameters(parameters_of(config), versions[-1])
        except (KeyError, ValueError) as error:
            path = model_repository / service / CONFIG_FILE
            raise InputError(f"{path}: not as `interlingua export` writes it ({error!r}): export again") from error
        return cls(spec, repository.version_folder(service, versions[-1]) / TOKENIZER_FILE)

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
        # In a template, what reads like a special token is text (special_marks.py).
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
