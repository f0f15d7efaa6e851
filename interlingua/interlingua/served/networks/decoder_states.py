"""A decoder's token states, the same on either side of padding.

    input_ids, attention_mask [n, L] --positions 0, 1, ... of the real tokens; who sees whom--> network --> [n, L, D]

Three things that a decoder is loaded with do not survive a batch: positions that count the padding on the left, a
cache among the outputs, and a mask that lets a padding token see nothing at all, whose softmax is 0 / 0 in half
precision. Here positions come from the mask, there is no cache, and every token sees itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_NEVER = -1e4  # added to an attention score it leaves nothing of it, and it is finite in fp16
# Families whose masks are built here; tests/exporter/test_decoder_states.py compares each with transformers' own.
_MASK_PER_LAYER_KIND = ("gemma2", "gemma3_text", "qwen2", "qwen3")  # a mapping from the kind of a layer to its mask
_ONE_MASK = ("gemma", "llama", "mistral")
_KINDS = {"full_attention", "sliding_attention"}


def is_decoder(network: nn.Module) -> bool:
    """Whether a transformers network is a decoder: attention looks back, or its family is one of decoders."""
    causal = any(getattr(module, "is_causal", False) for module in network.modules())
    return causal or kind_of(network) in _MASK_PER_LAYER_KIND + _ONE_MASK


def kind_of(network: nn.Module) -> str:
    """The family of a transformers network, as its configuration names it."""
    return str(getattr(network.config, "model_type", ""))


class DecoderStates(nn.Module):
    """A transformers decoder without its head, called like an encoder.

    Args:
        network: whose first output is the token states. Attention is causal, or runs both ways where its
            configuration says so (`use_bidirectional_attention`); `sliding_window` limits the layers that it names.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        config, kind = network.config, kind_of(network)
        kinds = getattr(config, "layer_types", None) or ()
        self.causal = bool(getattr(config, "is_causal", True)) and not getattr(
            config, "use_bidirectional_attention", False
        )
        self.window: int | None = getattr(config, "sliding_window", None)
        self.per_kind = kind in _MASK_PER_LAYER_KIND and set(kinds) <= _KINDS
        self.one_mask = kind in _ONE_MASK
        self.half_dtype: torch.dtype | None = None  # of the network, where it is not float32

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        """int64 [n, L] twice -> token states [n, L, D]; those of padding mean nothing, and are finite."""
        states = self.network(
            input_ids=input_ids,
            attention_mask=self._masks(attention_mask),
            position_ids=positions(attention_mask),
            use_cache=False,
        )[0]
        return (states,)

    def _masks(self, attention_mask: Tensor) -> Tensor | dict[str, Tensor]:
        if self.one_mask:
            return self._bias(attention_mask, self.window)
        if not self.per_kind:
            return attention_mask  # transformers builds its own
        masks = {"full_attention": self._bias(attention_mask, None)}
        if self.window is not None:
            masks["sliding_attention"] = self._bias(attention_mask, self.window)
        return masks

    def _bias(self, attention_mask: Tensor, window: int | None) -> Tensor:
        bias = attention_bias(attention_mask, causal=self.causal, window=window)
        return bias if self.half_dtype is None else bias.to(self.half_dtype)


def positions(attention_mask: Tensor) -> Tensor:
    """The place of every real token among the real ones, from 0, int64 [n, L]; of padding any."""
    return (attention_mask.cumsum(1) - 1).clamp(min=0)


def attention_bias(attention_mask: Tensor, *, causal: bool, window: int | None) -> Tensor:
    """What is added to attention scores, float32 [n, 1, L, L]: 0 where a token sees another, else far below zero.

    Args:
        attention_mask: [n, L], 1 for real tokens, with the padding on one side.
        causal: a token sees itself and what comes before it, else all others too.
        window: it sees only tokens nearer than this; None for all.
    """
    return torch.where(visible(attention_mask, causal=causal, window=window), 0.0, _NEVER).unsqueeze(1)


def visible(attention_mask: Tensor, *, causal: bool, window: int | None = None) -> Tensor:
    """Which tokens [n, L, .] see which [n, ., L], bool; arguments as of `attention_bias`. Every token sees itself."""
    columns = torch.arange(attention_mask.shape[1], device=attention_mask.device)
    distance = columns.unsqueeze(1) - columns
    seen = distance >= 0 if causal else torch.ones_like(distance, dtype=torch.bool)
    if window is not None:
        seen = seen & (distance.abs() < window)
    return (attention_mask.bool().unsqueeze(1) & seen) | (distance == 0)
