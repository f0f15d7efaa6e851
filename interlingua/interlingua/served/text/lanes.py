"""A batch's calls to the network, on as many threads as the service has lanes.

interactive: calls --as many at a time as there are lanes--> results
bulk:        calls --next_call, once may_start--> results     as interactive traffic lets them (precedence.py)
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from interlingua.served.text.precedence import is_bulk, may_start, next_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from interlingua.served.text.batches import CallLimits
    from interlingua.served.text.call_cost import CallCost
    from interlingua.served.text.traffic import ServerTraffic

_Result = TypeVar("_Result")
_LOOK_S = 0.002  # between two looks at the traffic


class Lanes:
    """How one process's batches go to the network, one batch at a time.

    Attributes:
        traffic: what the services of the server tell each other.
        is_bulk: whether the batch under way is bulk work.
    """

    def __init__(self, service: str, limits: CallLimits, traffic: ServerTraffic) -> None:
        self.limits = limits
        self.service, self.traffic = service, traffic
        self._threads = ThreadPoolExecutor(limits.lanes, thread_name_prefix="network")
        self._change = threading.Condition()
        self.is_bulk = False
        self._under_way = 0
        self._ended = 0.0  # the last call, or before the first one the batch's beginning

    def close(self) -> None:
        """End the threads, and give the place in the traffic back."""
        self._threads.shutdown()
        self.traffic.close()

    def announced(self, *, bulk: bool) -> AbstractContextManager[None]:
        """While the network is called for a batch, or in order to measure it."""
        return self.traffic.bulk() if bulk else self.traffic.interactive()

    def run(
        self,
        pieces: Sequence[list[int]],
        lengths: Sequence[int],
        cost: CallCost | None,
        call: Callable[[list[int]], _Result],
        *,
        asked: int | None = None,
        has_deadline: bool = False,
    ) -> list[_Result]:
        """Make all calls of a batch, given as positions in it; what each of them came to.

        Args:
            lengths: tokens of each text of the batch.
            cost: None before it is measured.
            call: makes one of them; of bulk work, they come in no order and may be cut smaller.
            asked: texts or pairs that the requests have, where they are not the batch's texts.
            has_deadline: whether one of the batch's requests has.
        """
        self.is_bulk = is_bulk(
            self.service, len(lengths) if asked is None else asked, self.limits.texts, has_deadline=has_deadline
        )
        with self.announced(bulk=self.is_bulk):
            if self.is_bulk:
                return self._run_bulk(pieces, lengths, cost, call)
            # One call is made here: handing it to a thread and waiting for that costs two wake-ups.
            return list((map if len(pieces) == 1 else self._threads.map)(call, pieces))

    def _run_bulk(
        self,
        pieces: Sequence[list[int]],
        lengths: Sequence[int],
        cost: CallCost | None,
        call: Callable[[list[int]], _Result],
    ) -> list[_Result]:
        waiting, done = list(pieces), []

        def lane() -> None:
            while (piece := self._next(waiting, lengths, cost)) is not None:
                try:
                    done.append(call(piece))
                finally:
                    with self._change:
                        self._count(-1)
                        self._ended = time.monotonic()
                        self._change.notify_all()

        self._ended = time.monotonic()
        others = self.limits.lanes - 1 if len(waiting) > 1 or self.traffic.view().recent else 0
        futures = [self._threads.submit(lane) for _ in range(others)]
        try:
            lane()
        finally:
            wait(futures)
        for future in futures:
            future.result()
        return done

    def _next(self, waiting: list[list[int]], lengths: Sequence[int], cost: CallCost | None) -> list[int] | None:
        """Wait until a call may start, and count it; None where none is left."""
        with self._change:
            while waiting:
                view, idle_s = self.traffic.view(), time.monotonic() - self._ended
                if may_start(view, self.limits, under_way=self._under_way, idle_s=idle_s):
                    self._count(1)
                    return next_call(
                        waiting, lengths, view, cost=cost, limits=self.limits, under_way=self._under_way - 1
                    )
                self._change.wait(_LOOK_S)
            return None

    def _count(self, more: int) -> None:
        self._under_way += more
        self.traffic.count_calls(self._under_way)
