"""How far a published network may be from torch: role, precision --> Bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua.served.kinds import Precision, Role


@dataclass(frozen=True)
class Bounds:
    """What a published network may differ from torch.

    Attributes:
        error: of one answer, relative: |ours - torch| / |torch| for an embedding; for a score |ours - torch| over
            the spread (standard deviation) of all of torch's scores.
        neighbours: of one answer between alone and in a batch, relative in the same way.
        overlap: least mean share of torch's first 10 candidates among ours, over one language's queries.
        correlation: least mean rank correlation (Spearman) with torch, over one language's queries.
    """

    error: float
    neighbours: float
    overlap: float
    correlation: float


# fp32 differs by rounding. fp16 rounds to 11 bits (at most 2^-11 = 0.0005 of a value), bf16 to 8 (2^-9 = 0.002), some
# ten times a layer; over a dozen layers independent roundings add up to a few of them (multilingual-e5-small: errors of
# 0.001 and 0.009), and the bounds leave a deeper network ten times that. A batch of another shape sums in another order
# and the last bit of an fp32 sum decides to which side a half is rounded: an answer in half precision may move with its
# neighbours by about as much as by rounding. A score hangs on its states far more in some networks (the trained
# reranker: 0.001 and 0.013, random ones up to 0.08 and 0.2): there the rankings decide.
# int8: an error of 0.1 is a cosine of 0.995; the rankings are what counts. A reranker's are of 12 pairs a language, 11
# of them as wrong as each other: one that changes places at the middle is an overlap of 0.833, two pairs that each move
# by three places and two that make room a correlation of 0.93.
BOUNDS: dict[tuple[Role, Precision], Bounds] = {
    ("embedder", "fp32"): Bounds(error=1e-4, neighbours=1e-4, overlap=0.99, correlation=0.9999),
    ("embedder", "fp16"): Bounds(error=0.02, neighbours=0.01, overlap=0.95, correlation=0.999),
    ("embedder", "bf16"): Bounds(error=0.1, neighbours=0.05, overlap=0.9, correlation=0.995),
    ("embedder", "int8"): Bounds(error=0.12, neighbours=2e-3, overlap=0.85, correlation=0.98),
    ("reranker", "fp32"): Bounds(error=1e-3, neighbours=1e-3, overlap=0.99, correlation=0.999),
    ("reranker", "fp16"): Bounds(error=0.1, neighbours=0.05, overlap=0.8, correlation=0.97),
    ("reranker", "bf16"): Bounds(error=0.25, neighbours=0.1, overlap=0.8, correlation=0.93),
    ("reranker", "int8"): Bounds(error=0.2, neighbours=5e-3, overlap=0.8, correlation=0.85),
}

# What a gate on a CPU runs; "" where a server runs the same.
ARITHMETIC: dict[Precision, str] = {
    "fp32": "",
    "fp16": "fp16 emulated in fp32, each value rounded where the graph says fp16: the true arithmetic was not run",
    "bf16": "bf16 emulated in fp32, each value rounded where the graph says bf16: the true arithmetic was not run",
    "int8": "",
}
