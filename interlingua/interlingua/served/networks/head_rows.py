"""The rows of a head that make the score, as one.

    yes-no:            logit(yes) - logit(no) = (W[yes] - W[no]) . h        W: the language model's head, [V, H]
    yes:               logit(yes)             =  W[yes] . h
    classifier:        the one logit          =  W[0] . h
    class-difference:  second minus first     = (W[1] - W[0]) . h           W: the classifier's head, [2, H]

So no product as wide as the vocabulary is computed.
"""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence


def head_of(network: nn.Module, *, causal: bool) -> tuple[Tensor, Tensor | None]:
    """Weight [rows, H] and bias of a decoder's head; a tied one is the embedding table.

    Args:
        causal: whether the network is a causal language model, else a sequence classifier.

    Raises:
        ValueError: the head is not where it is looked for.
    """
    head = methodcaller("get_output_embeddings")(network) if causal else getattr(network, "score", None)
    if not isinstance(head, nn.Linear):
        raise ValueError(f"{type(network).__name__} keeps its head where it is not looked for")
    return head.weight, head.bias


def score_layer(weight: Tensor, bias: Tensor | None, rows: Sequence[int]) -> nn.Linear:
    """From a state [n, H] to the score [n, 1]: a head's row, less another one; float32.

    Args:
        weight: of the head, [rows, H], which may be the embedding table itself.
        bias: [rows], or None.
    """
    layer = nn.Linear(weight.shape[1], 1, bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(difference(weight, rows).unsqueeze(0))
        if bias is not None:
            layer.bias.copy_(difference(bias, rows).unsqueeze(0))
    return layer


def difference(values: Tensor, rows: Sequence[int]) -> Tensor:
    """values[first row], less values[second row] where there is one; float32."""
    first, *others = rows
    return values[first].float() - values[others[0]].float() if others else values[first].float()
