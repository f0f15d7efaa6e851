"""Texts to token ids by the code of the `text` backend itself.

text, or (query, document) --its Frame: prompt, template--> Tokens --collate--> {input name: int64 [n, L]}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import InputError
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS
from interlingua.served.service import Frame
from interlingua_exporter.texts.backend_code import backend_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Text = str | tuple[str, str]


@dataclass(frozen=True)
class Framed:
    """A text or a pair, and what its service puts around it."""

    text: Text
    frame: Frame = Frame()  # noqa: RUF009


@dataclass(frozen=True)
class Tokens:
    """One text's ids and token types, specials included, truncated."""

    ids: tuple[int, ...]
    types: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)


class TextEncoder:
    """A tokenizer.json with the prompts, templates, truncation and padding that the services apply."""

    def __init__(self, tokenizer_json: bytes, *, max_tokens: int, pad_token_id: int, padding_side: str) -> None:
        """Raises InputError: the bytes are not a tokenizer."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer_json = tokenizer_json.decode("utf-8")
            self._tokenizer = Tokenizer.from_str(self._tokenizer_json)
        except Exception as error:  # the library raises bare Exception
            raise InputError(f"tokenizer.json cannot be read: {error}") from error
        self._max_tokens = max_tokens
        self._framed: dict[Frame, Any] = {}
        self.pad_token_id = pad_token_id
        self.padding_side = padding_side

    @property
    def vocabulary(self) -> int:
        """The largest id it can give, plus one."""
        return 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)

    def encode(self, texts: Sequence[Text | Framed]) -> list[Tokens]:
        """Tokens of texts or pairs, in order. Raises InputError: the template and the tokenizer do not go together."""
        encoded = self._of_each(texts, lambda service, alike: service.encode(alike))
        return [Tokens(tuple(kept.ids), tuple(kept.type_ids)) for kept, _ in encoded]

    def count(self, texts: Sequence[Text | Framed]) -> NDArray[np.int64]:
        """Tokens of each text or pair before truncation, int64 [n]. Raises InputError as `encode`."""
        return np.array(self._of_each(texts, lambda service, alike: service.count(alike)), dtype=np.int64)

    def lengths(self, texts: Sequence[str], frame: Frame) -> NDArray[np.int64]:
        """Tokens of each text alone, int64 [n], as the frame's tokenizer cuts it. Raises InputError as `encode`."""
        tokenizer = self._service(frame).tokenizer
        encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return np.array([len(encoding) for encoding in encodings], dtype=np.int64)

    def read_characters(self, framed: Framed) -> int:
        """How many characters of a single text truncation leaves. Raises InputError as `encode`."""
        return int(self._service(framed.frame).read_characters(framed.text))

    def _of_each(self, texts: Sequence[Text | Framed], make: Callable[[Any, list[Text]], list[Any]]) -> list[Any]:
        """What the tokenizer of each text's frame makes of it, in order."""
        framed = [text if isinstance(text, Framed) else Framed(text) for text in texts]
        rows: dict[int, Any] = {}
        for frame in dict.fromkeys(one.frame for one in framed):
            places = [place for place, one in enumerate(framed) if one.frame == frame]
            rows |= zip(places, make(self._service(frame), [framed[place].text for place in places]), strict=True)
        return [rows[place] for place in range(len(framed))]

    def _service(self, frame: Frame) -> Any:
        """The backend's own tokenizer with a frame; those without a template share one."""
        if frame not in self._framed:
            self._framed[frame] = self._made(frame)
        return self._framed[frame]

    def _made(self, frame: Frame) -> Any:
        if not frame.template:
            return backend_code("text_tokenizer").PromptTokenizer(self._tokenizer, self._max_tokens, frame.prompt)
        try:
            return backend_code("service_tokenizer").service_tokenizer(
                self._tokenizer_json, self._max_tokens, prompt=frame.prompt, template=frame.template
            )
        except Exception as error:  # the library raises bare Exception
            raise InputError(f"the tokenizer cannot be used with its template: {error}") from error

    def collate(self, rows: Sequence[Tokens], names: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """A batch padded to its longest row: int64 [n, L] for each input name."""
        shape = (len(rows), max(len(row) for row in rows))
        columns = {
            INPUT_IDS: np.full(shape, self.pad_token_id, np.int64),
            ATTENTION_MASK: np.zeros(shape, np.int64),
            TOKEN_TYPE_IDS: np.zeros(shape, np.int64),
        }
        for number, row in enumerate(rows):
            where = slice(shape[1] - len(row), None) if self.padding_side == "left" else slice(len(row))
            columns[INPUT_IDS][number, where] = row.ids
            columns[ATTENTION_MASK][number, where] = 1
            columns[TOKEN_TYPE_IDS][number, where] = row.types
        return {name: columns[name] for name in names}
