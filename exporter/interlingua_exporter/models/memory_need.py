"""Memory of a network while it serves, computed from its shape.

NetworkShape, number format, token budget --memory_need--> bytes of weights + bytes of activations

    weights      parameters x 4 (fp32), 2 (fp16, bf16), 1 (int8; what stays fp32 there is some two per cent)
    activations  the larger of a layer's two halves, T tokens in rows of L, a value b bytes (4; 2 in 16 bit):
        attention     T b (2 hidden + 2 heads x head width + 2 key-value heads x head width) + 2 x 4 heads T L
        feed-forward  T b (2 hidden + 2 width, or 3 width where it is gated)

Scores and their softmax are counted in fp32, side by side, as an attention that is not fused holds them: the term with
L is what a long text costs. int8 keeps activations in fp32 and a rounded copy beside them (b = 5). Not in it: the
runtime itself, other instances (each has weights of its own), and what an allocator keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.served.kinds import Precision
    from interlingua_exporter.models.model_facts import NetworkShape
    from interlingua_exporter.models.spec import ModelSpec

GIGABYTE = 10**9
DEFAULT_TOKENS = 1024  # `interlingua export --max-batch-tokens`

WEIGHT_BYTES: dict[Precision, int] = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 1}
_VALUE_BYTES: dict[Precision, int] = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 5}
_SCORE_BYTES = 4


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes of one instance; activations are 0 where the entry does not state heads or feed-forward width."""

    weights: int
    activations: int

    @property
    def total(self) -> int:
        return self.weights + self.activations


def parameters(spec: ModelSpec) -> int:
    """The parameters of the network and its dense layers; 0 where nobody stated the network."""
    return spec.network.parameters + sum(layer.parameters for layer in spec.dense) if spec.network else 0


def download_bytes(spec: ModelSpec) -> int:
    """The size of the published weights."""
    return parameters(spec) * WEIGHT_BYTES[spec.network.stored_as] if spec.network else 0


def memory_need(
    spec: ModelSpec, precision: Precision, *, tokens: int = DEFAULT_TOKENS, longest: int | None = None
) -> MemoryNeed | None:
    """The memory that one instance needs; None where the entry does not state the network.

    Args:
        tokens: padded tokens of one call; a longer text is a call of its own.
        longest: tokens of a row; the model's maximum, within `tokens`, where it is None.
    """
    if spec.network is None:
        return None
    row = min(spec.max_tokens, tokens) if longest is None else longest
    weights = parameters(spec) * WEIGHT_BYTES[precision]
    return MemoryNeed(weights, _activations(spec.network, precision, max(tokens, row), row))


def _activations(shape: NetworkShape, precision: Precision, tokens: int, row: int) -> int:
    if not shape.heads or not shape.feed_forward:
        return 0
    value = _VALUE_BYTES[precision]
    width = shape.head_width or shape.hidden // shape.heads
    projected = 2 * (shape.heads + (shape.key_value_heads or shape.heads)) * width
    scores = 2 * _SCORE_BYTES * shape.heads * tokens * row
    attention = tokens * value * (2 * shape.hidden + projected) + scores
    inner = shape.feed_forward * (3 if shape.gated else 2)
    return max(attention, tokens * value * (2 * shape.hidden + inner))
