"""Texts to calls, by the service's own rule.

Tokens of waiting texts --cut_batch: sort, dynamic programming, token budget--> Rectangle (batch, MeasuredCall),
longest first
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.served.text.batches import CallLimits, cut_batch
from interlingua_benchmarks.gpu_bench.records import MeasuredCall

if TYPE_CHECKING:
    from interlingua.repository.text_encoder import TextEncoder
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_benchmarks.gpu_bench.networks.loaded_network import Batch
    from interlingua_benchmarks.gpu_bench.networks.network_flops import NetworkFlops
    from interlingua_exporter.graphs.checkpoint import Checkpoint


@dataclass(frozen=True)
class Rectangle:
    """One call, and what it is worth."""

    batch: Batch
    call: MeasuredCall


class Rectangles:
    """Makes the calls of one model."""

    def __init__(self, checkpoint: Checkpoint, encoder: TextEncoder, flops: NetworkFlops) -> None:
        self._encoder, self._flops = encoder, flops
        self._names = checkpoint.inputs

    def of(self, rows: Sequence[Tokens]) -> Rectangle:
        """All rows in one call, padded to the longest."""
        lengths = [len(row) for row in rows]
        whole, half = (self._flops.of_texts(lengths, half=half) for half in (False, True))
        call = MeasuredCall(len(rows), max(lengths), sum(lengths), whole, half)
        return Rectangle(self._encoder.collate(rows, self._names), call)

    def cut(self, rows: Sequence[Tokens], budget: int, overhead: float) -> list[Rectangle]:
        """The calls that a service would make of texts that wait, with as many texts in a call as the budget allows.

        Args:
            budget: most padded tokens of a call.
            overhead: what a call costs, in padded tokens (served/text/call_cost.py).
        """
        limits = CallLimits(tokens=budget, texts=len(rows), lanes=1)
        pieces = cut_batch([len(row) for row in rows], alone=False, overhead=overhead, limits=limits)
        return [self.of([rows[place] for place in piece]) for piece in pieces]
