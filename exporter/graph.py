"""The network as Triton serves it: encoder, pooling and normalization, or encoder and scoring head, in one module.

input_ids, attention_mask [n, L] int64 --encoder--> [n, L, D] --pool over the mask--> [n, D] --L2--> embedding
input_ids, attention_mask (, token_type_ids) [n, L] int64 --classifier--> logit [n, 1] = score
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exporter.graph_names import TOKEN_TYPE_IDS


class EmbedderGraph(nn.Module):
    """An encoder whose token states are pooled, and normalized where the model asks for it.

    Args:
        encoder: a transformers model whose first output is the token states.
        pooling: mean or cls. The mean counts real tokens only, so padding changes nothing. For cls, the first
            real token is taken, which with padding on the left is not column 0.
        normalize: whether the embedding gets length 1.
        token_types: whether the encoder knows token types; an embedder's are all zero and made here, because the
            encoder's own are a buffer whose length the export could mistake for a limit.
    """

    def __init__(self, encoder: nn.Module, *, pooling: str, normalize: bool, token_types: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.normalize = normalize
        self.token_types = token_types

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64 [n, L] twice -> float32 [n, D]."""
        extra = {TOKEN_TYPE_IDS: torch.zeros_like(input_ids)} if self.token_types else {}
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra)[0]
        pooled = _pool(states, attention_mask, self.pooling)
        return nn.functional.normalize(pooled, dim=-1, eps=1e-12) if self.normalize else pooled


class RerankerGraph(nn.Module):
    """A sequence classifier with one logit."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """int64 [n, L] two or three times -> float32 [n, 1], the raw logit."""
        extra = {} if token_type_ids is None else {TOKEN_TYPE_IDS: token_type_ids}
        logits: Tensor = self.classifier(input_ids=input_ids, attention_mask=attention_mask, **extra).logits
        return logits


def _pool(states: Tensor, attention_mask: Tensor, pooling: str) -> Tensor:
    if pooling == "mean":
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
    first = attention_mask.argmax(dim=1)
    return states[torch.arange(states.shape[0], device=states.device), first]
