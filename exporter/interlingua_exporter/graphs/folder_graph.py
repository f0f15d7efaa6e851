"""Puts a folder's network and its parts together as the graph that is exported.

    encoder, dense layers --build_embedder--> EmbedderGraph
    classifier, or decoder and the rows of its head --build_reranker--> RerankerGraph, LastTokenReranker

What is decided here is an Assembly, which the torch backend follows, too (interlingua/served/networks). A decoder
gets positions and masks of ours, and its head becomes one row. The parity gate compares a network with this very graph
and would not see a mistake in them; so they are compared here, on one short text, with the network's own forward.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from interlingua.base.errors import InputError
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS
from interlingua.served.networks.assembly import (
    CLASSIFIER,
    EMBEDDER,
    LAST_TOKEN,
    Assembly,
    DenseShape,
    assemble,
)
from interlingua.served.networks.decoder_states import DecoderStates, is_decoder
from interlingua.served.networks.head_rows import difference, head_of
from interlingua_exporter.graphs.dense_folder import load_dense
from interlingua_exporter.graphs.score_row import score_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from interlingua_exporter.models.model_facts import DenseLayer
    from interlingua_exporter.models.spec import ModelSpec

_TOLERANCE = 1e-3  # of the largest value: masked attention sums in another order, and random tiny networks amplify it
_PROBE = 8  # tokens


class BuiltGraph(NamedTuple):
    """A graph, the names of its inputs, how it is put together, and how many kinds of token types it knows."""

    graph: nn.Module
    inputs: tuple[str, ...]
    assembly: Assembly
    token_types: int = 1


def build_embedder(
    spec: ModelSpec,
    network: nn.Module,
    dense: Sequence[tuple[Path, DenseLayer]],
    dimension: int | None,
    auto_class: str = "AutoModel",
    *,
    cut_last: bool = False,
) -> BuiltGraph:
    """The graph of an embedder.

    Args:
        dense: folders of the layers after pooling.
        dimension: to cut vectors to; None for all of them.
        cut_last: whether they are cut after all else, length 1 too.
        auto_class: of transformers, which loaded the network.

    Raises:
        InputError: a dense layer's weights are not in its folder or do not fit, or the decoder is of a kind whose
            positions and masks are not understood.
    """
    _require_chain(spec, network)
    decoder = is_decoder(network)
    if decoder:
        states = DecoderStates(network)
        ids, mask = _probe(network)
        _require_same(spec, states(ids, mask)[0], network(input_ids=ids, attention_mask=mask, use_cache=False)[0])
    assembly = Assembly(
        kind=EMBEDDER,
        auto_class=auto_class,
        decoder=decoder,
        pooling=spec.pooling,
        normalize=spec.normalize,
        token_types=not decoder and _token_types(network) > 0,
        dense=tuple(DenseShape(facts.inputs, facts.outputs, facts.activation, facts.bias) for _, facts in dense),
        dimension=dimension,
        cut_last=cut_last and dimension is not None,
    )
    layers = [load_dense(folder, facts) for folder, facts in dense]
    return BuiltGraph(assemble(network, assembly, layers), (INPUT_IDS, ATTENTION_MASK), assembly)


def _require_chain(spec: ModelSpec, network: Any) -> None:
    """Raises InputError: a dense layer does not take what the part before it gives."""
    width = int(network.config.get_text_config().hidden_size)
    for place, layer in enumerate(spec.dense, start=1):
        if layer.inputs != width:
            raise InputError(f"{spec.id}: dense layer {place} takes {layer.inputs} values, and gets {width}")
        width = layer.outputs


def build_reranker(
    spec: ModelSpec, network: nn.Module, tokens: Sequence[int], auto_class: str, *, typed: bool = True
) -> BuiltGraph:
    """The graph of a reranker.

    A classifier of the model's own code keeps its own head and masks, whether it is a decoder or not.

    Args:
        tokens: ids of `spec.score_tokens`.
        auto_class: of transformers, which loaded the network.
        typed: whether its tokenizer gives token types.

    Raises:
        InputError: the head is not where it is looked for, has no such rows, or its logits are more than a product.
    """
    decoder, own = is_decoder(network), spec.remote_code and not spec.score_tokens
    if own or not decoder:
        counted = decoder and "position_ids" in inspect.signature(network.forward).parameters
        assembly = Assembly(
            kind=CLASSIFIER,
            auto_class=auto_class,
            difference=spec.head == "class-difference",
            counted=counted,
            square_mask=spec.square_mask,
        )
        kinds = _token_types(network) if typed else 0
        types = (TOKEN_TYPE_IDS,) if kinds > 1 else ()
        return BuiltGraph(
            assemble(network, assembly), (INPUT_IDS, ATTENTION_MASK, *types), assembly, token_types=max(kinds, 1)
        )
    weight, _ = _head(spec, network)
    rows = score_rows(spec.head, tokens)
    if max(rows) >= len(weight):
        raise InputError(f"{spec.id}: the head has {len(weight)} rows, and the score needs row {max(rows)}")
    assembly = Assembly(kind=LAST_TOKEN, auto_class=auto_class, rows=rows)
    graph = assemble(network, assembly)
    ids, mask = _probe(network)
    # A causal model's logits are [1, L, V], a classifier's [1, labels]; either way the last row is the last token's.
    logits = network(input_ids=ids, attention_mask=mask, use_cache=False).logits.reshape(-1, len(weight))[-1]
    _require_same(spec, graph(ids, mask)[0, 0], difference(logits, rows), scale=float(logits.abs().max()))
    return BuiltGraph(graph, (INPUT_IDS, ATTENTION_MASK), assembly)


def _token_types(network: Any) -> int:
    has_types = TOKEN_TYPE_IDS in inspect.signature(network.forward).parameters
    return int(getattr(network.config, "type_vocab_size", 0) or 0) if has_types else 0


def _head(spec: ModelSpec, network: Any) -> tuple[Tensor, Tensor | None]:
    """Weight [rows, H] and bias of a decoder's head; a tied one is the embedding table."""
    try:
        return head_of(network, causal=bool(spec.score_tokens))
    except ValueError as error:
        raise InputError(f"{spec.id}: {error}") from error


def _probe(network: Any) -> tuple[Tensor, Tensor]:
    """One text without padding, int64 [1, L] twice: transformers finds a decoder's last token by ids that pad."""
    config = network.config.get_text_config()
    ids = [number for number in range(min(config.vocab_size, _PROBE + 1)) if number != config.pad_token_id]
    return torch.tensor([ids]), torch.ones((1, len(ids)), dtype=torch.int64)


def _require_same(spec: ModelSpec, ours: Tensor, theirs: Tensor, scale: float | None = None) -> None:
    scale = float(theirs.abs().max()) if scale is None else scale
    worst = float((ours - theirs).abs().max())
    # Written so that a NaN is not the same.
    if not worst <= _TOLERANCE * max(scale, 1.0):
        raise InputError(
            f"{spec.id}: this decoder answers otherwise than its masks and one row of its head do (by "
            f"{worst:.3g}, of {scale:.3g}): scaled or capped logits, or other attention; it cannot be exported"
        )
