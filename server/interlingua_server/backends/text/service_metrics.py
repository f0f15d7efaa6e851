"""A service's counters on Triton's metrics page, labelled by service and version.

    service --what happened--> queue --a thread of its own--> Triton's process

Every change is a round trip to Triton's process: it goes while the network computes, so that no answer waits for it,
and whoever has an answer finds it counted. All changes are made in one thread: Triton 24.10 dies (SIGSEGV) when two
threads of a Python model change a metric at the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Queue
from typing import TYPE_CHECKING, Any

import triton_python_backend_utils as pb_utils

if TYPE_CHECKING:
    from batch_plan import CallCost

_Changes = Sequence[tuple[Callable[[float], None], float]]


class ServiceMetrics:
    """The counters of one instance; instances of a service count on the same lines of the page."""

    def __init__(self, model: str, version: str) -> None:
        labels = {"model": model, "version": version}
        self._families: list[Any] = []  # a family must outlive its metrics

        def metric(name: str, description: str, kind: Any = pb_utils.MetricFamily.COUNTER) -> Any:
            family = pb_utils.MetricFamily(name=f"interlingua_{name}", description=description, kind=kind)
            self._families.append(family)
            return family.Metric(labels=labels)

        self._texts = metric("texts_total", "Texts or pairs computed")
        self._tokens = metric("tokens_total", "Tokens computed, without padding")
        self._padded = metric("padded_tokens_total", "Tokens computed, padding included")
        self._calls = metric("network_calls_total", "Sub-batches sent to the network")
        self._truncated = metric("truncated_texts_total", "Texts cut off at max_tokens")
        self._shed = metric("shed_requests_total", "Requests refused because of their deadline")
        gauge = pb_utils.MetricFamily.GAUGE
        self._call_s = metric("network_call_seconds", "Fixed part of a call to the network, as measured", gauge)
        self._token_s = metric("network_token_seconds", "A padded token's part of a call, as measured", gauge)
        self._queue: Queue[_Changes | None] = Queue()
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
        self._queue.put([(self._call_s.set, cost.call_s), (self._token_s.set, cost.token_s)])

    def record_calls(self, calls: Sequence[Sequence[int]]) -> None:
        """Calls to the network, as the lengths of their texts in tokens."""
        self._queue.put(
            [
                (self._texts.increment, sum(map(len, calls))),
                (self._tokens.increment, sum(map(sum, calls))),
                (self._padded.increment, sum(len(lengths) * max(lengths) for lengths in calls)),
                (self._calls.increment, len(calls)),
            ]
        )

    def record_truncated(self, texts: int) -> None:
        self._queue.put([(self._truncated.increment, texts)])

    def record_shed(self) -> None:
        self._queue.put([(self._shed.increment, 1)])

    def _send(self) -> None:
        while (changes := self._queue.get()) is not None:
            try:
                for change, value in changes:
                    change(value)
            except Exception as error:  # an answer is worth more than its count
                pb_utils.Logger.log_warn(f"metrics: {error}")
            finally:
                self._queue.task_done()
