"""Triton's batching, simulated; the cut is the service's own (interlingua/served/text/batches.py).

    waiting requests --take--> a batch --cut_batch--> calls to the network, longest first

Triton's dynamic batcher takes whole requests in order while they fit (dynamic_batch_scheduler.cc in
triton-inference-server/core); without a queue delay it takes what waits as soon as an instance is free.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING

from interlingua.served.text import batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.text.batches import CallLimits

_SMALL = 3  # texts of a batch whose cut is worth remembering: larger ones are hardly ever seen twice


def take(waiting: deque[int], texts: Sequence[int], max_batch: int) -> list[int]:
    """Remove the next batch from the queue: requests in order, while their texts fit.

    Args:
        waiting: requests, the oldest first; at least one.
        texts: of each request by its number; none has more than `max_batch`.
    """
    batch = [waiting.popleft()]
    room = max_batch - texts[batch[0]]
    while waiting and texts[waiting[0]] <= room:
        request = waiting.popleft()
        room -= texts[request]
        batch.append(request)
    return batch


def cut_batch(lengths: Sequence[int], *, alone: bool, overhead: float, limits: CallLimits) -> list[list[int]]:
    """The service's `cut_batch`, which remembers small batches: a run has millions of them."""
    if len(lengths) == 1:
        return [[0]]
    if len(lengths) <= _SMALL:
        return _remembered(tuple(lengths), alone, overhead, limits)
    return batches.cut_batch(lengths, alone=alone, overhead=overhead, limits=limits)


@lru_cache(maxsize=200_000)
def _remembered(lengths: tuple[int, ...], alone: bool, overhead: float, limits: CallLimits) -> list[list[int]]:
    return batches.cut_batch(lengths, alone=alone, overhead=overhead, limits=limits)
