"""What our backends for networks share: requests of equal shape run as one batch, a failing one fails alone.

arrays [n, ...] of each request --group by shape--> joined [m, ...] --run--> outputs --split--> each request's own
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Inputs = list[NDArray[np.int64]]
Outputs = list[NDArray[np.float32]]


def answer_in_groups(requests: Sequence[Inputs], run: Callable[[Inputs], Outputs]) -> list[Outputs | Exception]:
    """The outputs of every request, or what went wrong with it, in order.

    Args:
        requests: the inputs of each, [its items, ...], in the same order for all.
        run: from inputs to outputs, [items, ...] each. A group that it fails on is tried request by request.
    """
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for position, arrays in enumerate(requests):
        groups.setdefault(tuple(array.shape[1:] for array in arrays), []).append(position)
    answers: dict[int, Outputs | Exception] = {}
    for positions in groups.values():
        answers |= zip(positions, _together([requests[position] for position in positions], run), strict=True)
    return [answers[position] for position in range(len(requests))]


def _together(group: Sequence[Inputs], run: Callable[[Inputs], Outputs]) -> list[Outputs | Exception]:
    try:
        columns = zip(*group, strict=True)
        results = run([column[0] if len(column) == 1 else np.concatenate(column) for column in columns])
    except Exception as error:  # whatever the engine raises belongs to a request, not to the server
        if len(group) == 1:
            return [error]
        return [answer for arrays in group for answer in _together([arrays], run)]
    if len(group) == 1:
        return [results]
    ends = np.cumsum([arrays[0].shape[0] for arrays in group]).tolist()
    starts = [0, *ends[:-1]]
    return [[result[start:end] for result in results] for start, end in zip(starts, ends, strict=True)]
