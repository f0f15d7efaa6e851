"""What a model folder says about itself, in transformers or sentence-transformers layout.

    config.json, modules.json, 1_Pooling/config.json, 2_Dense/config.json, sentence_bert_config.json,
    config_sentence_transformers.json, tokenizer_config.json --read_layout--> Layout --> ModelSpec

The files come from outside: a path in them cannot leave the folder, and a value of the wrong kind is an InputError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.graphs.dense_folder import read_dense
from interlingua_exporter.weights.sentence_modules import read_modules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from interlingua.served.kinds import Role
    from interlingua_exporter.models.model_facts import DenseLayer
    from interlingua_exporter.models.spec import PaddingSide, Pooling

_UNLIMITED = 1 << 20  # tokenizers without a limit say 10^30
# Their positions start after the padding id, so 514 positions are 512 tokens.
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet")
_POOLINGS: dict[str, Pooling] = {
    "cls_token": "cls",
    "mean_tokens": "mean",
    "cls": "cls",
    "mean": "mean",
    "lasttoken": "last",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folder's own statements.

    Attributes:
        transformer: the folder with config.json and the weights.
        role: what its class makes of it; a causal language model may be a reranker all the same.
        architecture: the class that config.json names first, "" where it names none.
        modules: whether the folder has a modules.json.
        pooling: None where the folder does not say.
        dense: folder and sizes of every layer between pooling and normalization.
        normalize: whether the modules end in a normalization.
        padding_side: None where the folder does not say.
        lowercase: whether texts are to be lower-cased before tokenization.
        labels: of a sequence classifier, else 0.
        own_code: whether config.json names Python code of the model's own.
    """

    transformer: Path
    role: Role
    architecture: str
    modules: bool
    pooling: Pooling | None
    dense: tuple[tuple[Path, DenseLayer], ...]
    normalize: bool
    query_prompt: str
    document_prompt: str
    max_tokens: int
    padding_side: PaddingSide | None
    lowercase: bool
    labels: int
    own_code: bool
    licence: str

    @property
    def causal(self) -> bool:
        """Whether the class is a causal language model's."""
        return self.architecture.endswith(("ForCausalLM", "LMHeadModel"))


def read_layout(folder: Path) -> Layout:
    """Everything the folder says.

    Raises:
        InputError: no config.json, a file that is not JSON, modules that cannot be exported.
    """
    modules = read_modules(folder)
    config = read_object(modules.transformer / "config.json", required=True)
    sentence = read_object(modules.transformer / "sentence_bert_config.json")
    tokenizer = read_object(modules.transformer / "tokenizer_config.json")
    query_prompt, document_prompt = _prompts(read_object(folder / "config_sentence_transformers.json"))
    architectures = [str(name) for name in config.get("architectures") or ()]
    reranker = any(name.endswith("ForSequenceClassification") for name in architectures)
    side = tokenizer.get("padding_side")
    return Layout(
        transformer=modules.transformer,
        role="reranker" if reranker else "embedder",
        architecture=architectures[0] if architectures else "",
        modules=modules.stated,
        pooling=_pooling(modules.pooling) if modules.pooling else None,
        dense=tuple((part, read_dense(part)) for part in modules.dense),
        normalize=modules.normalize,
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        max_tokens=_max_tokens(config, sentence, tokenizer),
        padding_side=side if side in ("left", "right") else None,
        lowercase=bool(sentence.get("do_lower_case", False)),
        labels=_labels(config) if reranker else 0,
        own_code=bool(config.get("auto_map")),
        licence=_licence(folder / "README.md"),
    )


def _pooling(folder: Path) -> Pooling:
    path = folder / "config.json"
    config = read_object(path, required=True)
    if config.get("include_prompt", True) is False:
        raise InputError(f"{path}: pooling without the prompt's tokens cannot be exported")
    modes = {key.removeprefix("pooling_mode_") for key, value in config.items() if value is True} - {"include_prompt"}
    named = config.get("pooling_mode")
    modes |= {named} if isinstance(named, str) else set(named or ())
    if len(modes) != 1 or not modes <= _POOLINGS.keys():
        asked = ", ".join(sorted(map(str, modes))) or "nothing"
        raise InputError(f"{path}: pooling by {asked}; known are mean, cls, lasttoken, one of them")
    return _POOLINGS[modes.pop()]


def _prompts(config: Mapping[str, Any]) -> tuple[str, str]:
    prompts = config.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(text, str) for text in prompts.values()):
        raise InputError("config_sentence_transformers.json: `prompts` is not an object of texts")
    default = prompts.get(config.get("default_prompt_name") or "", "")
    document = prompts.get("document") or prompts.get("passage") or default
    return prompts.get("query") or default, document


def _max_tokens(config: Mapping[str, Any], sentence: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> int:
    """The least of the limits that the folder states."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and config.get("model_type") in _OFFSET_POSITIONS:
        pad = config.get("pad_token_id")
        positions -= (1 if pad is None else int(pad)) + 1
    stated = (positions, sentence.get("max_seq_length"), tokenizer.get("model_max_length"))
    limits = [int(limit) for limit in stated if isinstance(limit, int | float) and 0 < limit < _UNLIMITED]
    if not limits:
        raise InputError("the folder does not say how many tokens a text may have: give --max-tokens")
    return min(limits)


def _labels(config: Mapping[str, Any]) -> int:
    labels = config.get("id2label")
    if isinstance(labels, dict):
        return len(labels)
    return int(config.get("num_labels", 2))


def _licence(readme: Path) -> str:
    """`license:` of a model card's front matter."""
    if not readme.is_file():
        return ""
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    front = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
    return next((line.partition(":")[2].strip() for line in front if line.startswith("license:")), "")
