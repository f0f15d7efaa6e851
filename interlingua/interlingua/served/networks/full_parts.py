"""Keeps in float32 what must be, of a graph whose network is in half precision: pooling, dense layers, head.

    graph, network in bf16 or fp16 --keep_full--> the same graph: states and inputs of a head are cast before them

Norms and softmax are float32 inside torch's and transformers' own kernels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from interlingua.served.networks.decoder_states import DecoderStates
from interlingua.served.networks.graph import EmbedderGraph, LastTokenReranker, RerankerGraph


class FullStates(nn.Module):
    """A network whose token states leave as float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, **inputs: Tensor) -> tuple[Tensor]:
        """The inputs of the network -> token states float32 [n, L, H]."""
        return (self.network(**inputs)[0].float(),)


def keep_full(graph: nn.Module, half: torch.dtype) -> None:
    """Change a graph in place whose transformers network was loaded in `half`."""
    for module in graph.modules():
        if isinstance(module, DecoderStates):
            module.half_dtype = half
    if isinstance(graph, EmbedderGraph):
        graph.encoder = FullStates(graph.encoder)
        graph.dense.float()
    elif isinstance(graph, LastTokenReranker):
        graph.states = FullStates(graph.states)
    elif isinstance(graph, RerankerGraph):
        _keep_head(graph.classifier)


def _keep_head(classifier: nn.Module) -> None:
    """Every part of a classifier outside of its base model; a class that names none keeps its head in half."""
    base = getattr(classifier, "base_model", classifier)
    for part in classifier.children():
        if base is not classifier and part is not base and part is not getattr(base, "embeddings", None):
            part.float()
            part.register_forward_pre_hook(_cast, with_kwargs=True)


def _cast(
    module: nn.Module,  # noqa: ARG001
    inputs: tuple[object, ...],
    named: dict[str, object],
) -> tuple[tuple[object, ...], dict[str, object]]:
    return tuple(map(_full, inputs)), {name: _full(value) for name, value in named.items()}


def _full(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
