"""Tiny models with random weights, in the layouts that users have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interlingua_exporter.texts.parity_texts import sentences

MAX_TOKENS = 96
HIDDEN = 32

MakeFolder = Callable[..., Path]

SPECIALS = {
    "bert": ("[PAD]", "[CLS]", "[SEP]", "[UNK]"),
    "xlm-roberta": ("<s>", "<pad>", "</s>", "<unk>"),
}


def train_tokenizer(specials: tuple[str, ...]) -> str:
    """A byte-level BPE trained on the parity texts; its own file as text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    start, end = (specials[1], specials[2]) if specials[0] == "[PAD]" else (specials[0], specials[2])
    tokenizer = Tokenizer(models.BPE(unk_token=specials[3]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for row in sentences() for text in row.values()], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (start, end)],
    )
    text: str = tokenizer.to_str()
    return text


def save_tiny(
    folder: Path,
    tokenizer_json: dict[str, bytes],
    family: str,
    *,
    labels: int | None = None,
    pooling: str | None = None,
    normalize: bool = False,
    prompts: dict[str, str] | None = None,
    padding_side: str = "right",
    seed: int = 0,
    hidden: int = HIDDEN,
) -> Path:
    """Write a model's folder; one with a `pooling` has the layout of sentence-transformers."""
    _save_network(folder, family, labels, seed, hidden)
    (folder / "tokenizer.json").write_bytes(tokenizer_json[family])
    limits = {"padding_side": padding_side, "model_max_length": MAX_TOKENS}
    types = ["token_type_ids"] if family == "bert" else []
    as_it_is = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", *types, "attention_mask"],
    }
    _write(folder / "tokenizer_config.json", {**limits, **as_it_is})
    if pooling:
        _save_sentence_layout(folder, pooling, normalize, prompts or {})
    return folder


def _save_network(folder: Path, family: str, labels: int | None, seed: int, hidden: int) -> None:
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertModel,
        XLMRobertaConfig,
        XLMRobertaForSequenceClassification,
        XLMRobertaModel,
    )

    torch.manual_seed(seed)
    sizes: dict[str, Any] = {
        "vocab_size": 600,
        "hidden_size": hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "initializer_range": 0.4,
    }
    if labels is not None:
        sizes["num_labels"] = labels
    if family == "bert":
        config: Any = BertConfig(**sizes, max_position_embeddings=MAX_TOKENS, pad_token_id=0)
        network: Any = BertModel(config) if labels is None else BertForSequenceClassification(config)
    else:
        config = XLMRobertaConfig(
            **sizes, max_position_embeddings=MAX_TOKENS + 2, type_vocab_size=1, pad_token_id=1, bos_token_id=0
        )
        network = XLMRobertaModel(config) if labels is None else XLMRobertaForSequenceClassification(config)
    network.save_pretrained(folder)


def _save_sentence_layout(folder: Path, pooling: str, normalize: bool, prompts: dict[str, str]) -> None:
    modules = [("Transformer", ""), ("Pooling", "1_Pooling")] + ([("Normalize", "2_Normalize")] if normalize else [])
    rows = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(modules)
    ]
    _write(folder / "modules.json", rows)
    flags = {"pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean"}
    (folder / "1_Pooling").mkdir()
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, **flags})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": MAX_TOKENS, "do_lower_case": False})
    _write(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
