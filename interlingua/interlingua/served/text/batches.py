"""How a batch of texts is cut into calls to the network.

    lengths of texts --cut_batch: budget, cut--> calls, longest first --plan_calls--> without those who would be late

Triton batches texts; the network wants rectangles of token ids. The cut sorts the texts by length and finds,
by dynamic programming, the sub-batches that minimise

    sum over sub-batches of (call overhead + texts x longest text)

in units of padded tokens: the overhead is what one more call costs, worth so many tokens on this hardware.
No sub-batch holds more than the token budget, unless one text alone does, nor more texts than the network takes.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from interlingua.served.limits import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, OUTSTANDING_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interlingua.served.text.call_cost import CallCost

_Owner = TypeVar("_Owner")


class CallLimits(NamedTuple):
    """How large a service's calls may be, and how many it makes at a time.

    Attributes:
        tokens: most padded tokens of a call of more than one text.
        texts: most texts of a call.
        lanes: calls that are kept under way.
        spare: calls beyond those that the network takes at once.
    """

    tokens: int = MAX_BATCH_TOKENS
    texts: int = MAX_BATCH_TEXTS
    lanes: int = OUTSTANDING_CALLS
    spare: int = 0


def plan_calls(
    lengths: Sequence[int],
    owners: Sequence[_Owner],
    deadline: Callable[[_Owner], float],
    give_up: Callable[[_Owner], None],
    *,
    cost: CallCost | None,
    limits: CallLimits,
    clock: Callable[[], float],
) -> list[list[int]]:
    """The calls of a batch as `cut_batch` makes them, without the requests that could not be answered in time.

    A batch's answers are given together, when its last call has ended, so the request that would be late by most is the
    one with the earliest deadline. As few as can be are given up. They are found by halving: a full batch under load
    gives up half of its requests, and a cut for each of them would take the network's time.

    Args:
        owners: the request of each text, the same object for all of its texts.
        deadline: of a request, in seconds on the clock; infinite where there is none.
        give_up: called with each request that is left out, the earliest deadline first.
        cost: None before it is measured: nobody is late then.
    """
    hurried = {id(owner): owner for owner in owners if cost and deadline(owner) < math.inf}
    by_deadline = sorted(hurried.values(), key=deadline)
    overhead = cost.overhead_tokens if cost else 0.0

    def planned(given_up: int) -> tuple[list[list[int]], bool]:
        """The calls without the first so many, and whether all others are in time."""
        gone = {id(owner) for owner in by_deadline[:given_up]}
        rows = [row for row, owner in enumerate(owners) if id(owner) not in gone]
        if not rows:
            return [], True
        kept, alone = [lengths[row] for row in rows], all(owners[row] is owners[rows[0]] for row in rows)
        pieces = cut_batch(kept, alone=alone, overhead=overhead, limits=limits)
        calls = [[rows[place] for place in piece] for piece in pieces]
        if cost is None or given_up == len(by_deadline):
            return calls, True
        seconds = [cost.seconds(len(call) * max(lengths[row] for row in call)) for call in calls]
        end = clock() + max(finish_times(seconds, limits.lanes))
        return calls, end <= deadline(by_deadline[given_up])

    calls, in_time = planned(0)
    if in_time:
        return calls
    least = bisect_left(range(len(by_deadline) + 1), True, lo=1, key=lambda given_up: planned(given_up)[1])
    for owner in by_deadline[:least]:
        give_up(owner)
    return planned(least)[0]


def cut_batch(lengths: Sequence[int], *, alone: bool, overhead: float, limits: CallLimits) -> list[list[int]]:
    """The calls of a batch as positions into `lengths`, longest first, so that the lanes end together.

    Args:
        lengths: tokens of each text as computed, at least 1 each.
        alone: whether all texts are of one request.
        overhead: cost of one call, in padded tokens.
    """
    return cut(lengths, overhead, budget(lengths, alone=alone, limits=limits), limits.texts)[::-1]


def budget(lengths: Sequence[int], *, alone: bool, limits: CallLimits) -> int:
    """Most padded tokens of a call: where nobody else waits, one request is spread over all lanes."""
    if not alone:
        return limits.tokens
    return min(limits.tokens, max(-(-sum(lengths) // limits.lanes), max(lengths)))


def cut(lengths: Sequence[int], overhead: float, max_tokens: int, max_texts: int) -> list[list[int]]:
    """Cut texts into sub-batches of least total cost.

    Args:
        lengths: tokens of each text, at least 1 each.
        overhead: cost of one call, in padded tokens.
        max_tokens: token budget, the most padded tokens of a sub-batch of more than one text.
        max_texts: the most texts of a sub-batch.

    Returns:
        Sub-batches as positions into `lengths`, each sorted by length, in rising order of length.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    ordered = [lengths[row] for row in order]
    best = [0.0]  # best[i]: least cost of the first i texts
    first = [0]  # where the last sub-batch of that best cut starts
    for stop, longest in enumerate(ordered, start=1):
        width = min(stop, max_texts, max(max_tokens // longest, 1))
        start, least = _last_start(ordered, best, stop, width, overhead)
        best.append(least + overhead)
        first.append(start)
    batches: list[list[int]] = []
    stop = len(ordered)
    while stop:
        batches.append(order[first[stop] : stop])
        stop = first[stop]
    return batches[::-1]


def _last_start(ordered: list[int], best: list[float], stop: int, width: int, overhead: float) -> tuple[int, float]:
    """Where the sub-batch that ends at `stop` starts, the earliest of the best, and the cost without its overhead.

    Plain numbers, not arrays: a batch is small, and this runs before every call. Going back, each text more pads the
    texts before it to `longest`; once that costs more than a call, no earlier start is better, because the best cut up
    to a text is dearer than that up to an earlier one by at most a call that holds all texts in between.
    """
    longest, padded = ordered[stop - 1], 0
    pick, least = stop - 1, float("inf")
    for start in range(stop - 1, stop - width - 1, -1):
        padded += longest
        cost = best[start] + padded
        if cost <= least:
            pick, least = start, cost
        elif start and cost + longest - ordered[start - 1] - overhead > least:
            break
    return pick, least


def finish_times(calls: Sequence[float], lanes: int) -> list[float]:
    """When each call ends, in seconds from now, if `lanes` calls run at a time, started in the given order."""
    free = [0.0] * max(lanes, 1)
    ends = []
    for seconds in calls:
        ends.append(heapq.heappop(free) + seconds)
        heapq.heappush(free, ends[-1])
    return ends
