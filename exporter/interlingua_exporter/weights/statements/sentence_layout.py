"""What a model folder says about itself, in transformers or sentence-transformers layout.

    config.json, modules.json, 1_Pooling/config.json, 2_Dense/config.json, sentence_bert_config.json,
    config_sentence_transformers.json, tokenizer_config.json --read_layout--> Layout: facts and Remarks --> ModelSpec

The files come from outside: a path in them cannot leave the folder, and a value of the wrong kind is an error. What the
user or an entry may say instead is not raised here but kept as a Remark, until their words are heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.graphs.dense_folder import read_dense
from interlingua_exporter.weights.statements.embedding_facts import EmbeddingFacts, read_embedding_facts
from interlingua_exporter.weights.statements.known_files import file_remarks, refuse_adapters
from interlingua_exporter.weights.statements.known_keys import remarks
from interlingua_exporter.weights.statements.sentence_modules import Modules, read_modules
from interlingua_exporter.weights.statements.window import read_window, tokenizer_argument

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua.served.kinds import Role
    from interlingua_exporter.models.model_facts import DenseLayer
    from interlingua_exporter.models.spec import PaddingSide
    from interlingua_exporter.weights.statements.remark import Remark

# Older releases name the file after the network; the first that is there counts.
_SENTENCE = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folder's own statements.

    Attributes:
        transformer: the folder with config.json and the weights.
        role: what its class and modules make of it; a causal language model may be a reranker all the same.
        architecture: the class that config.json names first, "" where it names none.
        modules: whether the folder has a modules.json.
        embedding: pooling, prompts and what becomes of a vector.
        dense: folder and sizes of every layer between pooling and normalization.
        window: tokens of the longest text, as the files say; None where they do not.
        padding_side: None where the folder does not say.
        lowercase: whether texts are to be lower-cased before tokenization.
        labels: of a sequence classifier, else 0.
        logit_tokens: ids whose logits make the score, the one of a good pair first; of a LogitScore module.
        chat: arguments of the tokenizer's chat template, through which texts go; None where they do not.
        own_code: whether config.json names Python code of the model's own.
        remarks: what is not followed, refused or told unless somebody's words settle it.
    """

    transformer: Path
    role: Role
    architecture: str
    modules: bool
    embedding: EmbeddingFacts
    dense: tuple[tuple[Path, DenseLayer], ...]
    window: int | None
    padding_side: PaddingSide | None
    lowercase: bool
    labels: int
    logit_tokens: tuple[int, ...]
    chat: dict[str, Any] | None
    own_code: bool
    licence: str
    remarks: tuple[Remark, ...]

    @property
    def causal(self) -> bool:
        """Whether the class is a causal language model's."""
        return self.architecture.endswith(("ForCausalLM", "LMHeadModel"))


def read_layout(folder: Path) -> Layout:
    """Everything the folder says.

    Raises:
        InputError: no config.json, a file that is not JSON, modules that cannot be exported, an adapter.
    """
    refuse_adapters(folder)
    modules = read_modules(folder)
    refuse_adapters(modules.transformer)
    config = read_object(modules.transformer / "config.json", required=True)
    sentence_path = _sentence_path(modules.transformer)
    sentence = read_object(sentence_path)
    tokenizer = read_object(modules.transformer / "tokenizer_config.json")
    embedding = read_embedding_facts(folder / "config_sentence_transformers.json", modules)
    window, unread = read_window(modules.transformer, config, sentence, tokenizer)
    architectures = _architectures(modules.transformer / "config.json", config)
    classifier = any(name.endswith("ForSequenceClassification") for name in architectures)
    side = tokenizer_argument(sentence, "padding_side") or tokenizer.get("padding_side")
    return Layout(
        transformer=modules.transformer,
        role="reranker" if classifier or modules.logit_score else "embedder",
        architecture=architectures[0] if architectures else "",
        modules=modules.stated,
        embedding=embedding,
        dense=tuple((part, read_dense(part)) for part in modules.dense),
        window=window,
        padding_side=side if side in ("left", "right") else None,
        lowercase=bool(sentence.get("do_lower_case", False)),
        labels=_labels(modules.transformer / "config.json", config) if classifier else 0,
        logit_tokens=_logit_tokens(modules.logit_score) if modules.logit_score else (),
        chat=_chat(sentence_path, sentence),
        own_code=bool(config.get("auto_map")),
        licence=licence_of(folder / "README.md"),
        remarks=(
            *modules.remarks,
            *embedding.remarks,
            *unread,
            *remarks(modules.transformer / "config.json", config),
            *remarks(sentence_path, sentence, _SENTENCE[0]),
            *remarks(modules.transformer / "tokenizer_config.json", tokenizer),
            *_part_remarks(modules),
            *file_remarks(folder, modules.transformer, modules.parts),
        ),
    )


def _sentence_path(transformer: Path) -> Path:
    return next((path for name in _SENTENCE if (path := transformer / name).is_file()), transformer / _SENTENCE[0])


def _architectures(path: Path, config: dict[str, Any]) -> list[str]:
    """Names of classes. Raises InputError: something else is stated."""
    names = config.get("architectures")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise InputError(f"{path}: architectures is {names!r}, not a list of names of classes")
    return names or []


def _chat(path: Path, sentence: dict[str, Any]) -> dict[str, Any] | None:
    """Arguments of the chat template; None where texts go through none. Raises InputError: they are no object."""
    modalities = sentence.get("modality_config") or {}
    processing = sentence.get("processing_kwargs") or {}
    arguments = processing.get("chat_template") or {} if isinstance(processing, dict) else processing
    if not (isinstance(modalities, dict) and isinstance(arguments, dict)):
        raise InputError(f"{path}: modality_config, processing_kwargs and its chat_template are objects")
    return arguments if "message" in modalities else None


def _part_remarks(modules: Modules) -> Iterator[Remark]:
    kinds = [*((part, "Dense") for part in modules.dense), (modules.normalize, "Normalize")]
    for part, kind in (*kinds, (modules.logit_score, "LogitScore")):
        if part:
            yield from remarks(part / "config.json", read_object(part / "config.json"), kind)


def _logit_tokens(part: Path) -> tuple[int, ...]:
    path = part / "config.json"
    config = read_object(path, required=True)
    ids = [config.get("true_token_id"), config.get("false_token_id")]
    found = tuple(number for number in ids if number is not None)
    if ids[0] is None or not all(type(number) is int and number >= 0 for number in found):
        raise InputError(f"{path}: true_token_id and false_token_id are {ids[0]!r} and {ids[1]!r}, not ids of tokens")
    return found


def _labels(path: Path, config: dict[str, Any]) -> int:
    labels, number = config.get("id2label"), config.get("num_labels", 2)
    if isinstance(labels, dict):
        return len(labels)
    if type(number) is not int:
        raise InputError(f"{path}: num_labels is {number!r}, not a number of labels")
    return number


def licence_of(readme: Path) -> str:
    """What a model card's front matter says after `license:`, "" where it says nothing."""
    if not readme.is_file():
        return ""
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    front = lines[1 : lines.index("---", 1)] if lines[:1] == ["---"] and "---" in lines[1:] else []
    return next((line.partition(":")[2].strip() for line in front if line.startswith("license:")), "")
