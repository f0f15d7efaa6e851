"""Interactive before bulk on the simulated server: a query beside an index run, and what the run loses by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlingua.served.text.precedence import RECENT_S
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.capacity.simulate.timeline import Timeline
from interlingua_loadtest.capacity.simulate.workload import Workload
from tests.loadtest.capacity_layouts import whole_server

QUERY, DOCUMENTS = [12], [70, 90, 40, 100, 60, 80, 50, 110]
REQUESTS = 600  # some 20 s of documents
SECONDS = np.arange(1.3, 15.0, 0.97)


def server() -> ServerLayout:
    """Two cores on which two calls at once do not hinder each other."""
    return replace(whole_server(), slowdown=((1, 1.0), (2, 1.0)))


def run(queries: list[float], documents: int, *, kind: str = "embed_document") -> Timeline:
    """All documents wait from the beginning; the queries come when they come."""
    arrived = [0.0] * documents + queries
    order = np.argsort(arrived, kind="stable")
    texts = [DOCUMENTS] * documents + [QUERY] * len(queries)
    kinds = [kind] * documents + ["embed_query"] * len(queries)
    return simulate(Workload.of(arrived, [texts[row] for row in order], [kinds[row] for row in order]), server())


def latencies(timeline: Timeline, texts: int) -> np.ndarray:
    """Of the requests of so many texts."""
    workload = timeline.workload
    chosen = np.diff(workload.first) == texts
    return np.asarray((timeline.finished - workload.arrived)[chosen])


@pytest.mark.parametrize("kind", ["embed_document", "rerank"])
def test_a_query_waits_for_one_small_call_and_bulk_keeps_its_rate(kind: str) -> None:
    idle = latencies(run(SECONDS.tolist(), 0), 1)
    alone = run([], REQUESTS, kind=kind)
    both = run(SECONDS.tolist(), REQUESTS, kind=kind)
    # The first query nobody could know of: it waits for the calls that are under way, of up to 100 ms each.
    later = latencies(both, 1)[1:]
    assert later.max() <= idle.max() + 0.016  # a call of 15 ms
    assert latencies(both, 8).max() <= latencies(alone, 8).max() / 0.85


def test_the_first_query_waits_for_what_is_under_way() -> None:
    both = run(SECONDS.tolist(), REQUESTS)
    assert latencies(both, 1)[0] > 0.05


def test_bulk_work_goes_on_beside_queries_without_a_pause() -> None:
    # A query takes 2.2 ms on its own: 400 a second keep somebody waiting nearly always.
    both = run(np.arange(0.0, 10.0, 0.0025).tolist(), 60)
    assert both.usage["embed_document"].texts == 60 * 8
    assert latencies(both, 8).max() < 10.0


def test_a_minute_after_the_last_query_calls_are_large_again() -> None:
    def calls(queries: list[float]) -> int:
        start = RECENT_S + 2
        workload = Workload.of(
            [*queries, *[start] * 64],
            [QUERY] * len(queries) + [DOCUMENTS] * 64,
            ["embed_query"] * len(queries) + ["embed_document"] * 64,
        )
        return simulate(workload, server()).usage["embedder"].executions - len(queries)

    assert calls([1.0]) == calls([])
    assert calls([3.0]) > 3 * calls([])
