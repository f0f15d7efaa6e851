"""A batch's texts through the network: cut into calls, a few at a time, only what somebody still waits for.

    texts --plan_calls--> pieces --who still waits?--> rows --network--> values --> [texts, D]

Before each call that had to wait for others, its requests are asked whether their clients are gone, and whether their
deadlines leave the time for it; the rows of those that fail are left out, a call of none is not made.
"""

from __future__ import annotations

import math
import time
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua.served.service import BULK_SERVICES
from interlingua.served.text.batches import plan_calls
from interlingua.served.text.call_cost import measured_cost
from interlingua.served.text.recent_cost import RecentCost
from interlingua.served.text.request_times import LONGEST_QUEUE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from interlingua.served.text.batch_texts import BatchText
    from interlingua.served.text.call_cost import CallCost
    from interlingua.served.text.counters import ServiceCounters
    from interlingua.served.text.lanes import Lanes
    from interlingua.served.text.tokenizer import Row

    Values = NDArray[np.float32] | NDArray[np.object_]
    Network = Callable[[Sequence[Row]], Values | str]
    """Rows to values, float32 [rows, D] or objects [rows, 1], or the message of an error."""

_CALIBRATION_REPEATS = 3
_SHOW_EVERY_S = 1.0


class _Done(NamedTuple):
    """Places of the batch, and their values."""

    places: list[int]
    values: Values


class _NetworkError(Exception):
    """A call to the network failed."""


class Computing:
    """What one instance of a service computes with.

    Attributes:
        cost: what calls cost; None before the first text.
    """

    def __init__(self, network: Network, lanes: Lanes, counters: ServiceCounters, max_tokens: int) -> None:
        self._network, self._lanes, self._counters, self._max_tokens = network, lanes, counters, max_tokens
        self.cost: RecentCost | None = None
        self._shown = -math.inf

    def close(self) -> None:
        self._lanes.close()

    def compute(self, texts: list[BatchText]) -> Values:
        """[texts, D] of the network's kind; rows of requests that failed meanwhile stay zero."""
        if self.cost is None and texts:
            with self._lanes.announced(bulk=self._lanes.service in BULK_SERVICES):
                self.cost = self._calibrated(texts[0])
        lengths, cost = [len(text.row) for text in texts], self.cost.now() if self.cost else None
        pieces = plan_calls(
            lengths,
            [text.request for text in texts],
            lambda request: request.deadline,
            lambda request: request.shed(time.time()),
            cost=self.cost.at_worst() if self.cost else None,
            limits=self._lanes.limits,
            clock=time.time,
        )
        if pieces and cost:
            self._show(cost)
        made = count()

        def run(piece: list[int]) -> _Done | None:
            return self._run(texts, piece, begins_at_once=next(made) < self._lanes.limits.lanes)

        # Of our clients all requests have one, those of index runs minutes away.
        soon = time.time() + LONGEST_QUEUE_S
        has_deadline = any(text.request.deadline < soon for text in texts)
        asked = sum(len(request.tokens) for request in {id(text.request): text.request for text in texts}.values())
        results = self._lanes.run(pieces, lengths, cost, run, asked=asked, has_deadline=has_deadline)
        done = [result for result in results if result]
        like: Values = done[0].values if done else np.zeros((1, 1), np.float32)
        computed: Values = like[:1].repeat(len(texts), axis=0)
        computed[:] = 0
        for places, values in done:
            computed[places] = values
        return computed

    def _show(self, cost: CallCost) -> None:
        """On the metrics page, where each change costs something: once in a while is enough."""
        now = time.monotonic()
        if now - self._shown > _SHOW_EVERY_S:
            self._shown = now
            self._counters.show_cost(cost)

    def _run(self, texts: list[BatchText], piece: list[int], *, begins_at_once: bool) -> _Done | None:
        """One call; None where nobody waits for it any more, or it failed."""
        if not begins_at_once:
            piece = self._awaited(texts, piece)
        if not piece:
            return None
        rows = [texts[place].row for place in piece]
        self._counters.record_call([len(row) for row in rows])
        began = time.monotonic()
        values = self._network(rows)
        if isinstance(values, str):
            for place in piece:
                texts[place].request.fail(values)
            return None
        if self.cost:
            self.cost.observe(_padded(rows), time.monotonic() - began)
        return _Done(piece, values)

    def _awaited(self, texts: list[BatchText], piece: list[int]) -> list[int]:
        seconds = self.cost.now().seconds(_padded([texts[place].row for place in piece])) if self.cost else 0.0
        now = time.time()
        return [place for place in piece if texts[place].request.is_awaited(now, seconds)]

    def _calibrated(self, text: BatchText) -> RecentCost | None:
        """Before the first text: what another process has found, else a few lone calls are timed, the fastest counts.

        Not when Triton loads the service: the network may not be there yet, and a server that starts takes no call.
        """

        def seconds(tokens: int) -> float:
            row = text.repeated(tokens)
            return min(self._timed(row) for _ in range(_CALIBRATION_REPEATS))

        try:
            cost = self._lanes.traffic.shared_cost() or measured_cost(seconds, self._max_tokens)
        except _NetworkError:
            return None  # the requests themselves will say how it fails
        self._lanes.traffic.share_cost(cost)
        return RecentCost(cost, time.monotonic)

    def _timed(self, row: Row) -> float:
        began = time.monotonic()
        if isinstance(self._network([row]), str):
            raise _NetworkError
        return time.monotonic() - began


def _padded(rows: Sequence[Row]) -> int:
    return len(rows) * max(len(row) for row in rows)
