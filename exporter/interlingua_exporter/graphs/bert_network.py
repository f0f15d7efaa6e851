"""A BertModel without weights: what every reader of weights fills.

BertConfig --empty_bert--> BertModel on the meta device --load_state_dict(assign=True)--> a network that holds them
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

if TYPE_CHECKING:
    from transformers import BertConfig


def empty_bert(config: BertConfig) -> torch.nn.Module:
    """The network without its pooler, in evaluation mode; its parameters take no memory until they are assigned."""
    from transformers import BertModel

    config._attn_implementation = "eager"  # plain matrix products, which every exporter and runtime knows
    with torch.device("meta"):
        network = BertModel(config, add_pooling_layer=False)
    # The two buffers of positions and types are in no file and are not left on the meta device.
    positions = torch.arange(config.max_position_embeddings).expand((1, -1))
    embeddings: Any = network.embeddings
    embeddings.position_ids = positions
    embeddings.token_type_ids = torch.zeros_like(positions)
    return cast("torch.nn.Module", network.train(False))
