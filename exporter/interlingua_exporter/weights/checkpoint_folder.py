"""Loads a model from a folder: a transformers network, its pooling or head, its tokenizer.

folder --read_layout--> Layout --> ModelSpec;  weights --load_network, folder_graph--> torch graph;
tokenizer.json --> Checkpoint
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.weights.asked_libraries import library_folder
from interlingua_exporter.weights.folder_reading import Reading, notes_of, read, spec_of
from interlingua_exporter.weights.multi_vector.multi_vector_folder import is_multi_vector

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.models.spec import Head, ModelSpec, Pooling


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What the user says against, or instead of, the folder's own files; None keeps the folder's.

    Attributes:
        head: of a reranker that the folder does not call one, `yes-no` of a causal language model say.
        score_tokens: whose logits make a causal model's score; empty for the head's usual ones.
        dimension: values that are kept of a vector.
        task: whose prompts an entry of the catalogue is exported with.
        revision: commit of the Hub's model.
    """

    pooling: Pooling | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    max_tokens: int | None = None
    trust_remote_code: bool = False
    head: Head | None = None
    score_tokens: tuple[str, ...] = ()
    dimension: int | None = None
    task: str | None = None
    revision: str | None = None


def load(
    path: Path,
    *,
    model_id: str = "",
    revision: str = "",
    overrides: Overrides | None = None,
    entry: ModelSpec | None = None,
) -> Checkpoint:
    """The model in a folder.

    Args:
        model_id: its name; the folder's own where it is empty.
        entry: what the catalogue says of it: its head and score tokens, the lengths to which its vectors may be cut,
            and, where the folder is silent, normalization and the side of padding.

    Raises:
        InputError: the folder is not a model, lacks weights, needs code of its own that was not asked for, or has
            parts that cannot be exported; the message says which.
    """
    from interlingua_exporter.graphs.folder_network import load_network
    from interlingua_exporter.weights.folder_tokenizer import score_token_ids

    chosen = overrides or Overrides()
    if is_multi_vector(path, chosen.head or (entry.head if entry else None)):
        return _multi_vector(path, model_id, revision, chosen, entry)
    reading = read(path, model_id, chosen, entry)
    spec = replace(spec_of(reading), revision=revision)
    tokens = score_token_ids(reading.name, reading.words, reading.tokenizer.content) if reading.words else ()
    network, unused = load_network(spec, reading.layout.transformer)
    return _checkpoint(reading, spec, network, tokens, unused)


def _multi_vector(path: Path, model_id: str, revision: str, chosen: Overrides, entry: ModelSpec | None) -> Checkpoint:
    from interlingua_exporter.weights.multi_vector import multi_vector_folder

    # An entry's words come as the user's (catalogued_folder.py); of a reranker they are prompts that are "".
    own = replace(chosen, max_tokens=None, trust_remote_code=False, revision=None, head=None)
    if any(value for value in astuple(own)):
        raise InputError(
            f"{model_id or path} is a late-interaction model: it has no pooling, no score tokens and no --dimension, "
            "and prompts and lengths are its folder's; --max-tokens cuts its documents"
        )
    loaded = multi_vector_folder.load(
        path, model_id=model_id, max_tokens=chosen.max_tokens, remote_code=chosen.trust_remote_code
    )
    weight = entry.rerank_weight if entry else loaded.spec.rerank_weight
    return replace(loaded, spec=replace(loaded.spec, revision=revision, rerank_weight=weight))


def _within(reading: Reading, spec: ModelSpec, positions: int | None) -> ModelSpec:
    """The window within the network's positions. Raises InputError: the user asks for more."""
    if positions is None or spec.max_tokens <= positions:
        return spec
    if reading.chosen.max_tokens is not None and not reading.entry:
        raise InputError(f"{spec.id}: --max-tokens {spec.max_tokens} is beyond the network's {positions} positions")
    return replace(spec, max_tokens=positions)


def _checkpoint(
    reading: Reading, spec: ModelSpec, network: Any, tokens: tuple[int, ...], unused: tuple[str, ...]
) -> Checkpoint:
    import torch

    from interlingua_exporter.graphs.folder_graph import build_embedder, build_reranker
    from interlingua_exporter.graphs.folder_network import auto_class_of
    from interlingua_exporter.graphs.position_rows import probe

    with torch.no_grad():
        if spec.role == "embedder":
            chosen, last = reading.chosen.dimension, reading.layout.embedding.truncate_dim
            built = build_embedder(
                spec, network, reading.layout.dense, chosen or last, auto_class_of(spec), cut_last=chosen is None
            )
        else:
            typed = reading.tokenizer.token_types
            built = build_reranker(spec, network, tokens, auto_class_of(spec), typed=typed)
    config: Any = network.config.get_text_config()
    probed = probe(built.graph, pad_token_id=config.pad_token_id)
    return Checkpoint(
        spec=_within(reading, spec, probed.positions),
        graph=built.graph,
        inputs=built.inputs,
        dimension=probed.dimension,
        vocabulary=int(config.vocab_size),
        tokenizer_json=reading.tokenizer.content,
        pad_token_id=0 if config.pad_token_id is None else int(config.pad_token_id),
        notes=(*notes_of(reading), *unused),
        files=reading.layout.transformer,
        assembly=built.assembly,
        token_types=built.token_types,
        library=library_folder(reading, spec),
    )
