"""Tiny random models of every architecture class, as folders: two layers, 32 wide, in the layout of the real ones.

Decoders pad with the very id that ends their texts, as Qwen3 does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HIDDEN = 32
MAX_TOKENS = 96
VOCABULARY = 604  # 600 of support/tiny_models.py's tokenizer, the score tokens, two that no text has
SCORE_TOKENS = ("yes", "no", "Yes")

_SHARED: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.2,
}
_DECODER: dict[str, Any] = {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": MAX_TOKENS}
_BERT: dict[str, Any] = {"max_position_embeddings": MAX_TOKENS, "pad_token_id": 0}
_XLM_R: dict[str, Any] = {
    "max_position_embeddings": MAX_TOKENS + 2,
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "bos_token_id": 0,
}
# The bidirectional window of 8 is 5 to either side, the causal one 6 back: shorter than the tests' texts.
_GEMMA3: dict[str, Any] = {"layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 8}
FAMILIES: dict[str, dict[str, Any]] = {
    "Bert": _BERT,
    "XLMRoberta": _XLM_R,
    "Qwen3": _DECODER,
    "Gemma3Text": {**_DECODER, **_GEMMA3, "sliding_window": 8, "use_bidirectional_attention": True},
    "Gemma3Causal": {**_DECODER, **_GEMMA3, "sliding_window": 6},
    "Gemma": _DECODER,
    "Gemma2": {**_DECODER, **_GEMMA3, "sliding_window": 6},
    "Llama": _DECODER,
    "Mistral": {**_DECODER, "sliding_window": 6},
    "Olmo2": {"num_key_value_heads": 2, "max_position_embeddings": MAX_TOKENS},
    "Qwen2": {**_DECODER, "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1},
}
_CONFIGS = {"Gemma3Causal": "Gemma3Text"}


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """One folder to make.

    Attributes:
        family: a key of FAMILIES.
        kind: the class of transformers that saves it.
        layers: two, so that one layer's answer goes into another; one where the tests look at what comes after them.
        modules: sentence-transformers' parts after Transformer: `mean`, `cls`, `last`, `tanh`, `identity`, `normalize`.
    """

    family: str
    kind: str
    modules: tuple[str, ...] = ()
    labels: int | None = None
    tied: bool | None = None
    padding_side: str = "right"
    seed: int = 3
    layers: int = 2


def config_of(tiny: Tiny) -> Any:
    import transformers

    values = {**_SHARED, **FAMILIES[tiny.family], "num_hidden_layers": tiny.layers}
    if tiny.family not in ("Bert", "XLMRoberta"):
        values |= {"pad_token_id": 2, "eos_token_id": 2, "bos_token_id": 1}
    values |= {} if tiny.labels is None else {"num_labels": tiny.labels}
    values |= {} if tiny.tied is None else {"tie_word_embeddings": tiny.tied}
    return getattr(transformers, f"{_CONFIGS.get(tiny.family, tiny.family)}Config")(**values)


def network_of(tiny: Tiny) -> Any:
    """The torch network, random, in evaluation mode."""
    import torch
    import transformers

    torch.manual_seed(tiny.seed)
    return getattr(transformers, tiny.kind)(config_of(tiny)).eval()


def save(tiny: Tiny, folder: Path, tokenizer_json: dict[str, bytes]) -> Path:
    """Write the model's folder; `tokenizer_json` is the fixture of tests/conftest.py."""
    network_of(tiny).save_pretrained(folder)
    family = {"Bert": "bert", "XLMRoberta": "xlm-roberta"}.get(tiny.family)
    content = tokenizer_json[family] if family else decoder_tokenizer(tokenizer_json["bert"])
    (folder / "tokenizer.json").write_bytes(content)
    limits = {"padding_side": tiny.padding_side, "model_max_length": MAX_TOKENS}
    types = ["token_type_ids"] if tiny.family == "Bert" else []
    as_it_is = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", *types, "attention_mask"],
    }
    _write(folder / "tokenizer_config.json", {**limits, **as_it_is})
    if tiny.modules:
        _save_modules(folder, tiny.modules)
    return folder


def decoder_tokenizer(bert: bytes) -> bytes:
    """The fixture's tokenizer with [SEP] at the end of every text, as a decoder's, and the score tokens."""
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_str(bert.decode())
    end = tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", pair="$A $B:1 [SEP]:1", special_tokens=[("[SEP]", end)]
    )
    tokenizer.add_tokens(list(SCORE_TOKENS))
    text: str = tokenizer.to_str()
    return text.encode()


def _save_modules(folder: Path, parts: tuple[str, ...]) -> None:
    rows = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    width = HIDDEN
    for number, part in enumerate(parts, start=1):
        kind = "Dense" if part in ("tanh", "identity") else "Normalize" if part == "normalize" else "Pooling"
        name = f"{number}_{kind}"
        rows.append({"idx": number, "name": str(number), "path": name, "type": f"sentence_transformers.models.{kind}"})
        (folder / name).mkdir()
        if kind == "Dense":
            width = _save_dense(folder / name, part, width)
        elif kind == "Pooling":
            _write(folder / name / "config.json", {"word_embedding_dimension": HIDDEN, **_pooling_flags(part)})
    _write(folder / "modules.json", rows)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": MAX_TOKENS, "do_lower_case": False})


def _pooling_flags(pooling: str) -> dict[str, bool]:
    names = {"mean": "mean_tokens", "cls": "cls_token", "last": "lasttoken"}
    return {f"pooling_mode_{name}": key == pooling for key, name in names.items()}


def _save_dense(folder: Path, activation: str, width: int) -> int:
    """A layer: tanh keeps the width and has a bias, identity goes 32 -> 48 -> 32 without one, as Gemma's two do."""
    import torch
    from safetensors.torch import save_file

    outputs = width if activation == "tanh" else 48 if width == HIDDEN else HIDDEN
    name = "activation.Tanh" if activation == "tanh" else "linear.Identity"
    bias = activation == "tanh"
    config = {"in_features": width, "out_features": outputs, "bias": bias}
    _write(folder / "config.json", {**config, "activation_function": f"torch.nn.modules.{name}"})
    generator = torch.Generator().manual_seed(outputs)
    state = {"linear.weight": torch.randn(outputs, width, generator=generator) / width**0.5}
    if bias:
        state["linear.bias"] = torch.randn(outputs, generator=generator)
        torch.save(state, folder / "pytorch_model.bin")  # LaBSE's form; Gemma's is the other
    else:
        save_file(state, folder / "model.safetensors")
    return outputs


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
