"""A layer over every token's state: `activation(W x + b)`, plus x or a projection of x where there is a residual.

states [n, L, inputs] --DenseOverTokens--> [n, L, outputs]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class DenseOverTokens(nn.Module):
    """The layer with its weights, which are not copied.

    Args:
        weight: float32 [outputs, inputs].
        bias: float32 [outputs], None for none.
        residual: whether the input is added to the output, through `projection`, [outputs, inputs], where there is one.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        activation: nn.Module,
        *,
        residual: bool = False,
        projection: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.linear = _linear(weight, bias)
        self.activation = activation
        self.residual = residual
        self.projection = None if projection is None else _linear(projection, None)

    def forward(self, states: Tensor) -> Tensor:
        out: Tensor = self.activation(self.linear(states))
        if not self.residual:
            return out
        return out + (states if self.projection is None else self.projection(states))


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias, requires_grad=False)
    return layer
