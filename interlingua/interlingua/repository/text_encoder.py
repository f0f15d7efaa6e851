"""Texts to token ids by the rules of the services themselves (interlingua/served/text).

text, or (query, document) --its Frame: prompt, template--> Tokens --collate--> {input name: int64 [n, L]}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from interlingua.base.errors import InputError
from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.late_interaction.sides import SideRules
from interlingua.served.service import Frame
from interlingua.served.text.collate import collate
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.template import framed_tokenizer
from interlingua.served.text.tokenizer import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from interlingua.served.text.tokenizer import Text, TextTokenizer

_T = TypeVar("_T")


@dataclass(frozen=True)
class Framed:
    """A text or a pair, and what its service puts around it; or one side's text, and its rules."""

    text: Text
    frame: Frame | SideRules = Frame()  # noqa: RUF009

    @property
    def template(self) -> str:
        """What is around the whole, "" for none."""
        return self.frame.template if isinstance(self.frame, Frame) else ""


class TextEncoder:
    """A tokenizer.json with the prompts, templates, truncation and padding that the services apply."""

    def __init__(self, tokenizer_json: bytes, *, max_tokens: int, pad_token_id: int, padding_side: str) -> None:
        """Raises InputError: the bytes are not a tokenizer."""
        try:
            self._tokenizers = SealedTokenizers(tokenizer_json)
            self._tokenizer = self._tokenizers.of().tokenizer
        except Exception as error:  # the library raises bare Exception
            raise InputError(f"tokenizer.json cannot be read: {error}") from error
        self._max_tokens = max_tokens
        self._framed: dict[Frame | SideRules, TextTokenizer] = {}
        self.pad_token_id = pad_token_id
        self.padding_side = padding_side

    @property
    def vocabulary(self) -> int:
        """The largest id it can give, plus one."""
        return 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)

    def encode(self, texts: Sequence[Text | Framed]) -> list[Tokens]:
        """Tokens of texts or pairs, or rows of a side, in order.

        Raises:
            InputError: the template and the tokenizer do not go together.
        """
        encoded = self._of_each(texts, lambda service, alike: service.encode(alike))
        return [
            kept if isinstance(kept, Tokens) else Tokens(tuple(kept.ids), tuple(kept.type_ids)) for kept, _ in encoded
        ]

    def count(self, texts: Sequence[Text | Framed]) -> NDArray[np.int64]:
        """Tokens of each text or pair before truncation, int64 [n]. Raises InputError as `encode`."""
        return np.array(self._of_each(texts, lambda service, alike: service.count(alike)), dtype=np.int64)

    def lengths(self, texts: Sequence[str], frame: Frame | SideRules) -> NDArray[np.int64]:
        """Tokens of each text alone, int64 [n], as the frame's tokenizer cuts it. Raises InputError as `encode`."""
        return np.array(self._service(frame).count_bare(texts), dtype=np.int64)

    def read_characters(self, framed: Framed) -> int:
        """How many characters of a single text truncation leaves. Raises InputError as `encode`."""
        return self._service(framed.frame).read_characters(str(framed.text))

    def collate(self, rows: Sequence[Tokens], names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """A batch padded to its longest row: int64 [n, L] for each input name."""
        return collate(rows, names, pad_token_id=self.pad_token_id, padding_side=self.padding_side)

    def _of_each(
        self, texts: Sequence[Text | Framed], make: Callable[[TextTokenizer, list[Text]], list[_T]]
    ) -> list[_T]:
        """What the tokenizer of each text's frame makes of it, in order."""
        framed = [text if isinstance(text, Framed) else Framed(text) for text in texts]
        rows: dict[int, _T] = {}
        for frame in dict.fromkeys(one.frame for one in framed):
            places = [place for place, one in enumerate(framed) if one.frame == frame]
            rows |= zip(places, make(self._service(frame), [framed[place].text for place in places]), strict=True)
        return [rows[place] for place in range(len(framed))]

    def _service(self, frame: Frame | SideRules) -> TextTokenizer:
        """The service's own tokenizer with a frame."""
        if frame not in self._framed:
            self._framed[frame] = self._made(frame)
        return self._framed[frame]

    def _made(self, frame: Frame | SideRules) -> TextTokenizer:
        try:
            if isinstance(frame, SideRules):
                return SideTokenizer(self._tokenizers, frame)
            return framed_tokenizer(self._tokenizers, self._max_tokens, frame)
        except Exception as error:  # the library raises bare Exception
            raise InputError(f"the tokenizer cannot be used with its prompt or template: {error}") from error
