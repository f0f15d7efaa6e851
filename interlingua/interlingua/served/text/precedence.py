"""Interactive before bulk: what bulk work may do at the network while somebody waits for a query.

    a bulk batch's calls --next_call: cut small--> one call --may_start: few at a time--> network

Triton has no priorities that work, so those who have time hold back. Once a query has been seen, bulk calls are small,
and no more of them are under way than the network computes at a time, so that the query waits for the end of one small
call. While a query is computed, one place less is taken. Bulk work is slowed by that, never stopped (`PAUSE_S`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from interlingua.served.limits import TEXTS_PER_REQUEST
from interlingua.served.service import BULK_SERVICES, RERANK
from interlingua.served.text.batches import cut_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.text.batches import CallLimits
    from interlingua.served.text.call_cost import CallCost

RECENT_S = 60.0
"""Seconds that bulk work stays considerate after the last interactive batch."""

PRESENT_S = 1.0
"""Seconds after which an interactive batch does not hold bulk work up any longer: its process may be dead."""

PAUSE_S = 0.25
"""Seconds without a call under way after which a bulk batch makes its next one, whoever waits."""

CALL_S = 0.015
"""Seconds of a bulk call while a query may come, as far as one text is not more,"""

OVERHEADS = 6
"""nor so many times the fixed part of a call: smaller ones would cost bulk work too much of its rate."""

ALIVE_S = 10.0
"""Seconds after which a bulk batch that gives no sign of life is no longer counted among those at work."""


def is_bulk(service: str, texts: int, largest_batch: int, *, has_deadline: bool) -> bool:
    """Whether nobody waits in person for a batch of so many texts.

    Documents are indexed; a query is somebody's. Pairs are bulk where a batch of them is full, and so more wait behind
    it than a search asks for, unless a client says by a deadline that it waits.
    """
    full = texts > max(largest_batch - TEXTS_PER_REQUEST, largest_batch // 2)
    return service in BULK_SERVICES or (service == RERANK and full and not has_deadline)


def next_call(
    waiting: list[list[int]],
    lengths: Sequence[int],
    view: TrafficView,
    *,
    cost: CallCost | None,
    limits: CallLimits,
    under_way: int,
) -> list[int]:
    """Take the next call off `waiting`, or a small one off the next call.

    While a query may come, every other call of all that are under way is of the shortest texts: of one text, a call may
    be long, and where long and short ones are under way together, a place is sooner free.

    Args:
        waiting: calls as positions into `lengths`, the next one first, of the longest texts; not empty.
        lengths: tokens of each text.
        cost: None before it is measured: calls go as they are.
        under_way: calls of the batch that are.
    """
    if not view.recent or cost is None or limits.spare:
        return waiting.pop(0)
    piece = waiting.pop(end := -((view.rank + under_way) % 2))
    seconds = max(CALL_S, OVERHEADS * cost.call_s) - cost.call_s
    small = limits._replace(tokens=max(min(limits.tokens, round(seconds / cost.token_s)), 1))
    parts = cut_batch([lengths[row] for row in piece], alone=False, overhead=cost.overhead_tokens, limits=small)
    taken = [piece[place] for place in parts.pop(end)]
    place = len(waiting) if end else 0
    waiting[place:place] = [[piece[row] for row in part] for part in parts]
    return taken


class TrafficView(NamedTuple):
    """The traffic at one moment, as a bulk batch needs it.

    Attributes:
        recent: whether an interactive batch was computed lately, or is now; `present`: whether one is now.
        workers: bulk batches at the same network; `rank`: of this one among them, from 0; they change
            places every second, so that none is always the last; `calls`: what all of them have under way;
            `without`: how many of them have none.
    """

    recent: bool
    present: bool
    workers: int
    rank: int
    calls: int = 0
    without: int = 0

    @classmethod
    def at(
        cls, now: float, *, recent: bool, present: bool, workers: int, place: int, calls: int = 0, without: int = 0
    ) -> TrafficView:
        """`place`: of the batch in a fixed order of all workers."""
        return cls(recent, present, workers, (place + int(now)) % max(workers, 1), calls, without)


def may_start(view: TrafficView, limits: CallLimits, *, under_way: int, idle_s: float) -> bool:
    """Whether a bulk batch may make its next call.

    Args:
        limits: `lanes` are as many as the network computes at a time, or one more; with spare ones all bulk batches
            together have no more under way, one without any first, and need not hold back for a query.
        under_way: the batch's calls that are; `idle_s`: for how long there has been none.
    """
    if limits.spare:
        return view.calls < limits.lanes and not (under_way and view.without)
    if not view.recent:
        return under_way < limits.lanes
    share, rest = divmod(limits.lanes - view.present, max(view.workers, 1))
    return under_way < share + (view.rank < rest) or (not under_way and idle_s >= PAUSE_S)
