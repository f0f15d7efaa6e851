"""The batching rules of the `text` backend, in a form that needs no Triton.

    waiting requests --take--> a batch --cut_batch--> calls to the network, longest first

How a batch is cut is the server's own code, loaded from its file: there is one copy of it. The rest repeats what
interlingua_server/backends/text/model.py does: a lone request is spread over all lanes, a request that would be late is
given up before it is computed. Triton's dynamic batcher takes whole requests in order while they fit
(dynamic_batch_scheduler.cc in triton-inference-server/core); without a queue delay it takes what waits as soon as an
instance is free.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from interlingua_exporter.texts.backend_code import backend_code

CALIBRATION_LENGTHS = (8, 64, 256)
"""Tokens of the lone calls by which a service measures its network; as in interlingua_server/backends/text/model.py."""

_SMALL = 3  # texts of a batch whose cut is worth remembering: larger ones are hardly ever seen twice

_batch_plan = backend_code("batch_plan")

CallCost: Any = _batch_plan.CallCost
finish_times: Callable[[Sequence[float], int], list[float]] = _batch_plan.finish_times


def measured_cost(seconds: Callable[[int, int], float], max_tokens: int) -> Any:
    """The CallCost that a service finds by timing its lone calls.

    Args:
        seconds: what a call of (texts, longest) takes.
        max_tokens: longer texts are truncated to this.
    """
    lengths = [min(length, max_tokens) for length in sorted(CALIBRATION_LENGTHS, reverse=True)]
    return _batch_plan.fit_call_cost(lengths, [seconds(1, length) for length in lengths])


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


def cut_batch(
    lengths: Sequence[int],
    *,
    alone: bool,
    overhead: float,
    max_tokens: int,
    max_texts: int,
    lanes: int,
) -> list[list[int]]:
    """The calls of a batch, longest first, as positions into `lengths`.

    Args:
        lengths: tokens of each text as computed, at least 1 each.
        alone: whether all texts are of one request.
        overhead: cost of one call, in padded tokens.
        max_tokens: token budget of one call.
        lanes: calls that the service keeps under way.
    """
    if len(lengths) == 1:
        return [[0]]
    budget = max_tokens
    if alone:
        budget = min(budget, max(-(-sum(lengths) // lanes), max(lengths)))
    if len(lengths) <= _SMALL:
        return _remembered(tuple(lengths), overhead, budget, max_texts)
    pieces: list[list[int]] = _batch_plan.cut(lengths, overhead, budget, max_texts)
    return pieces[::-1]


@lru_cache(maxsize=200_000)
def _remembered(lengths: tuple[int, ...], overhead: float, max_tokens: int, max_texts: int) -> list[list[int]]:
    pieces: list[list[int]] = _batch_plan.cut(lengths, overhead, max_tokens, max_texts)
    return pieces[::-1]


def latest(
    pieces: Sequence[Sequence[int]],
    lengths: Sequence[int],
    deadlines: Sequence[float],
    cost: Any,
    lanes: int,
    now: float,
) -> int | None:
    """The row whose deadline would be missed by most, or None where all can be met.

    Args:
        deadlines: of each row, in seconds on the clock of `now`; infinite where there is none.
    """
    calls = [cost.seconds(len(rows) * max(lengths[row] for row in rows)) for rows in pieces]
    worst, delay = None, 0.0
    for rows, end in zip(pieces, finish_times(calls, lanes), strict=True):
        for row in rows:
            if now + end - deadlines[row] > delay:
                worst, delay = row, now + end - deadlines[row]
    return worst
