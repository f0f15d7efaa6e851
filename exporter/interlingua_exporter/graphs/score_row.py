"""Which rows of a head make the score; how they become one is the torch backend's (interlingua_server/backends/torch).

Head, ids of the score tokens --score_rows--> rows --score_layer--> one row
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_server.backends.torch.torch_network.head_rows import difference as difference
from interlingua_server.backends.torch.torch_network.head_rows import head_of as head_of
from interlingua_server.backends.torch.torch_network.head_rows import score_layer as score_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua_exporter.models.spec import Head


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
