"""What a model folder says about itself, in transformers or sentence-transformers layout.

    config.json, modules.json, 1_Pooling/config.json, sentence_bert_config.json, config_sentence_transformers.json,
    tokenizer_config.json --read_layout--> Layout --> ModelSpec

The files come from outside: a path in them cannot leave the folder, and a value of the wrong kind is an InputError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.errors import InputError

if TYPE_CHECKING:
    from exporter.spec import PaddingSide, Pooling, Role

_UNLIMITED = 1 << 20  # tokenizers without a limit say 10^30
# Their positions start after the padding id, so 514 positions are 512 tokens.
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet")


@dataclass(frozen=True)
class Layout:
    """The folder's own statements.

    Attributes:
        transformer: the folder with config.json and the weights.
        pooling: None where the folder does not say.
        normalize: whether the modules end in a normalization.
        lowercase: whether texts are to be lower-cased before tokenization.
        labels: of a sequence classifier, else 0.
        own_code: whether config.json names Python code of the model's own.
    """

    transformer: Path
    role: Role
    pooling: Pooling | None
    normalize: bool
    query_prompt: str
    document_prompt: str
    max_tokens: int
    padding_side: PaddingSide
    lowercase: bool
    labels: int
    own_code: bool
    licence: str


def read_layout(folder: Path) -> Layout:
    """Everything the folder says.

    Raises:
        InputError: no config.json, a file that is not JSON, modules that cannot be exported.
    """
    modules = _modules(folder)
    transformer = _inside(folder, modules.get("Transformer", ""))
    config = _json(transformer / "config.json", required=True)
    sentence = _json(transformer / "sentence_bert_config.json")
    tokenizer = _json(transformer / "tokenizer_config.json")
    query_prompt, document_prompt = _prompts(_json(folder / "config_sentence_transformers.json"))
    reranker = any(str(name).endswith("ForSequenceClassification") for name in config.get("architectures") or ())
    return Layout(
        transformer=transformer,
        role="reranker" if reranker else "embedder",
        pooling=_pooling(_inside(folder, modules["Pooling"])) if "Pooling" in modules else None,
        normalize="Normalize" in modules,
        query_prompt=query_prompt,
        document_prompt=document_prompt,
        max_tokens=_max_tokens(config, sentence, tokenizer),
        padding_side="left" if tokenizer.get("padding_side") == "left" else "right",
        lowercase=bool(sentence.get("do_lower_case", False)),
        labels=_labels(config) if reranker else 0,
        own_code=bool(config.get("auto_map")),
        licence=_licence(folder / "README.md"),
    )


def _json(path: Path, *, required: bool = False) -> dict[str, Any]:
    """A JSON object; empty where an optional file is missing."""
    if not path.is_file() and not required:
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} is missing: not a model folder ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is not a JSON object")
    return value


def _modules(folder: Path) -> dict[str, str]:
    """Module kind -> path inside the folder; empty for a plain transformers folder."""
    path = folder / "modules.json"
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        modules = {str(row["type"]).rsplit(".", 1)[-1]: str(row.get("path", "")) for row in rows}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not a list of modules: {error!r}") from error
    if unknown := modules.keys() - {"Transformer", "Pooling", "Normalize"}:
        raise InputError(
            f"{path} asks for {', '.join(sorted(unknown))}; only Transformer, Pooling and Normalize can be exported"
        )
    return modules


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{folder}/modules.json names {name!r}, which is outside the model's folder")
    return path


def _pooling(folder: Path) -> Pooling:
    path = folder / "config.json"
    config = _json(path, required=True)
    if config.get("include_prompt", True) is False:
        raise InputError(f"{path}: pooling without the prompt's tokens cannot be exported")
    modes = {key.removeprefix("pooling_mode_") for key, value in config.items() if value is True} - {"include_prompt"}
    named = config.get("pooling_mode")
    modes |= {named} if isinstance(named, str) else set(named or ())
    known: dict[str, Pooling] = {"cls_token": "cls", "mean_tokens": "mean", "cls": "cls", "mean": "mean"}
    if len(modes) != 1 or not modes <= known.keys():
        raise InputError(f"{path}: pooling by {', '.join(sorted(map(str, modes))) or 'nothing'}; known are mean, cls")
    return known[modes.pop()]


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
