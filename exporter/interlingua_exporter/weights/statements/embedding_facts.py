"""What a folder says of an embedder's texts and vectors.

1_Pooling/config.json, config_sentence_transformers.json --read_embedding_facts--> EmbeddingFacts

sentence-transformers' `encode_query` and `encode_document` are the measure: of prompts, presence decides, "" and null
are none, and the default prompt is for `encode` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.base.json_object import read_object
from interlingua_exporter.weights.statements.known_keys import remarks
from interlingua_exporter.weights.statements.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from interlingua_exporter.models.spec import Pooling
    from interlingua_exporter.weights.statements.sentence_modules import Modules

_POOLINGS: dict[str, Pooling] = {
    "cls_token": "cls",
    "mean_tokens": "mean",
    "cls": "cls",
    "mean": "mean",
    "lasttoken": "last",
}
_SHOWN = 6  # names of prompts in a note
_DOCUMENT = ("document", "passage", "corpus")


@dataclass(frozen=True, kw_only=True)
class EmbeddingFacts:
    """Facts of vectors and of the texts they are made of.

    Attributes:
        pooling: None where the folder does not say.
        prompt_pooled: whether the prompt's tokens are pooled, too.
        normalize: whether the modules end in a normalization.
        truncate_dim: values that are kept of a finished vector; None for all.
        document_named: whether a prompt is called "document", the one name that sentence-transformers 6.2 looks for, or
            no other is there for documents.
        default_prompt: of a reranker's pairs; "" for none.
    """

    pooling: Pooling | None
    prompt_pooled: bool
    normalize: bool
    query_prompt: str
    document_prompt: str
    document_named: bool
    default_prompt: str
    truncate_dim: int | None
    remarks: tuple[Remark, ...]


def read_embedding_facts(path: Path, modules: Modules) -> EmbeddingFacts:
    """The facts. Raises InputError: a file that is not JSON, or a pooling without its file.

    Args:
        path: config_sentence_transformers.json, which need not be there.
    """
    config = read_object(path)
    found = list(remarks(path, config))
    prompts = _prompts(path, config, found)
    pooling, pooled = _pooling(modules.pooling / "config.json", found) if modules.pooling else (None, True)
    named = modules.logit_score or any(remark.topic == "pooling" for remark in modules.remarks)
    if modules.stated and not modules.pooling and not named:
        found.append(Remark(f"{path.with_name('modules.json')} asks for no pooling: give --pooling", True, "pooling"))
    cut = config.get("truncate_dim")
    if cut is not None and (type(cut) is not int or cut < 1):
        found.append(Remark(f"{path}: truncate_dim is {cut!r}, not a number of values", refused=True))
        cut = None
    unit = modules.normalize is not None and cut is None
    found += _similarity(path, config.get("similarity_fn_name"), unit=unit)
    return EmbeddingFacts(
        pooling=pooling,
        prompt_pooled=pooled,
        normalize=modules.normalize is not None,
        query_prompt=prompts.get("query", ""),
        document_prompt=next((prompts[name] for name in _DOCUMENT if name in prompts), ""),
        document_named="document" in prompts or not any(name in prompts for name in _DOCUMENT),
        default_prompt=prompts.get(str(config.get("default_prompt_name")), ""),
        truncate_dim=cut,
        remarks=tuple(found),
    )


def _prompts(path: Path, config: Mapping[str, Any], found: list[Remark]) -> dict[str, str]:
    """Prompts by name; null is none, as ""."""
    stated = config.get("prompts") or {}
    if not isinstance(stated, dict) or not all(text is None or isinstance(text, str) for text in stated.values()):
        found.append(Remark(f"{path}: `prompts` is not an object of texts", refused=True, topic="prompts"))
        return {}
    prompts = {name: text or "" for name, text in stated.items()}
    found += _prompt_notes(path, prompts, config.get("default_prompt_name"))
    return prompts


def _prompt_notes(path: Path, prompts: Mapping[str, str], default: object) -> Iterator[Remark]:
    taken = next((name for name in _DOCUMENT if name in prompts), None)
    if taken not in (None, "document") and prompts[str(taken)]:
        yield Remark(
            f"documents get the prompt {taken!r} of {path.name}; sentence-transformers 6.2 says that it takes it, and "
            "looks for 'document' alone",
            topic="prompts",
        )
    others = [name for name, text in prompts.items() if text and name not in ("query", taken, default)]
    if others:
        yield Remark(
            f"of the prompts in {path.name}, {', '.join(map(repr, others[:_SHOWN]))}{' ...' * (len(others) > _SHOWN)} "
            "are not put before texts; --query-prompt and --document-prompt choose others",
            topic="prompts",
        )
    if default is None:
        return
    if not isinstance(default, str) or default not in prompts:
        yield Remark(f"{path}: default_prompt_name is {default!r}, which prompts has not", True, "prompts")
    elif prompts[default] and not ("query" in prompts and taken):
        yield Remark(
            f"the default prompt {prompts[default]!r} is not put before texts: sentence-transformers' encode does "
            "that, encode_query and encode_document do not; --query-prompt and --document-prompt do",
            topic="prompts",
        )


def _pooling(path: Path, found: list[Remark]) -> tuple[Pooling | None, bool]:
    """How states are pooled, None where it is in no known way; and whether the prompt's are."""
    config = read_object(path, required=True)
    found += remarks(path, config, "Pooling")
    pooled = config.get("include_prompt", True) is not False
    named = config.get("pooling_mode")
    if named is None:
        flags = {key.removeprefix("pooling_mode_") for key, value in config.items() if value is True}
        modes = flags - {"include_prompt"}
    else:
        modes = set(map(str, named if isinstance(named, list) else [named]))
    if len(modes) == 1 and modes <= _POOLINGS.keys():
        return _POOLINGS[modes.pop()], pooled
    asked = ", ".join(sorted(modes)) or "nothing"
    found.append(Remark(f"{path}: pooling by {asked}; known are mean, cls, lasttoken, one of them", True, "pooling"))
    return None, pooled


def _similarity(path: Path, name: object, *, unit: bool) -> Iterator[Remark]:
    """Tells where cosine gives another order; of vectors of length 1 inner product and distance give the same."""
    if name in (None, "cosine") or (unit and name in ("dot", "euclidean")):
        return
    if name in ("dot", "euclidean", "manhattan"):
        yield Remark(
            f"{path}: similarity_fn_name is {name}, and `index` and `search` compare by cosine: hits may come in "
            "another order than the model was trained for"
        )
    else:
        yield Remark(f"{path}: similarity_fn_name is {name!r}, which compares no two vectors", refused=True)
