"""Which rows of a head make the score; interlingua/served/networks/head_rows.py makes one row of them.

Head, ids of the score tokens --score_rows--> rows
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
