"""Tiny late-interaction models of the world: three backbones, four layouts; weights large enough that errors show."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from interlingua_exporter.texts.parity_texts import sentences

SAID, TEXTS = "config_sentence_transformers.json", "sentence_bert_config.json"
DIMENSION, WINDOW = 16, 48
PUNCTUATION = list(string.punctuation)
ASKED = [
    "paris",
    "",
    "., !",
    "where is the capital of france?",
    "Où est l'école, s'il vous plaît? 東京",
    " ".join(["where is it, and why?"] * 20),
]

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.4,
}


def _train(tokenizer: Tokenizer, trainer: Any, start: str, end: str) -> Tokenizer:
    tokenizer.train_from_iterator([text for row in sentences() for text in row.values()], trainer)
    specials = [(token, tokenizer.token_to_id(token)) for token in (start, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", pair=f"{start} $A {end} $B {end}", special_tokens=specials
    )
    return tokenizer


def _bert(folder: Path) -> None:
    from transformers import BertConfig, BertModel

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token=specials[1]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=900, special_tokens=specials, show_progress=False)
    _train(tokenizer, trainer, "[CLS]", "[SEP]")
    description = json.loads(tokenizer.to_str())
    words = description["model"]["vocab"]
    for word in ("[unused0]", "[unused1]", *PUNCTUATION):  # as in BERT: in the vocabulary, and no added tokens
        words.setdefault(word, len(words))
    (folder / "tokenizer.json").write_text(json.dumps(description))
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), specials, strict=True))
    _config(folder, tokenizer_class="BertTokenizer", do_lower_case=True, **names)
    _save(BertModel, BertConfig(vocab_size=len(words) + 8, max_position_embeddings=64, **_SIZES), folder)


def _xlm_r(folder: Path) -> None:
    from transformers import XLMRobertaConfig, XLMRobertaModel

    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=900,
        special_tokens=specials,
        unk_token=specials[3],
        initial_alphabet=PUNCTUATION,
        show_progress=False,
    )
    _train(tokenizer, trainer, "<s>", "</s>")
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    names |= {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    _config(folder, tokenizer_class="PreTrainedTokenizerFast", **names)
    config = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size() + 8,
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
        **_SIZES,
    )
    _save(XLMRobertaModel, config, folder)


def _modern(folder: Path) -> None:
    from transformers import ModernBertConfig, ModernBertModel

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    _train(tokenizer, trainer, "[CLS]", "[SEP]")
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), specials, strict=True))
    _config(folder, tokenizer_class="PreTrainedTokenizerFast", **names)
    config = ModernBertConfig(
        vocab_size=tokenizer.get_vocab_size() + 8,
        max_position_embeddings=64,
        local_attention=16,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        **_SIZES,
    )
    _save(ModernBertModel, config, folder)


BACKBONES: dict[str, Callable[[Path], None]] = {"bert": _bert, "xlm-roberta": _xlm_r, "modernbert": _modern}


def _config(folder: Path, **values: object) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": WINDOW, **values}))


def _save(kind: Any, config: Any, folder: Path) -> None:
    torch.manual_seed(3)
    kind(config).save_pretrained(folder)


def backbone(folder: Path, family: str) -> Path:
    """A bare transformers folder."""
    folder.mkdir(parents=True, exist_ok=True)
    BACKBONES[family](folder)
    return folder


def native(folder: Path, bare: Path, *, layers: tuple[Any, ...] = (), mask: Any = None, **settings: Any) -> Path:
    """Layout A, saved by the library itself.

    Args:
        settings: of Transformer (query_length, document_length, query_expansion), and `prompts` and
            `similarity_fn_name` of the model.
    """
    torch.manual_seed(5)
    said = {key: settings.pop(key) for key in ("prompts", "similarity_fn_name") if key in settings}
    transformer = Transformer(str(bare), model_kwargs={"dtype": torch.float32}, **settings)
    layers = layers or (dense(32, DIMENSION, bias=False),)
    normalize = Normalize(module_input_name="token_embeddings")
    modules = [transformer, *layers, mask or MultiVectorMask(PUNCTUATION), normalize]
    MultiVectorEncoder(modules=modules, device="cpu", **said).save_pretrained(str(folder))
    return folder


def dense(inputs: int, outputs: int, *, activation: Any = None, bias: bool = True, residual: bool = False) -> Dense:
    """A layer over tokens."""
    return Dense(
        inputs,
        outputs,
        bias=bias,
        activation_function=activation or torch.nn.Identity(),
        module_input_name="token_embeddings",
        use_residual=residual,
    )


def pylate(folder: Path, bare: Path, *, layers: tuple[Any, ...] = (), marked: bool = True, **said: Any) -> Path:
    """Layout B, without PyLate: its two kinds of module, its flat keys, its markers as normalised added tokens."""
    from transformers import AutoModel

    folder.mkdir(parents=True)
    network = AutoModel.from_pretrained(bare, dtype=torch.float32)
    tokenizer = Tokenizer.from_file(str(bare / "tokenizer.json"))
    if marked:
        tokenizer.add_tokens([AddedToken("[Q] ", normalized=True), AddedToken("[D] ", normalized=True)])
    mask = next(token for token in ("[MASK]", "<mask>") if tokenizer.token_to_id(token) is not None)
    tokenizer.enable_padding(pad_token=mask, pad_id=tokenizer.token_to_id(mask), length=15)
    tokenizer.enable_truncation(15)
    network.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    stated = json.loads((bare / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(stated | {"pad_token": mask}))
    (folder / TEXTS).write_text(json.dumps({"max_seq_length": 39, "do_lower_case": False}))
    torch.manual_seed(6)
    layers = layers or (dense(32, DIMENSION, bias=False),)
    rows = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for number, layer in enumerate(layers, start=1):
        path = folder / f"{number}_Dense"
        path.mkdir()
        layer.save(str(path))
        config = json.loads((path / "config.json").read_text())
        config = {key: value for key, value in config.items() if not key.startswith("module_")}
        (path / "config.json").write_text(json.dumps(config))
        rows.append({"idx": number, "name": str(number), "path": path.name, "type": "pylate.models.Dense.Dense"})
    (folder / "modules.json").write_text(json.dumps(rows))
    usual = {"query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 20, "document_length": 30}
    usual |= {"do_query_expansion": True, "attend_to_expansion_tokens": False, "skiplist_words": PUNCTUATION}
    told = usual | {"model_type": "ColBERT", "prompts": {}, "similarity_fn_name": "MaxSim"} | said
    told = {key: value for key, value in told.items() if value is not Ellipsis}
    (folder / SAID).write_text(json.dumps(told))
    return folder


def stanford(folder: Path, bare: Path, **metadata: Any) -> Path:
    """Layout C: the encoder under its base prefix, the projection beside it."""
    folder.mkdir(parents=True)
    config = json.loads((bare / "config.json").read_text())
    prefix = {"bert": "bert", "xlm-roberta": "roberta", "modernbert": "model"}[config["model_type"]]
    state = {f"{prefix}.{name}": value for name, value in load_file(bare / "model.safetensors").items()}
    torch.manual_seed(7)
    state["linear.weight"] = torch.randn(DIMENSION, config["hidden_size"])
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["HF_ColBERT"]}))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((bare / name).read_bytes())
    usual = {"query_maxlen": 18, "doc_maxlen": 28, "attend_to_mask_tokens": False, "mask_punctuation": True}
    (folder / "artifact.metadata").write_text(json.dumps(usual | metadata))
    return folder


def bge(folder: Path, bare: Path) -> Path:
    """Layout D: an embedder's folder with a head for token vectors."""
    folder.mkdir(parents=True)
    for path in bare.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    torch.manual_seed(8)
    torch.save(torch.nn.Linear(32, DIMENSION).state_dict(), folder / "colbert_linear.pt")
    torch.save(torch.nn.Linear(32, 1).state_dict(), folder / "sparse_linear.pt")
    return folder


def theirs(folder: Path) -> MultiVectorEncoder:
    """The library's own reading."""
    return MultiVectorEncoder(str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32})


def edit(path: Path, **values: object) -> None:
    """Changes keys of a JSON file; Ellipsis takes one out."""
    path.parent.mkdir(exist_ok=True)
    changed = (json.loads(path.read_text()) if path.exists() else {}) | values
    path.write_text(json.dumps({key: value for key, value in changed.items() if value is not Ellipsis}))
