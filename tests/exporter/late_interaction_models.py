"""Tiny late-interaction rerankers: random ones, and one whose token states are known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
from interlingua_exporter.weights.late_interaction import late_interaction_folder
from interlingua_exporter.weights.late_interaction.late_interaction_settings import LateInteractionSettings

MAX_TOKENS = 64
START, PAD, END = 0, 1, 2

SETTINGS = LateInteractionSettings(
    model_id="tiny-late",
    dimension=24,
    separator_id=END,
    special_ids=(START, PAD, END),
    max_tokens=MAX_TOKENS,
    pad_token_id=PAD,
    rerank_weight=0.25,
    licence="MIT",
    base="",
)


def pair_tokenizer(tokenizer_json: bytes) -> bytes:
    """The tokenizer with XLM-RoBERTa's own pair template: <s> query </s> </s> document </s>."""
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_str(tokenizer_json.decode("utf-8"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", START), ("</s>", END)],
    )
    text: str = tokenizer.to_str()
    return text.encode("utf-8")


def random_encoder(seed: int = 0, layers: int = 2) -> Any:
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=600,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.4,
        pad_token_id=PAD,
    )
    config._attn_implementation = "eager"
    return BertModel(config, add_pooling_layer=False).eval()


def random_reranker(seed: int = 0, settings: LateInteractionSettings = SETTINGS) -> LateInteractionReranker:
    """Every part random, the importance included, which starts as zero otherwise."""
    network = LateInteractionReranker(
        random_encoder(seed),
        dimension=settings.dimension,
        separator_id=settings.separator_id,
        special_ids=settings.special_ids,
    )
    torch.nn.init.normal_(network.importance.weight, std=0.3)
    network.requires_grad_(False)
    return network.eval()


def saved(folder: Path, tokenizer_json: bytes, *, seed: int = 0) -> Path:
    late_interaction_folder.save(random_reranker(seed), SETTINGS, folder, tokenizer_json=pair_tokenizer(tokenizer_json))
    return folder


def changed_settings(folder: Path, **changes: object) -> None:
    """Rewrite interlingua.json; the value None takes a key out."""
    path = folder / "interlingua.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


class KnownStates(torch.nn.Module):
    """An encoder whose state of a token is its row of a table, whatever stands around it."""

    def __init__(self, table: list[tuple[float, float]]) -> None:
        super().__init__()
        self.config = SimpleNamespace(hidden_size=2)
        self.table = torch.tensor(table)

    def forward(self, input_ids: torch.Tensor, **_: Any) -> tuple[torch.Tensor]:
        return (self.table[input_ids],)


def known_reranker(table: list[tuple[float, float]], *, importance: tuple[float, float]) -> LateInteractionReranker:
    """Scale 10, the token states themselves as vectors, importance softplus(state . importance)."""
    network = LateInteractionReranker(KnownStates(table), dimension=2, separator_id=END, special_ids=(START, PAD, END))
    network.requires_grad_(False)
    network.projection.weight.copy_(torch.eye(2))
    network.projection.bias.zero_()
    network.importance.weight.copy_(torch.tensor([importance]))
    network.scale.fill_(10.0)
    return network.eval()
