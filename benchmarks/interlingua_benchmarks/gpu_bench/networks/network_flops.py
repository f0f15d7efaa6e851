"""How many floating-point operations one call of a network takes, from its shape in the catalogue.

    ModelSpec, graph --flops_of--> NetworkFlops (of a token, of a token pair, of a text) --of_text(length)--> FLOPs

    a token, all layers     2 hidden (2 heads + 2 key-value heads) width        projections: query, output; key, value
                          + 2 hidden feed-forward (2, or 3 where gated)
    a pair of tokens        2 x 2 heads width layers                            scores, and their sum over the values
    a text                  dense layers and head

Matrix products alone, a multiplication and an addition each; norms, softmax, activations, rotary angles, pooling and
lookups are left out, as in J. Kaplan et al. 2020, "Scaling Laws for Neural Language Models", table 1, with the
attention kept. A text of L tokens has L^2 pairs; under a causal mask a token sees L (L + 1) / 2 of them. A sliding
window is not taken into account: the kernels here compute what it hides. capacity/profile/network_size.py
counts a published graph instead, for capacity plans; tests/benchmarks/test_gpu_bench_flops.py compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from torch import nn

    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.model_facts import DenseLayer, NetworkShape
    from interlingua_exporter.models.spec import ModelSpec

GOAL_TOKEN = 2 * 24 * 12 * 1024**2
"""FLOPs of a token of bge-m3 (24 layers of 12 x 1024^2 weights): the goal is for networks of at least this."""


@dataclass(frozen=True)
class NetworkFlops:
    """One network.

    Attributes:
        token: of a token's matrix products.
        pair: of one token's attention to one token.
        text: once a text.
        causal: whether a token sees only itself and what is before it.
    """

    token: int
    pair: int
    text: int = 0
    causal: bool = False

    def of_text(self, length: int, *, half: bool = False) -> int:
        """FLOPs of a text of so many tokens.

        Args:
            half: whether a causal network's attention is counted by the pairs that a token sees; else by all, which
                is what a kernel with an explicit mask computes.
        """
        pairs = length * (length + 1) // 2 if half and self.causal else length**2
        return self.token * length + self.pair * pairs + self.text

    def of_texts(self, lengths: Sequence[int], *, half: bool = False) -> int:
        """The sum over texts, each without its padding."""
        return sum(self.of_text(length, half=half) for length in lengths)

    @property
    def has_goal(self) -> bool:
        """Whether the network is as large as bge-m3, or larger."""
        return self.token >= GOAL_TOKEN


def flops_of(checkpoint: Checkpoint) -> NetworkFlops:
    """The products of a model as its graph computes it. Raises InputError: the catalogue does not state its shape."""
    from interlingua.served.networks.decoder_states import DecoderStates

    states = (module for module in checkpoint.graph.modules() if isinstance(module, DecoderStates))
    causal = any(decoder.causal for decoder in states)
    shape = _stated(checkpoint.spec)
    layers = layer_flops(shape)
    head = _head(checkpoint.graph, checkpoint.spec, shape)
    return NetworkFlops(layers.token + head.token, layers.pair + head.pair, head.text, causal)


def layer_flops(shape: NetworkShape) -> NetworkFlops:
    """The products of the layers alone."""
    width = shape.head_width or shape.hidden // shape.heads
    projections = 2 * shape.heads + 2 * (shape.key_value_heads or shape.heads)
    feed_forward = shape.feed_forward * (3 if shape.gated else 2)
    return NetworkFlops(
        token=2 * shape.layers * shape.hidden * (projections * width + feed_forward),
        pair=4 * shape.layers * shape.heads * width,
    )


def dense_flops(layers: Sequence[DenseLayer]) -> int:
    """The products of the layers between pooling and normalization, once a text."""
    return sum(2 * layer.inputs * layer.outputs for layer in layers)


def _head(graph: nn.Module, spec: ModelSpec, shape: NetworkShape) -> NetworkFlops:
    from torch import nn

    from interlingua.served.networks.graph import LastTokenReranker

    if spec.role == "embedder":
        return NetworkFlops(0, 0, dense_flops(spec.dense))
    if spec.head == "late-interaction":  # layers over every token: a vector, and an importance where there is one
        own = (module for name, module in graph.named_modules() if not name.startswith("encoder."))
        linear = [module for module in own if isinstance(module, nn.Linear)]
        return NetworkFlops(sum(2 * layer.in_features * layer.out_features for layer in linear), 0)
    if isinstance(graph, LastTokenReranker):  # one row of the head
        return NetworkFlops(0, 0, 2 * shape.hidden)
    labels = 2 if spec.head == "class-difference" else 1
    return NetworkFlops(0, 0, 2 * shape.hidden * (shape.hidden + labels))


def _stated(spec: ModelSpec) -> NetworkShape:
    shape = spec.network
    if shape is None or not shape.heads or not shape.feed_forward:
        raise InputError(f"{spec.id}: its catalogue entry does not state heads and feed-forward width")
    if shape.active_parameters:
        raise InputError(f"{spec.id}: products of a mixture of experts are not counted")
    return shape
