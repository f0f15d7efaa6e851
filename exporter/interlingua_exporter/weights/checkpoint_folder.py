"""Loads a model from a folder: a transformers network, its pooling or head, its tokenizer.

folder --read_layout--> Layout --> ModelSpec;  weights --load_network, folder_graph--> torch graph;
tokenizer.json --> Checkpoint
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.models.spec import FolderSource, Head, ModelSpec, Pooling
from interlingua_exporter.weights.folder_head import choose_head, score_words
from interlingua_exporter.weights.own_code import require_code_here
from interlingua_exporter.weights.sentence_layout import Layout, read_layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interlingua_exporter.models.model_facts import DenseLayer


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


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A folder, and everything that was said of its model.

    Attributes:
        words: the score tokens.
    """

    name: str
    folder: Path
    layout: Layout
    chosen: Overrides
    entry: ModelSpec | None
    head: Head
    words: tuple[str, ...]


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
    from interlingua_exporter.graphs.folder_network import auto_class_of, load_network
    from interlingua_exporter.weights.folder_tokenizer import read_tokenizer, score_token_ids

    reading = _read(path, model_id, overrides or Overrides(), entry)
    spec = replace(_spec(reading), revision=revision)
    if spec.remote_code:
        require_code_here(reading.name, reading.layout.transformer)
    tokenizer_json = read_tokenizer(reading.name, reading.layout, remote_code=spec.remote_code)
    tokens = score_token_ids(reading.name, reading.words, tokenizer_json) if reading.words else ()
    network = load_network(spec, reading.layout.transformer)
    return _checkpoint(reading, spec, network, tokens, tokenizer_json, auto_class_of(spec))


def _read(path: Path, model_id: str, chosen: Overrides, entry: ModelSpec | None) -> _Reading:
    folder = path.resolve()
    if not folder.is_dir():
        raise InputError(f"{path} is not a folder")
    layout = read_layout(folder)
    name = model_id or folder.name
    head = choose_head(name, layout, chosen, entry)
    _require_dense(name, layout, entry)
    _require_dimension(name, head, chosen.dimension, entry)
    if chosen.max_tokens is not None and chosen.max_tokens > layout.max_tokens:
        raise InputError(f"{name}: --max-tokens {chosen.max_tokens} is beyond the model's own {layout.max_tokens}")
    return _Reading(
        name=name,
        folder=folder,
        layout=layout,
        chosen=chosen,
        entry=entry,
        head=head,
        words=score_words(head, chosen, entry),
    )


def _require_dense(name: str, layout: Layout, entry: ModelSpec | None) -> None:
    """Raises InputError: the folder lacks layers that the entry has, or has others."""
    found = tuple(facts for _, facts in layout.dense)
    if entry is None or entry.head != "none" or entry.dense == found:
        return
    wanted, held = (", ".join(map(_layer, layers)) or "none" for layers in (entry.dense, found))
    raise InputError(f"{name}: the folder's dense layers are {held}, and the catalogue's entry says {wanted}")


def _layer(facts: DenseLayer) -> str:
    bias = "" if facts.bias else " without bias"
    return f"{facts.inputs} -> {facts.outputs} ({facts.activation}{bias})"


def _require_dimension(name: str, head: Head, dimension: int | None, entry: ModelSpec | None) -> None:
    """Raises InputError: vectors are cut only to a length that the model was trained for."""
    if dimension is None:
        return
    if head != "none":
        raise InputError(f"{name}: --dimension {dimension}: a reranker has no vectors to cut")
    allowed = entry.dimensions if entry else ()
    if dimension in allowed or (entry and dimension == entry.embedding_length):
        return
    known = f"to {dimension}, only to {', '.join(map(str, allowed))}" if allowed else "short"
    raise InputError(
        f"{name}: --dimension {dimension}: its vectors cannot be cut {known}. The lengths that a model was trained for "
        "are the `dimensions` of its catalogue entry (docs/models.md)"
    )


def _spec(reading: _Reading) -> ModelSpec:
    layout, chosen, entry = reading.layout, reading.chosen, reading.entry
    reranker = reading.head != "none"
    stated = layout.normalize if layout.modules else entry is None or entry.normalize
    return ModelSpec(
        id=reading.name,
        role="reranker" if reranker else "embedder",
        source=FolderSource(reading.folder),
        pooling="none" if reranker else chosen.pooling or layout.pooling or "mean",
        normalize=stated and not reranker,
        query_prompt="" if reranker else _first(chosen.query_prompt, layout.query_prompt),
        document_prompt="" if reranker else _first(chosen.document_prompt, layout.document_prompt),
        max_tokens=chosen.max_tokens or layout.max_tokens,
        padding_side=layout.padding_side or (entry.padding_side if entry else "right"),
        head=reading.head,
        remote_code=chosen.trust_remote_code and layout.own_code,
        square_mask=bool(entry and entry.square_mask),
        licence=layout.licence,
        dense=() if reranker else tuple(facts for _, facts in layout.dense),
        score_tokens=reading.words,
    )


def _first(chosen: str | None, stated: str) -> str:
    return stated if chosen is None else chosen


def _notes(reading: _Reading) -> Iterator[str]:
    """What was assumed, and what the user might not expect."""
    layout, chosen, entry = reading.layout, reading.chosen, reading.entry
    if reading.head == "none" and entry is None and not layout.modules:
        if chosen.pooling is None:
            yield "the folder says nothing about pooling: mean over the tokens and length 1 are assumed"
        else:
            yield "the folder says nothing about normalization: length 1 is assumed"
    if reading.words and not chosen.score_tokens and not (entry and entry.score_tokens):
        yield f"nothing says which tokens make the score: {', '.join(reading.words)} are assumed"
    if reading.words and entry is None:
        yield "nothing says how the model wants a pair: query and document are joined as its tokenizer joins them"
    if layout.lowercase:
        yield "texts are lower-cased, as sentence_bert_config.json asks"


def _checkpoint(
    reading: _Reading, spec: ModelSpec, network: Any, tokens: tuple[int, ...], tokenizer_json: bytes, auto_class: str
) -> Checkpoint:
    import torch

    from interlingua_exporter.graphs.folder_graph import build_embedder, build_reranker

    ones = torch.ones((1, 2), dtype=torch.int64)
    with torch.no_grad():
        if spec.role == "embedder":
            built = build_embedder(spec, network, reading.layout.dense, reading.chosen.dimension, auto_class)
        else:
            built = build_reranker(spec, network, tokens, auto_class)
        dimension = int(built.graph(ones, ones).shape[1])
    config: Any = network.config.get_text_config()
    return Checkpoint(
        spec=spec,
        graph=built.graph,
        inputs=built.inputs,
        dimension=dimension,
        vocabulary=int(config.vocab_size),
        tokenizer_json=tokenizer_json,
        pad_token_id=0 if config.pad_token_id is None else int(config.pad_token_id),
        notes=tuple(_notes(reading)),
        files=reading.layout.transformer,
        assembly=built.assembly,
        token_types=built.token_types,
    )
