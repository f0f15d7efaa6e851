"""The simulator against timelines by hand, against queueing theory, and what holds for any traffic."""

from __future__ import annotations

import gc
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout, TextCost
from interlingua_loadtest.capacity.profile.service_time import Residuals
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.capacity.simulate.timeline import DEADLINE, OK, Timeline
from interlingua_loadtest.capacity.simulate.workload import Workload
from interlingua_loadtest.traffic import schedule
from tests.loadtest.capacity_layouts import TENTH, one_service, queue, whole_server
from tests.loadtest.closed_forms import md1_mean_wait, mm1_sojourn_percentile, mmc_mean_wait

TOKENIZING = TextCost(token_s=0.01)


# -- by hand -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lanes", "batch_end"), [(1, 10.02), (2, 6.62)])
def test_five_requests_by_hand(lanes: int, batch_end: float) -> None:
    """A call costs 1 s + 0.1 s a padded token, tokenizing 0.01 s a token; budget 32 tokens, at most 4 texts.

    A (10 tokens) at 0: tokenized until 0.1, a call of 1 + 1 s until 2.1.
    B (10), C (30), D (12) wait until then: tokenized 0.52 s, until 2.62. Cut: B and D together cost 10 + 24 = 34
    tokens, apart (10 + 10) + (10 + 12) = 42; C does not fit in with them. C goes first: 1 + 3 s, until 6.62; B and D
    take 1 + 2.4 s, after C on one lane (until 10.02), beside it on two. All three are answered together.
    E (20) at 20, alone: tokenized until 20.2, a call of 1 + 2 s until 23.2.
    """
    layout = one_service(text=TOKENIZING, network_instances=lanes)
    arrived = [0.0, 0.5, 0.6, 0.7, 20.0]
    timeline = simulate(Workload.of(arrived, [[10], [10], [30], [12], [20]]), layout)
    assert timeline.start == pytest.approx([0, 2.1, 2.1, 2.1, 20])
    assert timeline.queue == pytest.approx([0, 1.6, 1.5, 1.4, 0])
    assert timeline.tokenize == pytest.approx([0.1, 0.52, 0.52, 0.52, 0.2])
    assert timeline.compute == pytest.approx([2.0, *[batch_end - 2.62] * 3, 3.0])
    assert timeline.finished == pytest.approx([2.1, batch_end, batch_end, batch_end, 23.2])
    assert timeline.batch_texts.tolist() == [1, 3, 3, 3, 1]
    assert timeline.status.tolist() == [OK] * 5
    network = timeline.usage["embedder"]
    assert (network.executions, network.texts, network.tokens) == (4, 5, 82)
    assert network.padded_tokens == 10 + 30 + 24 + 20
    assert network.busy == pytest.approx((2.0 + 4.0 + 3.4 + 3.0) / lanes / 23.2)
    assert timeline.usage["embed_query"].busy == pytest.approx((2.1 + batch_end - 2.1 + 3.2) / 23.2)


def test_two_service_instances_overlap_tokenizing_with_computing() -> None:
    # A computes from 0.1 to 2.1 on the only network instance. B is tokenized from 0.5 to 0.6 meanwhile, its call waits
    # until 2.1 and ends at 4.1.
    layout = one_service(text=TOKENIZING, instances=2)
    timeline = simulate(Workload.of([0.0, 0.5], [[10], [10]]), layout)
    assert timeline.queue == pytest.approx([0, 0])
    assert timeline.finished == pytest.approx([2.1, 4.1])


def test_one_request_of_several_texts_is_spread_over_the_lanes() -> None:
    # 4 texts of 10 tokens: on two lanes 2 calls of 1 + 2 s at once; on one lane 3 + 1 texts or 2 + 2, 6 s either way.
    for lanes, seconds in ((2, 3.0), (1, 6.0)):
        timeline = simulate(Workload.of([0.0], [[10] * 4]), one_service(network_instances=lanes))
        assert timeline.finished == pytest.approx([seconds])


def test_overlong_texts_are_tokenized_whole_and_computed_truncated() -> None:
    layout = one_service(text=TOKENIZING, max_tokens=20)
    timeline = simulate(Workload.of([0.0], [[50]]), layout)
    assert timeline.tokenize == pytest.approx([0.5])
    assert timeline.compute == pytest.approx([3.0])


def test_handover_and_transport_delay_but_keep_nothing_busy() -> None:
    layout = replace(one_service(handover_s=0.25), transport_s=0.5)
    timeline = simulate(Workload.of([0.0], [[10]]), layout)
    assert timeline.compute == pytest.approx([2.25])
    assert timeline.latency == pytest.approx([2.75])
    assert timeline.usage["embedder"].busy * 2.25 == pytest.approx(2.0)


def test_full_cores_slow_tokenizing_and_computing_down() -> None:
    # One core, two instances of everything. A computes from 0.1; B arrives at 0.5 and is tokenized (0.1 s of work) at
    # half speed until 0.7; A, with 1.5 s of work left then, and B, with 2, share the core: A ends at 0.7 + 3.0 = 3.7,
    # B has 0.5 left and ends at 4.2.
    layout = one_service(text=TOKENIZING, instances=2, network_instances=2, cores=1)
    timeline = simulate(Workload.of([0.0, 0.5], [[10], [10]]), layout)
    assert timeline.tokenize == pytest.approx([0.1, 0.2])
    assert timeline.finished == pytest.approx([3.7, 4.2])
    assert timeline.usage["cores"].busy == pytest.approx(1.0)


# -- deadlines ---------------------------------------------------------------------------------------------------


def test_what_is_late_when_its_batch_begins_is_given_up() -> None:
    # A computes until 6 (1 + 5 s). B wants its answer by 3 and waits no longer; C's batch, 6 to 8, leaves it out.
    workload = Workload.of([0.0, 1.0, 2.0], [[50], [10], [10]], deadline_s=[math.inf, 2.0, math.inf])
    timeline = simulate(workload, one_service())
    assert timeline.status.tolist() == [OK, DEADLINE, OK]
    assert timeline.finished == pytest.approx([6, 3, 8])
    assert timeline.usage["embedder"].texts == 2


def test_what_would_be_late_is_given_up_before_it_is_computed() -> None:
    # B (by 9.5) and C are taken at 6. Together their call lasts 1 + 2 = 3 s, B's answer would be there at 9: in time,
    # with the service's caution, too. With D (30 tokens) in the batch, its call of 4 s goes first and B would be
    # answered at 13: B is left out, and the others end at 6 + 4 + 2 = 12. B's client has waited until 9.5 only.
    arrived, tokens = [0.0, 1.0, 2.0], [[50], [10], [10]]
    by_its_own = [math.inf, 8.5, math.inf, math.inf]
    in_time = simulate(Workload.of(arrived, tokens, deadline_s=by_its_own[:3]), one_service())
    assert in_time.status.tolist() == [OK] * 3
    assert in_time.finished == pytest.approx([6, 9, 9])
    late = simulate(Workload.of([*arrived, 3.0], [*tokens, [30]], deadline_s=by_its_own), one_service())
    assert late.status.tolist() == [OK, DEADLINE, OK, OK]
    assert late.finished == pytest.approx([6, 9.5, 12, 12])


def test_what_is_late_meanwhile_is_not_computed_any_further() -> None:
    # A keeps the network busy until 6. B's two calls, of 4 s and 2 s, are planned at 1 on the other instance, for 7 s:
    # in time for 9. The first runs from 6 to 10; the second would end at 12 and is not made.
    layout = one_service(instances=2)
    timeline = simulate(Workload.of([0.0, 1.0], [[50], [30, 10]], deadline_s=[math.inf, 8.0]), layout)
    assert timeline.status.tolist() == [OK, DEADLINE]
    assert timeline.finished == pytest.approx([6.0, 9.0])
    network = timeline.usage["embedder"]
    assert (network.executions, network.tokens) == (2, 80)


def test_a_long_queue_of_late_requests_is_refused_at_once() -> None:
    count = 20_000
    arrived = np.concatenate([[0.0], np.linspace(0.1, 1.0, count)])
    deadlines = [math.inf] + [2.0] * count
    timeline = simulate(Workload.of(arrived, [[50]] * (count + 1), deadline_s=deadlines), one_service(max_batch=4))
    assert timeline.shed.sum() == count
    assert timeline.finished.max() == pytest.approx(6.0)
    assert timeline.goodput() == pytest.approx(1 / (count + 1))
    assert timeline.percentile(50) == math.inf


# -- queueing theory -----------------------------------------------------------------------------------------------

SEEDS = range(8)
REQUESTS = 20_000


def means(load: float, servers: int, tokens: Any) -> np.ndarray:
    """Mean wait of each of a few runs, in units of the mean service time (1 s is 100,000 tokens), warm-up left out."""
    waits = []
    for seed in SEEDS:
        arrived = schedule.poisson(load * servers, REQUESTS / (load * servers), seed)
        drawn = tokens(np.random.default_rng([seed, 99]), len(arrived))
        timeline = simulate(
            Workload.of(arrived, np.maximum(drawn, 1).astype(int).reshape(-1, 1).tolist()), queue(servers)
        )
        waits.append(timeline.queue[timeline.after_warm_up(0.2)].mean())
    return np.array(waits)


def constant(_: np.random.Generator, count: int) -> np.ndarray:
    return np.full(count, 100_000)


def exponential(random: np.random.Generator, count: int) -> np.ndarray:
    return random.exponential(100_000, count)


def assert_agrees(found: np.ndarray, expected: float) -> None:
    """Within 3.5 standard errors of the runs' mean (7 degrees of freedom: 99%), which are less than 6% of it."""
    error = found.std(ddof=1) / math.sqrt(len(found))
    assert error < 0.06 * expected
    assert abs(found.mean() - expected) < 3.5 * error


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_constant_service_waits_as_in_md1(load: float) -> None:
    assert_agrees(means(load, 1, constant), md1_mean_wait(load, 1.0))


@pytest.mark.parametrize(("load", "servers"), [(0.6, 1), (0.7, 2), (0.8, 5)])
def test_exponential_service_waits_as_in_mmc(load: float, servers: int) -> None:
    assert_agrees(means(load, servers, exponential), mmc_mean_wait(load * servers, 1.0, servers))


def test_the_tail_is_that_of_mm1() -> None:
    percentiles = []
    for seed in SEEDS:
        arrived = schedule.poisson(0.6, REQUESTS / 0.6, seed)
        tokens = np.maximum(exponential(np.random.default_rng([seed, 99]), len(arrived)), 1).astype(int)
        timeline = simulate(Workload.of(arrived, tokens.reshape(-1, 1).tolist()), queue(1))
        percentiles.append(timeline.percentile(95, warm_up=0.2))
    assert_agrees(np.array(percentiles), mm1_sojourn_percentile(0.6, 1.0, 95))


def test_shared_cores_are_processor_sharing() -> None:
    """M/G/1-PS: the mean sojourn is s / (1 - rho) whatever the service times (Kleinrock, volume 2, 4.4): 1 / 0.4."""
    means_s = []
    for seed in SEEDS:
        arrived = schedule.poisson(0.6, REQUESTS / 0.6, seed)
        tokens = np.where(np.random.default_rng([seed, 99]).random(len(arrived)) < 0.5, 50_000, 150_000)
        layout = replace(queue(200), cores=1)
        timeline = simulate(Workload.of(arrived, tokens.reshape(-1, 1).tolist()), layout)
        assert timeline.queue.max() == 0
        means_s.append(timeline.latency[timeline.after_warm_up(0.2)].mean())
    assert_agrees(np.array(means_s), 1 / 0.4)


# -- any traffic -------------------------------------------------------------------------------------------------


def mixed(seed: int, *, rate: float = 60.0, deadline_s: float | None = None, count: int = 2000) -> Workload:
    """All kinds of requests, some of many texts, arriving in no pattern."""
    random = np.random.default_rng(seed)
    arrived = np.sort(random.uniform(0, count / rate, count))
    kinds = random.choice(["embed_query", "embed_document", "rerank", "search"], count, p=[0.6, 0.2, 0.1, 0.1])
    texts = {"embed_query": 1, "embed_document": 11, "rerank": 20, "search": 6}
    tokens = [random.integers(3, 700, random.integers(1, texts[kind] + 1)).tolist() for kind in kinds]
    return Workload.of(arrived, tokens, [str(kind) for kind in kinds], deadline_s=deadline_s)


@pytest.mark.parametrize("deadline_s", [None, 0.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_request_leaves_once_and_everything_is_computed_once(seed: int, deadline_s: float | None) -> None:
    workload = mixed(seed, deadline_s=deadline_s)
    timeline = simulate(workload, whole_server())
    assert np.isfinite(timeline.finished).all()
    assert (timeline.latency > 0).all()
    for stage in (timeline.queue, timeline.tokenize, timeline.compute, timeline.rerank):
        assert (stage >= 0).all()
    computed = {name: timeline.usage[name].texts for name in ("embedder", "reranker")}
    asked = {"embedder": 0, "reranker": 0}
    for kind, size in zip(workload.kinds, np.diff(workload.first), strict=True):
        asked["embedder"] += size if kind < 2 else int(kind == 3)
        asked["reranker"] += size if kind == 2 else (size - 1 if kind == 3 else 0)
    if deadline_s is None:
        assert timeline.status.tolist() == [OK] * len(workload)
        assert computed == asked
        assert timeline.usage["embedder"].tokens <= timeline.usage["embedder"].padded_tokens
    else:
        assert 0 < timeline.shed.sum() < len(workload)
        assert computed["embedder"] < asked["embedder"]
        assert timeline.latency.max() <= deadline_s + 1e-9
    assert all(0 <= usage.busy <= 1 + 1e-9 for usage in timeline.usage.values())


def batches(timeline: Timeline) -> np.ndarray:
    """float64 [B, 2]: from when to when each batch took an instance."""
    return np.unique(np.stack([timeline.start, timeline.start + timeline.tokenize + timeline.compute], axis=1), axis=0)


@pytest.mark.parametrize("instances", [1, 2])
def test_first_come_first_served_and_never_idle_while_somebody_waits(instances: int) -> None:
    random = np.random.default_rng(5)
    arrived = np.cumsum(random.exponential(0.9, 1500))
    layout = one_service(text=TOKENIZING, instances=instances, network_instances=instances)
    timeline = simulate(Workload.of(arrived, random.integers(5, 30, (1500, 1)).tolist()), layout)
    assert all(before <= after for before, after in pairwise(timeline.start))
    taken = batches(timeline)
    waited = np.flatnonzero(timeline.queue > 1e-9)
    assert len(waited) > 100
    for number in waited:
        for moment in (arrived[number] + 1e-9, (arrived[number] + timeline.start[number]) / 2):
            assert ((taken[:, 0] <= moment) & (moment < taken[:, 1])).sum() == instances
    overlapping = [((taken[:, 0] <= begin) & (begin < taken[:, 1])).sum() for begin in taken[:, 0]]
    assert max(overlapping) == instances


def test_batching_raises_what_a_server_holds() -> None:
    # One text a call: 1 + 2 s each. Up to four in a call: 1 + 8 s for four, a third less time.
    random = np.random.default_rng(2)
    arrived = np.cumsum(random.exponential(2.6, 3000))
    workload = Workload.of(arrived, [[20]] * 3000)
    single = simulate(workload, one_service(max_batch=1, max_batch_tokens=80))
    batched = simulate(workload, one_service(max_batch=4, max_batch_tokens=80))
    assert single.usage["embedder"].executions == 3000
    assert batched.usage["embedder"].executions < 2400
    assert batched.finished.max() < arrived[-1] + 60
    assert single.finished.max() > arrived[-1] + 600  # the queue of an overloaded server
    assert batched.percentile(50) < single.percentile(50) / 10


def test_equal_seeds_give_equal_timelines_and_jitter_depends_on_the_seed() -> None:
    layout = whole_server()
    jittery = ServerLayout(
        services=layout.services,
        networks={
            name: replace(network, time=replace(network.time, residuals=Residuals(100, 0.1, 0.2, spread=0.2)))
            for name, network in layout.networks.items()
        },
        cores=layout.cores,
    )
    workload = mixed(3)
    assert (simulate(workload, layout, 1).finished == simulate(workload, layout, 2).finished).all()
    once, again, other = (simulate(workload, jittery, seed).finished for seed in (1, 1, 2))
    assert (once == again).all()
    assert not np.allclose(once, other)
    assert once.mean() == pytest.approx(other.mean(), rel=0.05)


def test_garbage_collection_is_as_before() -> None:
    assert gc.isenabled()
    simulate(Workload.of([0.0], [[5]]), one_service())
    assert gc.isenabled()


def test_percentiles_are_those_of_whole_requests() -> None:
    timeline = simulate(Workload.of(np.arange(10) * 100.0, [[10 * number] for number in range(1, 11)]), one_service())
    # Latencies 2, 3, ... 11 s: half of them are at most 6 s, nine tenths at most 10 s, 91% only at most 11 s.
    assert [timeline.percentile(p) for p in (50, 90, 91)] == pytest.approx([6, 10, 11])
    assert timeline.percentile(10, warm_up=0.9) == pytest.approx(11)


# -- bad input ---------------------------------------------------------------------------------------------------


def test_impossible_workloads_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="there are no requests"):
        Workload.of([], [])
    with pytest.raises(InputError, match=r"ascend.*request 1 has no text"):
        Workload.of([1.0, 0.5], [[4], []])
    with pytest.raises(InputError, match="at least 1 token"):
        Workload.of([1.0], [[0]])
    with pytest.raises(InputError, match="translate: a request is one of"):
        Workload.of([1.0], [[3]], "translate")
    with pytest.raises(InputError, match="deadlines must be above 0"):
        Workload.of([1.0], [[3]], deadline_s=0)
    with pytest.raises(InputError, match="asks for rerank, but the server has no rerank"):
        simulate(Workload.of([1.0], [[3]], "rerank"), one_service())
    with pytest.raises(InputError, match="calls reranker, which is not there"):
        ServerLayout(services={"rerank": whole_server().services["rerank"]}, networks={}, cores=2)
    assert TENTH.seconds(1, 10) == pytest.approx(2.0)
