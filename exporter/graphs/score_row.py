"""The rows of a head that make the score, as one.

    yes-no:            logit(yes) - logit(no) = (W[yes] - W[no]) . h        W: the language model's head, [V, H]
    yes:               logit(yes)             =  W[yes] . h
    classifier:        the one logit          =  W[0] . h
    class-difference:  second minus first     = (W[1] - W[0]) . h           W: the classifier's head, [2, H]

So no product as wide as the vocabulary is in the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from exporter.models.spec import Head


def score_rows(head: Head, tokens: Sequence[int]) -> tuple[int, ...]:
    """The head's row whose logit counts, and the one that is taken away from it where there is one.

    Args:
        tokens: ids of the score tokens; of a causal model's head.
    """
    match head:
        case "classifier":
            return (0,)
        case "class-difference":
            return (1, 0)
        case _:
            return tuple(tokens)


def score_layer(weight: Tensor, bias: Tensor | None, rows: Sequence[int]) -> nn.Linear:
    """From a state [n, H] to the score [n, 1]: a head's row, less another one.

    Args:
        weight: of the head, [rows, H], which may be the embedding table itself.
        bias: [rows], or None.
    """
    import torch
    from torch import nn

    layer = nn.Linear(weight.shape[1], 1, bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(difference(weight, rows).unsqueeze(0))
        if bias is not None:
            layer.bias.copy_(difference(bias, rows).unsqueeze(0))
    return layer


def difference(values: Tensor, rows: Sequence[int]) -> Tensor:
    """values[first row], less values[second row] where there is one."""
    first, *others = rows
    return values[first] - values[others[0]] if others else values[first]
