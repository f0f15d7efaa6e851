"""A service's counters on Triton's metrics page.

    service --what happened--> queue --a thread of its own--> Triton's process

Every change is a round trip to Triton's process: it goes while the network computes, so that no answer waits for it,
and whoever has an answer finds it counted. All changes are made in one thread: Triton 24.10 dies (SIGSEGV) when two
threads of a Python model change a metric at the same time.
"""

from __future__ import annotations

import threading
import time
from queue import Queue
from typing import TYPE_CHECKING, Protocol

from interlingua.served.text.outcomes import BY_DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from interlingua.served.text.call_cost import CallCost
    from interlingua.served.text.outcomes import Outcome

TEXTS = "interlingua_texts_total"
TOKENS = "interlingua_tokens_total"
PADDED = "interlingua_padded_tokens_total"
CALLS = "interlingua_network_calls_total"
TRUNCATED = "interlingua_truncated_texts_total"
SHED = "interlingua_shed_requests_total"
REQUESTS = "interlingua_requests_total"
CALL_SECONDS = "interlingua_network_call_seconds"
TOKEN_SECONDS = "interlingua_network_token_seconds"  # noqa: S105

COUNTERS = {
    TEXTS: "Texts or pairs computed; of late interaction, texts of either side",
    TOKENS: "Tokens computed, without padding",
    PADDED: "Tokens computed, padding included",
    CALLS: "Sub-batches sent to the network",
    TRUNCATED: "Texts cut off at max_tokens",
    SHED: "Requests refused because of their deadline",
    REQUESTS: "Requests by what became of them, their label `outcome`",
}
PENDING = "nv_inference_pending_request_count"
GAUGES = {
    CALL_SECONDS: "Fixed part of a call to the network, as recent calls took it",
    TOKEN_SECONDS: "A padded token's part of a call, as recent calls took it",
    PENDING: "Requests that wait",  # Triton's own: who names it again is given the same one, and can read it
}


_REFRESH_S = 2.0


class Metric(Protocol):
    """A metric of Triton's."""

    def increment(self, value: float) -> None: ...
    def set(self, value: float) -> None: ...
    def value(self) -> float: ...


class ServiceCounters:
    """The counters of one instance; instances of a service count on the same lines of the page."""

    def __init__(
        self, metrics: Mapping[str, Metric], warn: Callable[[str], None], refresh: Callable[[], None] = lambda: None
    ) -> None:
        """`metrics`: those of COUNTERS and GAUGES, for REQUESTS its OUTCOMES; `warn` takes what goes wrong.

        `refresh` changes other metrics, in the same thread, with a batch every few seconds: Triton does not unload a
        model while it executes, and one that does while a metric is changed waits for ever.
        """
        self._refresh, self._refresh_at = refresh, 0.0
        self._metrics, self._warn = metrics, warn
        self.waiting = 0
        self._queue: Queue[Mapping[str, float] | None] = Queue()
        self._sender = threading.Thread(target=self._send, name="metrics", daemon=True)
        self._sender.start()

    def settle(self) -> None:
        """Wait until everything that was recorded so far is counted."""
        self._queue.join()

    def close(self) -> None:
        """Send what is left and end the thread."""
        self._queue.put(None)
        self._sender.join()

    def show_cost(self, cost: CallCost) -> None:
        """What deadlines are held against; of several instances, that of the last one to compute."""
        self._queue.put({CALL_SECONDS: cost.call_s, TOKEN_SECONDS: cost.token_s})

    def look_at_queue(self) -> None:
        """Read how many requests wait, into `waiting`."""
        self._queue.put({PENDING: 0})

    def record_call(self, lengths: Sequence[int]) -> None:
        """A call to the network, as the lengths of its texts in tokens."""
        self._queue.put(
            {TEXTS: len(lengths), TOKENS: sum(lengths), PADDED: len(lengths) * max(lengths), CALLS: 1},
        )

    def record_truncated(self, texts: int) -> None:
        self._queue.put({TRUNCATED: texts})

    def record_outcomes(self, outcomes: Mapping[Outcome, int]) -> None:
        """Requests of a batch, by what became of them."""
        refused = sum(outcomes.get(outcome, 0) for outcome in BY_DEADLINE)
        changes: dict[str, float] = {str(outcome): number for outcome, number in outcomes.items()}
        self._queue.put({**changes, SHED: refused} if refused else changes)
        if time.monotonic() >= self._refresh_at:
            self._refresh_at = time.monotonic() + _REFRESH_S
            self._queue.put({})

    def _send(self) -> None:
        while (changes := self._queue.get()) is not None:
            try:
                if not changes:
                    self._refresh()
                for name, value in changes.items():
                    self._change(name, value)
            except Exception as error:  # an answer is worth more than its count
                self._warn(f"metrics: {error}")
            finally:
                self._queue.task_done()

    def _change(self, name: str, value: float) -> None:
        metric = self._metrics[name]
        if name == PENDING:
            self.waiting = round(metric.value())
        elif name in GAUGES:
            metric.set(value)
        else:
            metric.increment(value)
