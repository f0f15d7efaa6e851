"""A late-interaction model of the world as one graph: the vectors of every token of a text.

input_ids, attention_mask [n, L] int64 --encoder--> states [n, L, H] --DenseOverTokens ...--> --L2--> [n, L, d]

Which ids stand in a row, which of them attend and whose vectors count is decided outside (served/late_interaction).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from interlingua.served.graph_names import TOKEN_TYPE_IDS

if TYPE_CHECKING:
    from collections.abc import Sequence


class MultiVectorGraph(nn.Module):
    """An encoder, layers over its token states, and a normalization.

    Args:
        encoder: a transformers model whose first output is the token states.
        layers: in order.
    """

    def __init__(self, encoder: nn.Module, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.layers = nn.Sequential(*layers)
        self.token_types = _knows_types(encoder)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64 [n, L] twice -> float32 [n, L, d], each vector of unit length."""
        # Token types are made here: the encoder's own are a buffer whose length the export could mistake for a limit.
        extra = {TOKEN_TYPE_IDS: torch.zeros_like(input_ids)} if self.token_types else {}
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra)[0]
        vectors: Tensor = nn.functional.normalize(self.layers(states.float()), dim=-1)
        return vectors


def local_window(encoder: Any) -> int | None:
    """Tokens that a layer sees to both sides together; None where all of them see all."""
    config = encoder.config
    for name in ("local_attention", "sliding_window"):
        if type(window := getattr(config, name, None)) is int:
            return window
    return None


def _knows_types(encoder: Any) -> bool:
    has_types = TOKEN_TYPE_IDS in inspect.signature(encoder.forward).parameters
    return has_types and bool(getattr(encoder.config, "type_vocab_size", 0))
