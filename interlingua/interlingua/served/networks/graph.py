"""The network as Triton serves it: encoder, pooling and normalization, or encoder and scoring head, in one module.

input_ids, attention_mask [n, L] int64 --encoder--> [n, L, H] --pool over the mask--> [n, H] --dense layers--> [n, D]
                                       --cut--> [n, d] --L2--> embedding
input_ids, attention_mask (, token_type_ids) [n, L] int64 --classifier--> logits [n, 1 or 2] --> score [n, 1]
input_ids, attention_mask [n, L] int64 --decoder--> [n, L, H] --last real token--> [n, H] --one row--> score [n, 1]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from interlingua.served.graph_names import TOKEN_TYPE_IDS
from interlingua.served.networks.decoder_states import positions, visible

if TYPE_CHECKING:
    from collections.abc import Sequence


class EmbedderGraph(nn.Module):
    """An encoder whose token states are pooled, and normalized where the model asks for it.

    Args:
        encoder: a transformers model, or `DecoderStates`, whose first output is the token states.
        pooling: mean, cls or last. The mean counts real tokens only, so padding changes nothing; cls and last are the
            first and the last real token, wherever the padding is.
        normalize: whether the embedding gets length 1.
        token_types: whether the encoder knows token types; an embedder's are all zero and made here, because the
            encoder's own are a buffer whose length the export could mistake for a limit.
        dense: layers between pooling and normalization, in order.
        dimension: values that are kept of a vector, from the first; None for all. Cut before the normalization
            (Kusupati et al. 2022, "Matryoshka Representation Learning").
        cut_last: whether the cut comes after the normalization, as sentence-transformers' truncate_dim does.
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        pooling: str,
        normalize: bool,
        token_types: bool,
        dense: Sequence[nn.Module] = (),
        dimension: int | None = None,
        cut_last: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.normalize = normalize
        self.token_types = token_types
        self.dense = nn.Sequential(*dense)
        self.dimension = dimension
        self.cut_last = cut_last

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64 [n, L] twice -> float32 [n, D]."""
        extra = {TOKEN_TYPE_IDS: torch.zeros_like(input_ids)} if self.token_types else {}
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **extra)[0]
        pooled: Tensor = self.dense(pool(states, attention_mask, self.pooling))
        if self.dimension is not None and not self.cut_last:
            pooled = pooled[:, : self.dimension]
        if self.normalize:
            pooled = nn.functional.normalize(pooled, dim=-1, eps=1e-12)
        return pooled[:, : self.dimension] if self.cut_last else pooled


class RerankerGraph(nn.Module):
    """A sequence classifier with one logit, or with two whose difference is the score.

    Args:
        difference: whether the score is the second logit minus the first.
        counted: whether the classifier is told positions that are counted from the mask: a decoder of its own class.
        square_mask: whether it takes a boolean mask [n, 1, L, L] in which every token looks back and itself, and none
            at padding.
    """

    def __init__(
        self, classifier: nn.Module, *, difference: bool = False, counted: bool = False, square_mask: bool = False
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.difference = difference
        self.counted = counted
        self.square_mask = square_mask

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """int64 [n, L] two or three times -> float32 [n, 1], the raw logit."""
        extra = {} if token_type_ids is None else {TOKEN_TYPE_IDS: token_type_ids}
        if self.counted:
            extra["position_ids"] = positions(attention_mask)
        mask = visible(attention_mask, causal=True).unsqueeze(1) if self.square_mask else attention_mask
        logits: Tensor = self.classifier(input_ids=input_ids, attention_mask=mask, **extra).logits
        return logits[:, 1:2] - logits[:, 0:1] if self.difference else logits


class LastTokenReranker(nn.Module):
    """A decoder whose score is a linear function of the last real token's state.

    Args:
        states: `DecoderStates`.
        score: from a state to one logit; of a head with many rows only those that count are in it.
    """

    def __init__(self, states: nn.Module, score: nn.Linear) -> None:
        super().__init__()
        self.states = states
        self.score = score

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64 [n, L] twice -> float32 [n, 1], the raw logit."""
        states = self.states(input_ids=input_ids, attention_mask=attention_mask)[0]
        score: Tensor = self.score(pool(states, attention_mask, "last"))
        return score


def pool(states: Tensor, attention_mask: Tensor, pooling: str) -> Tensor:
    """Token states [n, L, H] -> [n, H]; which tokens are real is the mask's word alone."""
    if pooling == "mean":
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
    return states[torch.arange(states.shape[0], device=states.device), _place(attention_mask, pooling)]


def _place(attention_mask: Tensor, pooling: str) -> Tensor:
    """The column of the first or the last real token, int64 [n]; an id that pads can also end a text."""
    if pooling == "cls":
        return attention_mask.argmax(dim=1)
    return (attention_mask * torch.arange(1, attention_mask.shape[1] + 1, device=attention_mask.device)).argmax(dim=1)
