"""A late-interaction reranker of two layers: random weights, trained on nothing, but every weight matters."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertConfig

from interlingua_exporter.graphs.bert_network import empty_bert
from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.weights.late_interaction.late_interaction_folder import save
from interlingua_exporter.weights.late_interaction.late_interaction_settings import LateInteractionSettings

MAX_TOKENS = 48
RERANK_WEIGHT = 0.4


def save_tiny_reranker(folder: Path, tokenizer_json: bytes, seed: int = 5) -> Path:
    """Write the folder that training would write."""
    torch.manual_seed(seed)
    encoder = empty_bert(
        BertConfig(
            vocab_size=600,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=MAX_TOKENS,
            type_vocab_size=1,
        )
    )
    network = LateInteractionReranker(encoder, dimension=16, separator_id=2, special_ids=(0, 1, 2))
    state = {name: _random(name, tensor) for name, tensor in network.state_dict().items()}
    network.load_state_dict(state | {"scale": torch.tensor(12.0)}, assign=True)
    settings = LateInteractionSettings(
        model_id="tiny",
        dimension=16,
        separator_id=2,
        special_ids=(0, 1, 2),
        max_tokens=MAX_TOKENS,
        pad_token_id=1,
        rerank_weight=RERANK_WEIGHT,
        licence="",
        base="",
    )
    save(network, settings, folder, tokenizer_json=tokenizer_json)
    return folder


def _random(name: str, tensor: torch.Tensor) -> torch.Tensor:
    if tensor.dim() > 1:
        return torch.randn(tensor.shape) * 0.4
    return torch.ones(tensor.shape) if name.endswith("LayerNorm.weight") else torch.zeros(tensor.shape)
