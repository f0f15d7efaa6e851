"""A tiny random model of each architecture class: folder -> graph -> ONNX -> gate, against transformers alone.

BERT's and XLM-R's plain encoders and classifiers of one logit are in test_exported_networks.py.

The expected answers are transformers' on one text without padding, pooled, projected and scored in numpy.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.graphs.onnx_session import OnnxSession
from interlingua_exporter.models.exportable import TESTED_CLASSES
from interlingua_exporter.precision.build import build
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.texts.text_encoder import TextEncoder
from interlingua_exporter.weights import checkpoint_folder
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.exporter.architecture_models import VOCABULARY, Tiny, save

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
        Tiny(family="Qwen3", kind="Qwen3ForSequenceClassification", labels=2, padding_side="left"),
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


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def exported(
    request: pytest.FixtureRequest, tokenizer_json: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    tiny, overrides = request.param
    scratch = tmp_path_factory.mktemp("classes")
    folder = save(tiny, scratch / "tiny", tokenizer_json)
    checkpoint = checkpoint_folder.load(folder, overrides=overrides)
    return Exported(tiny, folder, checkpoint, build(checkpoint, "fp32", scratch).network)


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


def test_it_is_what_transformers_computes(exported: Exported) -> None:
    for text in (exported.texts[0], exported.texts[-2], exported.texts[-1]):
        expected = plain_transformers(exported, text)
        np.testing.assert_allclose(exported.answers([text])[0], expected, rtol=1e-3, atol=1e-4)


def test_it_passes_the_gate(exported: Exported) -> None:
    report = gate_network(exported.checkpoint, "fp32", exported.network, 1)
    assert all(figure.passed for figure in report.figures)


def test_an_answer_is_the_same_alone_and_padded_on_either_side(exported: Exported) -> None:
    alone = np.concatenate([exported.answers([text]) for text in exported.texts])
    # An encoder's first token is what its positions count from: it is never padded on the left.
    sides = ("right",) if exported.tiny.family in ("Bert", "XLMRoberta") else ("right", "left")
    assert len({len(row) for row in exported.encoder("right").encode(exported.texts)}) > 3
    for side in sides:
        together = exported.answers(exported.texts, side)
        np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(exported.answers(exported.texts[::-1], side)[::-1], alone, rtol=1e-3, atol=1e-4)


def test_the_graph_has_no_product_as_wide_as_the_vocabulary(exported: Exported) -> None:
    import onnx

    graph = onnx.load(exported.network / "model.onnx", load_external_data=False).graph
    assert [entry.name for entry in graph.output] == [exported.checkpoint.output]
    wide = {entry.name for entry in graph.initializer if VOCABULARY in entry.dims}
    used = {node.op_type for node in graph.node for name in node.input if name in wide}
    assert used == {"Gather"}


def test_the_classes_that_count_as_tested_are_these(make_folder: Callable[..., Path]) -> None:
    elsewhere = [make_folder(family, labels=labels) for family in ("bert", "xlm-roberta") for labels in (None, 1)]
    named = {json.loads((folder / "config.json").read_text())["architectures"][0] for folder in elsewhere}
    assert named | {tiny.kind for tiny, _ in CASES.values()} == set(TESTED_CLASSES)
