"""A lone query beside bulk work on a real Triton: what the network computes for others before its answer is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from interlingua_server.embedded import EmbeddedServer
from tests.support.services import Services

TEXTS = [f"The parcel number {number} was left at the neighbour's door. " * 3 for number in range(8)]
IN_FLIGHT = 16
QUERIES = 11


def computed(services: Services, network: str) -> int:
    """Texts, so far."""
    statistics = services.client.get_inference_statistics(network, as_json=True)
    return int(statistics["model_stats"][0]["inference_count"])


@contextmanager
def bulk(work: Callable[[], object]) -> Iterator[None]:
    """As an index run does it: one request after the other, several in flight."""
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            work()

    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        asked = [threads.submit(keep_asking) for _ in range(IN_FLIGHT)]
        try:
            yield
        finally:
            stop.set()
        for one in asked:
            one.result()


def overtaken(services: Services, network: str) -> float:
    """Texts of others that the network computes from a query's arrival to its answer, in the middle of some queries."""
    counts = []
    for number in range(QUERIES + 1):
        before = computed(services, network)
        services.embed([f"where is parcel {number}?"], "embed_query")
        counts.append(computed(services, network) - before)
    return median(counts[1:])  # before the first query nobody could know of queries


def test_a_query_overtakes_an_index_run(services: Services) -> None:
    """Without precedence, four calls of some 20 texts are before it at the network."""
    alone = services.embed(TEXTS).vectors
    with bulk(lambda: np.testing.assert_allclose(services.embed(TEXTS).vectors, alone, atol=2e-5)):
        assert overtaken(services, "embedder") < 20


def test_bulk_calls_alone_run_at_a_lower_priority(server: EmbeddedServer, services: Services) -> None:
    services.embed(["where is my parcel?"], "embed_query")
    services.embed(TEXTS)
    threads = [int(task.name) for stub in server.stubs() for task in Path(f"/proc/{stub.pid}/task").iterdir()]
    priorities = [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads]
    assert max(priorities) == min(min(priorities) + 10, 19)
