"""What the client makes of a search, and of a request of many texts, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout, ServerLayout
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.capacity.simulate.timeline import DEADLINE, DEGRADED, OK
from interlingua_loadtest.capacity.simulate.workload import Workload
from tests.loadtest.capacity_layouts import TENTH, one_service


def server(*, transport_s: float = 0.0, between_s: float = 0.0) -> ServerLayout:
    """Both stages, each with one instance of everything and a token budget of 32: one call at a time."""
    alone = one_service(max_batch=64)
    return ServerLayout(
        services={
            "embed_query": alone.services["embed_query"],
            "rerank": replace(alone.services["embed_query"], network="reranker"),
        },
        networks={
            "embedder": NetworkLayout(TENTH, 1),
            "reranker": NetworkLayout(replace(TENTH, network="reranker"), 1),
        },
        cores=100,
        transport_s=transport_s,
        between_s=between_s,
    )


def test_a_search_by_hand() -> None:
    """Query of 10 tokens: 2 s, 0.5 s on the way. Candidates: 0.25 s. Three pairs of 10 tokens: 1 + 3 s, 0.5 s."""
    layout = server(transport_s=0.5, between_s=0.25)
    timeline = simulate(Workload.of([0.0], [[10, 10, 10, 10]], "search"), layout)
    assert timeline.compute == pytest.approx([2.0])
    assert timeline.rerank == pytest.approx([4.5])
    assert timeline.finished == pytest.approx([2.5 + 0.25 + 4.5])
    assert (timeline.pairs.tolist(), timeline.status.tolist()) == ([3], [OK])


def test_a_search_of_no_candidates_ends_with_its_vector() -> None:
    timeline = simulate(Workload.of([0.0], [[10]], "search"), server(between_s=0.25))
    assert timeline.finished == pytest.approx([2.25])
    assert timeline.usage["rerank"].executions == 0


@pytest.mark.parametrize(("question", "slower"), [(5, 2.0), (14, 2.4)])
def test_a_search_of_stored_token_vectors_by_hand(question: int, slower: float) -> None:
    """Vector: 1 + 1 s, beside it the question's token vectors, 1 + 0.5 or 1.4 s. On the way 0.5 s, candidates 0.25."""
    layout = server(transport_s=0.5, between_s=0.25)
    timeline = simulate(Workload.of([0.0], [[10, question]], "search", one_side=True), layout)
    assert timeline.finished == pytest.approx([slower + 0.5 + 0.25])
    assert timeline.compute == pytest.approx([2.0])
    assert (timeline.pairs.tolist(), timeline.status.tolist()) == ([0], [OK])
    assert timeline.usage["rerank"].executions == 1


@pytest.mark.parametrize(
    ("tokens", "status", "finished"), [([10, 5], OK, 2.0), ([5, 14], DEGRADED, 1.5), ([14, 5], DEADLINE, 0.0)]
)
def test_a_side_that_would_be_late_by_hand(tokens: list[int], status: int, finished: float) -> None:
    """With 2.5 s of time a service refuses 2.4, for caution: without a vector there is nothing to wait for."""
    timeline = simulate(Workload.of([0.0], [tokens], "search", deadline_s=2.5, one_side=True), server())
    assert (timeline.status.tolist(), timeline.finished.tolist()) == ([status], [pytest.approx(finished)])


def test_pairs_go_eight_a_request() -> None:
    """20 pairs of 1 token are requests of 8, 8 and 4. The first is taken alone (1 + 0.8 s), the others while it ran.

    Together 12 texts, one call of 1 + 1.2 s: 2 s for the query, then 1.8 + 2.2 s.
    """
    timeline = simulate(Workload.of([0.0], [[10, *[1] * 20]], "search"), server())
    assert timeline.usage["rerank"].executions == 2
    assert timeline.finished == pytest.approx([2.0 + 1.8 + 2.2])


def test_a_request_of_many_texts_is_one_to_the_caller() -> None:
    # 20 pairs in the same three requests, without a query; what is shown is the part that came last.
    timeline = simulate(Workload.of([0.0], [[1] * 20], "rerank"), server())
    assert timeline.finished == pytest.approx([4.0])
    assert timeline.queue == pytest.approx([1.8])
    assert timeline.compute == pytest.approx([2.2])


def test_at_most_sixteen_requests_are_in_flight() -> None:
    # 17 requests of 8 texts of 4 tokens, each a call of its own by the budget (1 + 3.2 s). The first is taken alone;
    # of the 15 that wait for it, 8 make the next batch (64 texts), and so on: the 17th is sent when the first is back.
    timeline = simulate(Workload.of([0.0], [[4] * 17 * 8], "rerank"), server())
    assert timeline.usage["rerank"].texts == 17 * 8
    assert timeline.finished == pytest.approx([17 * 4.2])


def test_a_query_that_is_too_late_fails_the_search() -> None:
    # At once by the service's own estimate (2 s, where 1.5 are left), or when its deadline passes in the queue, behind
    # a query that computes until 6.
    early = simulate(Workload.of([0.0], [[10, 10]], "search", deadline_s=1.5), server())
    assert (early.status.tolist(), early.finished.tolist()) == ([DEADLINE], [0.0])
    workload = Workload.of([0.0, 1.0], [[50], [10, 10]], "search", deadline_s=[math.inf, 2.0])
    behind = simulate(workload, server())
    assert behind.status.tolist() == [OK, DEADLINE]
    assert behind.finished == pytest.approx([6.0, 3.0])
    assert behind.usage["rerank"].executions == 0


def test_reranking_that_is_too_late_degrades_the_search() -> None:
    """Until 2 s the query. While the pace is unknown 8 pairs are tried: 1 + 8 s, cut at 32 tokens into 3 + 3 + 2 texts.

    By its own estimate (4 + 4 + 3 s) the service would answer at 13: it refuses at once, where the deadline is 10.
    """
    timeline = simulate(Workload.of([0.0], [[10, *[10] * 20]], "search", deadline_s=10.0), server())
    assert timeline.status.tolist() == [DEGRADED]
    assert timeline.pairs.tolist() == [0]
    assert timeline.finished == pytest.approx([2.0])
    assert timeline.usage["reranker"].executions == 0


def test_the_depth_follows_the_pace_that_was_measured() -> None:
    """The first search, with time, tries 8 pairs of 1 token: 1.8 s, 0.225 s a pair; of the 12 others all have time.

    They go as 8 and 4: 1.8 s alone, then 1.4 s, 3.2 s or 0.2667 s a pair; the pace becomes 0.225 + 0.3 (0.2667 - 0.225)
    = 0.2375. The second search has its vector at 102 and 3.3 s left, 0.85 of which are 2.805 s: 11 pairs (2.61 s). They
    go as 8 and 3: 1.8 + 1.3 s, for which the service, with its caution, wants 1.5: no time for another.
    """
    tokens = [[10, *[1] * 20]] * 2
    timeline = simulate(Workload.of([0.0, 100.0], tokens, "search", deadline_s=[50.0, 5.3]), server())
    assert timeline.pairs.tolist() == [20, 11]
    assert timeline.status.tolist() == [OK, DEGRADED]
    assert timeline.finished == pytest.approx([2.0 + 1.8 + 3.2, 105.1])


def test_what_a_client_gave_up_is_not_computed_for_nobody() -> None:
    # A pair of 300 tokens keeps the service busy until 1 + 30 = 31 s; the three requests behind it are not wanted then.
    workload = Workload.of([0.0, 1.0], [[300], [1] * 20], ["rerank", "rerank"], deadline_s=[math.inf, 5.0])
    timeline = simulate(workload, server())
    assert timeline.status.tolist() == [OK, DEADLINE]
    assert timeline.finished == pytest.approx([31.0, 6.0])
    assert timeline.usage["reranker"].texts == 1
