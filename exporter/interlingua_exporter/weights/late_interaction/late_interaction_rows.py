"""The two sides of a pair as rows of their own: what late interaction encodes apart.

    <s> query </s> </s> document </s>   --after the first separator-->   query row | document row

A side's row holds exactly the ids that the tokenizer's pair template gives it, so a text encoded apart has the
states that it has within a pair.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import torch

from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.late_interaction.sides import Part, SideRules
from interlingua.served.text.sealed import SealedTokenizers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer

Row = list[int]


class SideRows:
    """Texts to rows of ids, and rows to a batch.

    Args:
        tokenizer: with a pair template; of its special tokens none is made by a text here, as in a service.
        separator_id: the id that ends the query.
        pad_token_id: fills a batch.
        max_tokens: what the network reads; no row is longer, whatever is asked for.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, separator_id: int, pad_token_id: int, max_tokens: int = sys.maxsize
    ) -> None:
        self._tokenizers = SealedTokenizers(tokenizer.to_str().encode())
        self._separator_id = separator_id
        self._pad_token_id = pad_token_id
        self._max_tokens = max_tokens

    def queries(self, texts: Sequence[str], longest: int) -> list[Row]:
        """Rows of at most `longest` ids, the separator included."""
        return self._rows(texts, "query", longest)

    def documents(self, texts: Sequence[str], longest: int) -> list[Row]:
        """Rows of at most `longest` ids, the last special token included."""
        return self._rows(texts, "document", longest)

    def _rows(self, texts: Sequence[str], part: Part, longest: int) -> list[Row]:
        side = SideRules(max_tokens=min(longest, self._max_tokens), part=part, separator_id=self._separator_id)
        return [list(kept.ids) for kept, _ in SideTokenizer(self._tokenizers, side).encode(texts)]

    def batch(self, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
        """input_ids and attention_mask, int64 [n, longest row], padded on the right."""
        shape = (len(rows), max(map(len, rows)))
        input_ids = torch.full(shape, self._pad_token_id)
        attention_mask = torch.zeros(shape, dtype=torch.int64)
        for number, row in enumerate(rows):
            input_ids[number, : len(row)] = torch.tensor(row)
            attention_mask[number, : len(row)] = 1
        return input_ids, attention_mask
