"""The parts of a sentence-transformers folder beside its network, as a catalogue entry states them.

ModelSpec --write_modules--> modules.json, 1_Pooling/, 2_Dense/ (random weights), ..., tokenizer_config.json
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.models.model_facts import DenseLayer
    from interlingua_exporter.models.spec import ModelSpec

_MODES = {"mean": "mean_tokens", "cls": "cls_token", "last": "lasttoken"}
_ACTIVATIONS = {"identity": "torch.nn.modules.linear.Identity", "tanh": "torch.nn.modules.activation.Tanh"}


def write_modules(spec: ModelSpec, folder: Path) -> None:
    """Everything but the network and tokenizer.json; dense layers at torch's own initial scale."""
    texts = {"padding_side": spec.padding_side, "model_max_length": spec.max_tokens}
    types = ["token_type_ids"] if spec.network and spec.network.architecture.startswith("Bert") else []
    names = ["input_ids", *types, "attention_mask"]
    as_it_is = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": names}
    write_json(folder / "tokenizer_config.json", {**texts, **as_it_is})
    if spec.role == "reranker":
        return
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": spec.max_tokens, "do_lower_case": False})
    kinds = ["Transformer", "Pooling", *["Dense"] * len(spec.dense), *["Normalize"] * spec.normalize]
    paths = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds[1:], start=1))]
    rows = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    write_json(folder / "modules.json", rows)
    (folder / paths[1]).mkdir()
    modes = {f"pooling_mode_{mode}": pooling == spec.pooling for pooling, mode in _MODES.items()}
    write_json(folder / paths[1] / "config.json", modes)
    for path, layer in zip(paths[2:], spec.dense, strict=False):
        _write_dense(folder / path, layer)


def _write_dense(folder: Path, facts: DenseLayer) -> None:
    from safetensors.torch import save_file
    from torch import nn

    folder.mkdir()
    sizes = {"in_features": facts.inputs, "out_features": facts.outputs, "bias": facts.bias}
    write_json(folder / "config.json", {**sizes, "activation_function": _ACTIVATIONS[facts.activation]})
    layer = nn.Linear(facts.inputs, facts.outputs, bias=facts.bias)
    save_file({f"linear.{name}": value for name, value in layer.state_dict().items()}, folder / "model.safetensors")


def write_json(path: Path, value: object) -> None:
    """A JSON file."""
    path.write_text(json.dumps(value), encoding="utf-8")
