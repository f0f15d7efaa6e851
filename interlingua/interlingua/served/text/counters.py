"""A service's counters on Triton's metrics page.

    service --what happened--> queue --a thread of its own--> Triton's process

Every change is a round trip to Triton's process: it goes while the network computes, so that no answer waits for it,
and whoever has an answer finds it counted. All changes are made in one thread: Triton 24.10 dies (SIGSEGV) when two
threads of a Python model change a metric at the same time.
"""

from __future__ import annotations

import threading
from queue import Queue
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from interlingua.served.text.call_cost import CallCost

TEXTS = "interlingua_texts_total"
TOKENS = "interlingua_tokens_total"
PADDED = "interlingua_padded_tokens_total"
CALLS = "interlingua_network_calls_total"
TRUNCATED = "interlingua_truncated_texts_total"
SHED = "interlingua_shed_requests_total"
CALL_SECONDS = "interlingua_network_call_seconds"
TOKEN_SECONDS = "interlingua_network_token_seconds"  # noqa: S105

COUNTERS = {
    TEXTS: "Texts or pairs computed",
    TOKENS: "Tokens computed, without padding",
    PADDED: "Tokens computed, padding included",
    CALLS: "Sub-batches sent to the network",
    TRUNCATED: "Texts cut off at max_tokens",
    SHED: "Requests refused because of their deadline",
}
GAUGES = {
    CALL_SECONDS: "Fixed part of a call to the network, as measured",
    TOKEN_SECONDS: "A padded token's part of a call, as measured",
}


class Metric(Protocol):
    """A metric of Triton's."""

    def increment(self, value: float) -> None: ...
    def set(self, value: float) -> None: ...


class ServiceCounters:
    """The counters of one instance; instances of a service count on the same lines of the page."""

    def __init__(self, metrics: Mapping[str, Metric], warn: Callable[[str], None]) -> None:
        """`metrics` has all of COUNTERS and GAUGES; `warn` takes what goes wrong with them."""
        self._metrics, self._warn = metrics, warn
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
        """What the cut goes by; of several instances, that of the last one to measure."""
        self._queue.put({CALL_SECONDS: cost.call_s, TOKEN_SECONDS: cost.token_s})

    def record_calls(self, calls: Sequence[Sequence[int]]) -> None:
        """Calls to the network, as the lengths of their texts in tokens."""
        self._queue.put(
            {
                TEXTS: sum(map(len, calls)),
                TOKENS: sum(map(sum, calls)),
                PADDED: sum(len(lengths) * max(lengths) for lengths in calls),
                CALLS: len(calls),
            }
        )

    def record_truncated(self, texts: int) -> None:
        self._queue.put({TRUNCATED: texts})

    def record_shed(self) -> None:
        self._queue.put({SHED: 1})

    def _send(self) -> None:
        while (changes := self._queue.get()) is not None:
            try:
                for name, value in changes.items():
                    metric = self._metrics[name]
                    (metric.set if name in GAUGES else metric.increment)(value)
            except Exception as error:  # an answer is worth more than its count
                self._warn(f"metrics: {error}")
            finally:
                self._queue.task_done()
