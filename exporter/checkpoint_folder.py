"""Loads a model from a folder: a transformers network, its pooling or head, its tokenizer.

folder --read_layout--> Layout --> ModelSpec;  weights --AutoModel--> torch graph;  tokenizer.json --> Checkpoint
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.checkpoint import Checkpoint
from exporter.graph_names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS
from exporter.sentence_layout import Layout, read_layout
from exporter.spec import FolderSource, ModelSpec, Pooling
from interlingua.errors import InputError

if TYPE_CHECKING:
    import torch


_VOCABULARIES = (
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spiece.model",
    "spm.model",
    "tokenizer.model",
)


@dataclass(frozen=True)
class Overrides:
    """What the user says against, or instead of, the folder's own files; None keeps the folder's."""

    pooling: Pooling | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    max_tokens: int | None = None
    trust_remote_code: bool = False


def load(path: Path, *, model_id: str = "", revision: str = "", overrides: Overrides | None = None) -> Checkpoint:
    """The model in a folder.

    Args:
        model_id: its name; the folder's own where it is empty.

    Raises:
        InputError: the folder is not a model, lacks weights, needs code of its own that was not asked for, or has
            parts that cannot be exported; the message says which.
    """
    folder = path.resolve()
    if not folder.is_dir():
        raise InputError(f"{path} is not a folder")
    chosen = overrides or Overrides()
    layout = read_layout(folder)
    name = model_id or folder.name
    if layout.role == "reranker" and layout.labels != 1:
        raise InputError(f"{name}: a classifier with {layout.labels} labels; a reranker has one logit (num_labels 1)")
    spec, notes = _spec(name, revision, folder, layout, chosen)
    network = _network(spec, layout.transformer)
    tokenizer_json = _tokenizer_json(spec, layout)
    config: Any = network.config
    pad = config.pad_token_id
    return _checkpoint(spec, network, tokenizer_json, 0 if pad is None else int(pad), notes)


def _spec(
    name: str, revision: str, folder: Path, layout: Layout, chosen: Overrides
) -> tuple[ModelSpec, tuple[str, ...]]:
    notes = []
    reranker = layout.role == "reranker"
    pooling, normalize = chosen.pooling or layout.pooling, layout.normalize
    if pooling is None and not reranker:
        pooling, normalize = "mean", True
        notes.append("the folder says nothing about pooling: mean over the tokens and length 1 are assumed")
    if layout.lowercase:
        notes.append("texts are lower-cased, as sentence_bert_config.json asks")
    limit = layout.max_tokens
    if chosen.max_tokens is not None and chosen.max_tokens > limit:
        raise InputError(f"{name}: --max-tokens {chosen.max_tokens} is beyond the model's own {limit}")
    return ModelSpec(
        id=name,
        role=layout.role,
        source=FolderSource(folder),
        revision=revision,
        pooling="none" if reranker else pooling or "mean",
        normalize=normalize and not reranker,
        query_prompt="" if reranker else _first(chosen.query_prompt, layout.query_prompt),
        document_prompt="" if reranker else _first(chosen.document_prompt, layout.document_prompt),
        max_tokens=chosen.max_tokens or limit,
        padding_side=layout.padding_side,
        head="classifier" if reranker else "none",
        remote_code=chosen.trust_remote_code and layout.own_code,
        licence=layout.licence,
    ), tuple(notes)


def _first(chosen: str | None, stated: str) -> str:
    return stated if chosen is None else chosen


def _network(spec: ModelSpec, folder: Path) -> torch.nn.Module:
    """The transformers model, float32, evaluation mode, every weight of it from the folder."""
    import torch
    from transformers import AutoModel, AutoModelForSequenceClassification

    kind: Any = AutoModelForSequenceClassification if spec.role == "reranker" else AutoModel
    try:
        with _quiet_transformers():
            network, loading = kind.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=spec.remote_code,
                attn_implementation="eager",
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises OSError, ValueError, ImportError, pickle's errors, ...
        reason = str(error).strip().split("\n", 1)[0]
        if "trust_remote_code" in str(error):
            reason = "it needs Python code of its own; read that code, then pass --trust-remote-code"
        raise InputError(f"{spec.id}: the network cannot be loaded: {reason}") from error
    missing = [key for key in loading["missing_keys"] if spec.role == "reranker" or not key.startswith("pooler.")]
    if missing or loading["mismatched_keys"]:
        some = ", ".join(sorted(map(str, missing or loading["mismatched_keys"]))[:3])
        raise InputError(
            f"{spec.id}: the folder's weights are not those of {type(network).__name__}: {some} missing or misfit"
        )
    result: torch.nn.Module = network.eval()
    return result


def _checkpoint(
    spec: ModelSpec, network: Any, tokenizer_json: bytes, pad_token_id: int, notes: tuple[str, ...]
) -> Checkpoint:
    import torch

    from exporter.graph import EmbedderGraph, RerankerGraph

    has_types = TOKEN_TYPE_IDS in inspect.signature(network.forward).parameters
    types = int(getattr(network.config, "type_vocab_size", 0) or 0) if has_types else 0
    inputs: tuple[str, ...] = (INPUT_IDS, ATTENTION_MASK)
    graph: torch.nn.Module
    if spec.role == "embedder":
        zeros = types > 0
        graph = EmbedderGraph(network, pooling=spec.pooling, normalize=spec.normalize, token_types=zeros)
    else:
        graph = RerankerGraph(network)
        inputs += (TOKEN_TYPE_IDS,) if types > 1 else ()
    graph.eval()
    ones = torch.ones((1, 2), dtype=torch.int64)
    with torch.inference_mode():
        dimension = int(graph(ones, ones).shape[1])
    return Checkpoint(
        spec=spec,
        graph=graph,
        inputs=inputs,
        dimension=dimension,
        vocabulary=int(network.config.vocab_size),
        tokenizer_json=tokenizer_json,
        pad_token_id=pad_token_id,
        notes=notes,
    )


def _tokenizer_json(spec: ModelSpec, layout: Layout) -> bytes:
    """The folder's tokenizer.json, or its slow tokenizer converted."""
    path = layout.transformer / "tokenizer.json"
    content = path.read_bytes() if path.is_file() else _converted_tokenizer(spec, layout.transformer)
    return _lowercasing(content) if layout.lowercase else content


def _converted_tokenizer(spec: ModelSpec, folder: Path) -> bytes:
    from transformers import AutoTokenizer

    # Without a vocabulary transformers makes an empty tokenizer, which knows no word.
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise InputError(f"{spec.id}: the folder has no tokenizer: neither tokenizer.json nor a vocabulary")
    try:
        with _quiet_transformers():
            tokenizer: Any = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=spec.remote_code
            )
        converted: str = tokenizer.backend_tokenizer.to_str()
    except Exception as error:  # as many kinds as there are tokenizers
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        raise InputError(
            f"{spec.id}: no tokenizer.json, and its tokenizer cannot be converted ({reason}). For SentencePiece "
            "models: pip install sentencepiece protobuf"
        ) from error
    return converted.encode("utf-8")


def _lowercasing(tokenizer_json: bytes) -> bytes:
    """The tokenizer with a lower-casing step in front."""
    tokenizer = json.loads(tokenizer_json)
    steps = [{"type": "Lowercase"}]
    steps += [tokenizer["normalizer"]] if tokenizer.get("normalizer") else []
    tokenizer["normalizer"] = {"type": "Sequence", "normalizers": steps}
    return json.dumps(tokenizer, ensure_ascii=False).encode("utf-8")


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No progress bars and warnings of transformers; what matters is checked here."""
    from transformers.utils import logging as transformers_logging

    logging: Any = transformers_logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
