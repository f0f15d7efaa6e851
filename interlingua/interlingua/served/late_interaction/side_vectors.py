"""What the network gives for a side's row, as the vectors that are compared and what they weigh.

[L, d + 1], or [L, d] without importances --places that are kept--> TokenVectors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.served.late_interaction.token_pooling import pooled
from interlingua.served.token_vectors import TokenVectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua.served.late_interaction.sides import LateInteraction

    Floats = npt.NDArray[np.float32]

_LEAST_SUM = np.float32(1e-6)  # of importances: a query without rows scores 0


def vector_length(interaction: LateInteraction, values: int) -> int:
    """The length of a token's vector where the network gives so many values a token."""
    return values - (interaction.weighting == "importance")


def document_vectors(kept: Floats, interaction: LateInteraction) -> Floats:
    """A document's rows of the network as what is compared, float32 [tokens, d]; fewer where the model pools them."""
    vectors = _vectors(kept, interaction)
    return pooled(vectors, interaction.pooling) if interaction.pooling else vectors


def query_vectors(kept: Floats, interaction: LateInteraction) -> TokenVectors:
    """A query's rows of the network with their final weights."""
    return TokenVectors(_vectors(kept, interaction), _weights(kept, interaction))


def _vectors(kept: Floats, interaction: LateInteraction) -> Floats:
    return kept[:, :-1] if interaction.weighting == "importance" else kept


def _weights(kept: Floats, interaction: LateInteraction) -> Floats:
    scale, tokens = np.float32(interaction.scale), len(kept)
    if interaction.weighting == "importance":
        importance = kept[:, -1]
        weights: Floats = scale / max(importance.sum(dtype=np.float32), _LEAST_SUM) * importance
        return weights
    return np.full(tokens, scale / max(tokens, 1) if interaction.weighting == "mean" else scale, np.float32)
