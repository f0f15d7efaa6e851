"""The architecture classes that are tested, exported, and what transformers alone computes of each.

The expected answers are of one text without padding, pooled, projected and scored in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interlingua.repository.text_encoder import TextEncoder
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.support.architecture_models import Tiny

TEXTS = [*[text for row in sentences()[:2] for text in row.values()][:12], "a", " ".join(sentences()[0].values())]
PAIRS = [*zip(TEXTS[:6], TEXTS[6:12], strict=True), ("a", "b"), (TEXTS[-1], "b")]

LAST = ("last", "normalize")
GEMMA = ("mean", "identity", "identity", "normalize")
CASES: dict[str, tuple[Tiny, Overrides]] = {
    "mbert, plain folder": (Tiny(family="Bert", kind="BertForMaskedLM"), Overrides()),
    "labse cls and tanh": (
        Tiny(family="Bert", kind="BertModel", modules=("cls", "tanh", "normalize"), layers=1),
        Overrides(),
    ),
    "qwen3 last": (Tiny(family="Qwen3", kind="Qwen3Model", modules=LAST, padding_side="left"), Overrides()),
    "gemma3 mean and two dense": (Tiny(family="Gemma3Text", kind="Gemma3TextModel", modules=GEMMA), Overrides()),
    "bert two logits": (
        Tiny(family="Bert", kind="BertForSequenceClassification", labels=2, layers=1),
        Overrides(head="class-difference"),
    ),
    "qwen3 two logits": (
        Tiny(family="Qwen3", kind="Qwen3ForSequenceClassification", labels=2, padding_side="left", seed=5),
        Overrides(head="class-difference"),
    ),
    "qwen3 yes-no, tied": (
        Tiny(family="Qwen3", kind="Qwen3ForCausalLM", tied=True, padding_side="left", layers=1),
        Overrides(head="yes-no", score_tokens=("yes", "no")),
    ),
    "qwen3 yes, a head of its own": (
        Tiny(family="Qwen3", kind="Qwen3ForCausalLM", tied=False, layers=1),
        Overrides(head="yes"),
    ),
    "gemma yes": (Tiny(family="Gemma", kind="GemmaForCausalLM", padding_side="left"), Overrides(head="yes")),
}


@dataclass(frozen=True)
class Exported:
    tiny: Tiny
    folder: Path
    checkpoint: Checkpoint
    network: Path

    @property
    def texts(self) -> list[Any]:
        return TEXTS if self.checkpoint.spec.role == "embedder" else PAIRS

    def encoder(self, padding_side: str) -> TextEncoder:
        made = self.checkpoint.text_encoder()
        made.padding_side = padding_side
        return made

    def answers(self, texts: list[Any], padding_side: str = "right") -> np.ndarray:
        encoder = self.encoder(padding_side)
        batch = encoder.collate(encoder.encode(texts), self.checkpoint.inputs)
        return OnnxSession(self.network / "model.onnx", threads=1).run(batch)


def plain_transformers(exported: Exported, text: Any) -> np.ndarray:
    """None of the exporter's code but the tokenizer."""
    import torch
    import transformers

    row = exported.encoder("right").encode([text])[0]
    feed = {"input_ids": torch.tensor([row.ids])}
    if "token_type_ids" in exported.checkpoint.inputs:
        feed["token_type_ids"] = torch.tensor([row.type_ids])
    network = getattr(transformers, exported.tiny.kind).from_pretrained(exported.folder).eval()
    with torch.inference_mode():
        if exported.checkpoint.spec.role == "embedder":
            states = network.base_model(**feed).last_hidden_state[0].numpy()
            return embedding(exported, states)
        if exported.tiny.kind == "Qwen3ForSequenceClassification":
            # Its own forward looks for the last id that does not pad, and here that id ends the text.
            logits = network.score(network.model(**feed).last_hidden_state[0, -1]).numpy()
        else:
            logits = network(**feed).logits[0].numpy()
            logits = logits[-1] if exported.checkpoint.spec.score_tokens else logits
    return score(exported, logits)


def embedding(exported: Exported, states: np.ndarray) -> np.ndarray:
    """Pooling, dense layers and length 1, as the folder's modules say."""
    from safetensors.numpy import load_file

    parts = exported.tiny.modules or ("mean", "normalize")
    pooled = {"mean": states.mean(axis=0), "cls": states[0], "last": states[-1]}[parts[0]]
    for number, part in enumerate(parts[1:], start=2):
        folder = exported.folder / f"{number}_Dense"
        if part == "identity":
            pooled = load_file(folder / "model.safetensors")["linear.weight"] @ pooled
        elif part == "tanh":
            import torch

            state = torch.load(folder / "pytorch_model.bin", weights_only=True)
            pooled = np.tanh(state["linear.weight"].numpy() @ pooled + state["linear.bias"].numpy())
    result: np.ndarray = pooled / np.linalg.norm(pooled)
    return result


def score(exported: Exported, logits: np.ndarray) -> np.ndarray:
    """Of all logits, the ones that count: the vocabulary ends in yes, no, Yes."""
    match exported.checkpoint.spec.head:
        case "classifier":
            return logits
        case "class-difference":
            return logits[1:] - logits[:1]
        case "yes-no":
            return logits[[600]] - logits[[601]]
        case _:
            return logits[[602]]
