"""Where training starts: late interaction over an untrained encoder, in a space without language directions.

    texts of each language --encoder--> mean token state per language and role --SVD--> language directions V
    projection(h) = (I - V V^T)(h - mean)

Token states carry their language along a few directions, in which a query and a document of two languages differ
whatever they say. Projecting these out is language information removal (Yang, Yang, Cer and Darve 2021, "A Simple
and Effective Method To Eliminate the Self Language Bias in Multilingual Representations", EMNLP), here for tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
    from interlingua_exporter.weights.late_interaction.late_interaction_rows import Row, SideRows

_LONGEST = 96
_BATCH = 16


@torch.no_grad()
def remove_language_directions(
    network: LateInteractionReranker,
    rows: SideRows,
    queries: Mapping[str, Sequence[str]],
    documents: Mapping[str, Sequence[str]],
    *,
    share: float = 0.9,
) -> int:
    """Set the network's projection; its dimension must be the encoder's.

    Args:
        queries, documents: a sample of texts by language; some hundred a language are plenty.
        share: of the variance between languages, how much the removed directions hold.

    Returns:
        How many directions were removed; 0 with one language.
    """
    means = [_mean_state(network, rows, rows.queries(texts, _LONGEST)) for texts in queries.values()]
    means += [_mean_state(network, rows, rows.documents(texts, _LONGEST)) for texts in documents.values()]
    stacked = torch.stack(means)
    centre = stacked.mean(0)
    _, strengths, directions = torch.linalg.svd(stacked - centre, full_matrices=False)
    explained = (strengths**2).cumsum(0) / (strengths**2).sum().clamp(min=1e-12)
    number = int((explained < share).sum()) + 1 if len(queries) > 1 else 0
    removed = directions[:number]
    projection = torch.eye(len(centre)) - removed.T @ removed
    network.projection.weight.copy_(projection)
    network.projection.bias.copy_(-projection @ centre)
    return number


def _mean_state(network: LateInteractionReranker, rows: SideRows, texts: Sequence[Row]) -> Tensor:
    """The mean over all content tokens of the texts, float32 [hidden]."""
    total, number = torch.zeros(network.projection.in_features), 0
    for first in range(0, len(texts), _BATCH):
        input_ids, attention_mask = rows.batch(texts[first : first + _BATCH])
        states, content = network.token_states(input_ids, attention_mask)
        total += states[content].sum(0)
        number += int(content.sum())
    return total / max(number, 1)
