"""Two tiny random models made of Python code of their own, as folders: an embedder, and a judge with experts.

The code leaves a file behind when it is imported, so that a test can see whether it ran.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_TOKENS = 96
VOCABULARY = 600
TEMPLATE = "Judge whether the Content answers the Query. Query: {query}; Content: {document}[CLS]"

_CONFIGURATION = """
from pathlib import Path

from transformers import PretrainedConfig

Path({marker!r}).touch()


class TinyConfig(PretrainedConfig):
    model_type = "tiny-own"

    def __init__(
        self, vocab_size=600, hidden_size=32, num_attention_heads=4, experts=0, max_position_embeddings=96, **rest
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = 1
        self.num_attention_heads = num_attention_heads
        self.experts = experts
        self.max_position_embeddings = max_position_embeddings
        super().__init__(**rest)
"""

_MODELING = '''
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput

from .configuration_tiny import TinyConfig


class Experts(nn.Module):
    """Two of the experts for each token, weighed by the router."""

    def __init__(self, config):
        super().__init__()
        self.router = nn.Linear(config.hidden_size, config.experts)
        self.layers = nn.ModuleList(nn.Linear(config.hidden_size, config.hidden_size) for _ in range(config.experts))

    def forward(self, states):
        weights, chosen = self.router(states).softmax(-1).topk(2, dim=-1)
        every = torch.stack([layer(states).tanh() for layer in self.layers], dim=-2)
        picked = every.gather(-2, chosen.unsqueeze(-1).expand(*chosen.shape, states.shape[-1]))
        return states + (weights.unsqueeze(-1) * picked).sum(-2)


class Body(nn.Module):
    def __init__(self, config):
        super().__init__()
        size = config.hidden_size
        self.words = nn.Embedding(config.vocab_size, size)
        self.places = nn.Embedding(config.max_position_embeddings, size)
        self.norm = nn.LayerNorm(size)
        self.heads = config.num_attention_heads
        self.mix = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        self.more = Experts(config) if config.experts else nn.Identity()
        self.is_causal = bool(config.experts)

    def forward(self, input_ids, visible, position_ids):
        states = self.norm(self.words(input_ids) + self.places(position_ids))
        texts, tokens, size = states.shape
        parts = self.mix(states).view(texts, tokens, 3, self.heads, size // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = (query @ key.transpose(-1, -2) / (size // self.heads) ** 0.5).masked_fill(~visible, -1e4)
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(texts, tokens, size)
        return self.more(states + self.out(mixed))


class TinyModel(PreTrainedModel):
    config_class = TinyConfig
    base_model_prefix = "model"

    def __init__(self, config):
        super().__init__(config)
        self.body = Body(config)
        self.post_init()

    def forward(self, input_ids, attention_mask, **rest):
        places = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)
        return BaseModelOutput(last_hidden_state=self.body(input_ids, attention_mask.bool()[:, None, None], places))


class TinyJudge(PreTrainedModel):
    """Takes a boolean mask [n, 1, L, L]; two classes from the last token, which is [CLS]."""

    config_class = TinyConfig
    base_model_prefix = "body"

    def __init__(self, config):
        super().__init__(config)
        self.body = Body(config)
        self.judge = nn.Linear(config.hidden_size, 2)
        self.post_init()

    def forward(self, input_ids, attention_mask, position_ids):
        assert attention_mask.dtype == torch.bool and attention_mask.dim() == 4
        states = self.body(input_ids, attention_mask, position_ids)
        return SequenceClassifierOutput(logits=self.judge(states[:, -1]))
'''

_CLASSES = {"embedder": ("AutoModel", "TinyModel"), "judge": ("AutoModelForSequenceClassification", "TinyJudge")}


def save(kind: str, folder: Path, marker: Path, tokenizer_json: bytes) -> Path:
    """Write a model's folder.

    Args:
        kind: `embedder` or `judge`.
        marker: the file that its code writes when it is imported.
        tokenizer_json: the `bert` one of tests/conftest.py; the judge's adds no specials of its own.
    """
    folder.mkdir(parents=True)
    auto, name = _CLASSES[kind]
    (folder / "configuration_tiny.py").write_text(_CONFIGURATION.format(marker=str(marker)), encoding="utf-8")
    (folder / "modeling_tiny.py").write_text(_MODELING, encoding="utf-8")
    config: dict[str, Any] = {
        "model_type": "tiny-own",
        "architectures": [name],
        "auto_map": {"AutoConfig": "configuration_tiny.TinyConfig", auto: f"modeling_tiny.{name}"},
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "experts": 4 if kind == "judge" else 0,
        "max_position_embeddings": MAX_TOKENS,
        "pad_token_id": 0,
    }
    _write(folder / "config.json", config)
    tokenizer = json.loads(tokenizer_json)
    if kind == "judge":
        tokenizer["post_processor"] = None
    _write(folder / "tokenizer.json", tokenizer)
    side = "left" if kind == "judge" else "right"
    _write(folder / "tokenizer_config.json", {"padding_side": side, "model_max_length": MAX_TOKENS})
    _save_weights(folder, kind)
    return folder


def catalogue(judge: Path) -> str:
    """A catalogue with an entry for the judge, as Querit's is."""
    return f"""
[[model]]
id = "tests/own-judge"
role = "reranker"
pooling = "none"
normalize = false
head = "class-difference"
max_tokens = {MAX_TOKENS}
padding_side = "left"
remote_code = true
square_mask = true
pair_template = {json.dumps(TEMPLATE)}
source = {{ reader = "folder", path = {json.dumps(str(judge))} }}

[model.network]
architecture = "TinyJudge"
hidden = 32
layers = 1
heads = 4
feed_forward = 32
vocabulary = {VOCABULARY}
parameters = 30_000
active_parameters = 28_000
"""


def _save_weights(folder: Path, kind: str) -> None:
    """Random ones, by the shapes that the code above gives them: the code itself is not run here."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(7)
    shapes = {
        "body.words.weight": (VOCABULARY, 32),
        "body.places.weight": (MAX_TOKENS, 32),
        "body.norm.weight": (32,),
        "body.norm.bias": (32,),
        "body.mix.weight": (96, 32),
        "body.mix.bias": (96,),
        "body.out.weight": (32, 32),
        "body.out.bias": (32,),
    }
    if kind == "judge":
        shapes |= {"body.more.router.weight": (4, 32), "body.more.router.bias": (4,)}
        for number in range(4):
            shapes |= {f"body.more.layers.{number}.weight": (32, 32), f"body.more.layers.{number}.bias": (32,)}
        shapes |= {"judge.weight": (2, 32), "judge.bias": (2,)}
    state = {name: torch.randn(shape, generator=generator) * 0.4 for name, shape in shapes.items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
