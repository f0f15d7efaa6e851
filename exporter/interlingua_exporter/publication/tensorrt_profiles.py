"""TensorRT's optimization profiles for every call that a service can make.

bucket edges, token budget, texts in a batch --> Profile, Profile, ... --> text for ONNX Runtime, arguments for trtexec

The service's cut (interlingua/served/text/batches.py) makes calls of n texts of length L with n L <=
budget, or n = 1, and n <= max_batch_size. Profile i takes the lengths from one above the previous edge to its own edge.
Its shortest length decides how many texts a call may have, so nothing has to be padded to an edge; the corner (most
texts, edge) is above the budget and never called, it only bounds the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Shape(NamedTuple):
    """The shape of every input: texts x tokens."""

    texts: int
    tokens: int


@dataclass(frozen=True)
class Profile:
    """The calls one profile allows, and the one that its kernels are chosen for."""

    least: Shape
    usual: Shape
    largest: Shape

    def holds(self, texts: int, tokens: int) -> bool:
        """Whether a call of that shape is within the profile."""
        return self.least.texts <= texts <= self.largest.texts and self.least.tokens <= tokens <= self.largest.tokens


def texts_in_a_call(tokens: int, max_batch_size: int, max_batch_tokens: int) -> int:
    """The most texts of one length that the cut puts into a call."""
    return min(max(max_batch_tokens // tokens, 1), max_batch_size)


def bucket_profiles(edges: Sequence[int], max_batch_size: int, max_batch_tokens: int) -> tuple[Profile, ...]:
    """One profile a bucket; kernels are chosen for a full call at its edge."""
    made, shortest = [], 1
    for edge in edges:
        full = texts_in_a_call(edge, max_batch_size, max_batch_tokens)
        most = texts_in_a_call(shortest, max_batch_size, max_batch_tokens)
        made.append(Profile(Shape(1, shortest), Shape(full, edge), Shape(most, edge)))
        shortest = edge + 1
    return tuple(made)


def covering_profile(longest: int, usual_tokens: int, max_batch_size: int, max_batch_tokens: int) -> Profile:
    """The one profile for all calls; ONNX Runtime's provider runs on its first profile alone (onnxruntime#31624)."""
    usual = min(usual_tokens, longest)
    full = texts_in_a_call(usual, max_batch_size, max_batch_tokens)
    return Profile(Shape(1, 1), Shape(full, usual), Shape(max_batch_size, longest))


def warmup_shapes(edges: Sequence[int], max_batch_size: int, max_batch_tokens: int) -> tuple[tuple[int, int], ...]:
    """(texts, tokens) of a lone text and of a full call at each edge, every one within the edge's profile."""
    full = ((texts_in_a_call(edge, max_batch_size, max_batch_tokens), edge) for edge in edges)
    return tuple(dict.fromkeys([*((1, edge) for edge in edges), *full]))


def shapes_text(inputs: Sequence[str], shape: Shape) -> str:
    """`input_ids:1x16,attention_mask:1x16`, as ONNX Runtime and trtexec want it."""
    return ",".join(f"{name}:{shape.texts}x{shape.tokens}" for name in inputs)


def provider_shapes(inputs: Sequence[str], profile: Profile) -> dict[str, str]:
    """The options of ONNX Runtime's TensorRT provider."""
    shapes = {"min": profile.least, "opt": profile.usual, "max": profile.largest}
    return {f"trt_profile_{kind}_shapes": shapes_text(inputs, shape) for kind, shape in shapes.items()}


def trtexec_shapes(inputs: Sequence[str], profiles: Sequence[Profile]) -> list[str]:
    """The arguments of trtexec; the shapes must follow their --profile at once (sampleOptions.cpp)."""
    arguments = []
    for number, profile in enumerate(profiles):
        shapes = {"min": profile.least, "opt": profile.usual, "max": profile.largest}
        arguments.append(f"--profile={number}")
        arguments += [f"--{kind}Shapes={shapes_text(inputs, shape)}" for kind, shape in shapes.items()]
    return arguments
