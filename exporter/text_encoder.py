"""Texts to token ids, exactly as the `text` backend makes them.

text, or (query, document) --Tokenizer--> Tokens --collate--> {input name: int64 [n, L]}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exporter.graph_names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS
from interlingua.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Text = str | tuple[str, str]


@dataclass(frozen=True)
class Tokens:
    """One text's ids and token types, specials included, truncated."""

    ids: tuple[int, ...]
    types: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)


class TextEncoder:
    """A tokenizer.json with the truncation and padding that the services apply."""

    def __init__(self, tokenizer_json: bytes, *, max_tokens: int, pad_token_id: int, padding_side: str) -> None:
        """Raises InputError: the bytes are not a tokenizer."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
        except Exception as error:  # the library raises bare Exception
            raise InputError(f"tokenizer.json cannot be read: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self.pad_token_id = pad_token_id
        self.padding_side = padding_side

    @property
    def vocabulary(self) -> int:
        """The largest id it can give, plus one."""
        return 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)

    def encode(self, texts: Sequence[Text]) -> list[Tokens]:
        """Tokens of texts or pairs, in order."""
        encodings = self._tokenizer.encode_batch(list(texts))
        return [Tokens(tuple(encoding.ids), tuple(encoding.type_ids)) for encoding in encodings]

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
