"""Tokens of texts to the rectangle that a network takes: the one padding.

Row (ids, token types) of each text --collate--> {input name: int64 [n, longest]}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS
from interlingua.served.text.tokenizer import SideRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from interlingua.served.text.tokenizer import Row


def collate(
    rows: Sequence[Row], names: Sequence[str], *, pad_token_id: int, padding_side: str
) -> dict[str, NDArray[np.int64]]:
    """A batch padded to its longest row: int64 [n, L] for each input name, in their order.

    Args:
        padding_side: "left", or else right.
    """
    shape = (len(rows), max(len(row) for row in rows))
    columns = {
        INPUT_IDS: np.full(shape, pad_token_id, np.int64),
        ATTENTION_MASK: np.zeros(shape, np.int64),
        TOKEN_TYPE_IDS: np.zeros(shape, np.int64),
    }
    for number, row in enumerate(rows):
        where = slice(shape[1] - len(row), None) if padding_side == "left" else slice(len(row))
        columns[INPUT_IDS][number, where] = row.ids
        columns[ATTENTION_MASK][number, where] = 1
        if isinstance(row, SideRow):
            columns[ATTENTION_MASK][number, row.attended :] = 0  # a side is padded on the right
        columns[TOKEN_TYPE_IDS][number, where] = row.type_ids
    return {name: columns[name] for name in names}
