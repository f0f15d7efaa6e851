"""From a simulated server to a plan: the highest rate against theory, the arithmetic by hand, the answers in words."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.plan.planner import (
    cost_per_million,
    demand_changes,
    peak_and_mean,
    replicas_for,
    what_if,
)
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
from interlingua_loadtest.capacity.simulate.demand import Demand
from interlingua_loadtest.capacity.simulate.highest_rate import ImpossibleSloError, Runs, highest_rate, interval
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.traffic import schedule
from interlingua_loadtest.traffic.request_kinds import KINDS
from tests.loadtest.capacity_layouts import one_service, queue, whole_server

SHORT, LONG = np.array([8, 10, 12, 14]), np.array([40, 60, 80, 100])
QUERIES = Demand(kinds={"embed_query": 1.0}, languages={"en": 0.7, "hi": 0.3}, query_tokens={"en": SHORT, "hi": LONG})
SEARCHES = Demand(
    kinds={"search": 1.0},
    languages={"en": 0.7, "hi": 0.3},
    query_tokens={"en": SHORT, "hi": LONG},
    pair_tokens={"en": 5 * SHORT, "hi": LONG + 50},
    depth=16,
)
QUICK = Runs(requests=1500, repeats=3, precision=0.02)


# -- the highest rate --------------------------------------------------------------------------------------------


def test_the_highest_rate_is_that_of_mm1() -> None:
    """p90 of the sojourn in M/M/1 is ln(10) / (mu - rate): with mu = 100 and 0.05 s the rate is 100 - 46.05 = 53.95."""
    quantiles = -np.log1p(-(np.arange(4000) + 0.5) / 4000) * 1000  # exponential, mean 1,000 tokens: 10 ms
    exponential = Demand(
        kinds={"embed_query": 1.0}, languages={"en": 1.0}, query_tokens={"en": np.maximum(quantiles, 1).astype(int)}
    )
    found = highest_rate(exponential, queue(1), Slo(90, 0.05), Runs(requests=12_000, repeats=3))
    assert found.rate == pytest.approx(100 - math.log(10) / 0.05, rel=0.04)
    assert found.low < found.rate < found.high
    assert found.high - found.low < 0.2 * found.rate
    assert found.p50_s == pytest.approx(math.log(2) / (100 - found.rates[0]), rel=0.05)
    assert found.p99_s == pytest.approx(math.log(100) / (100 - found.rates[0]), rel=0.15)
    assert found.busiest in ("embed_query", "embedder")
    assert found.usage["embedder"].busy == pytest.approx(found.rates[0] / 100, rel=0.03)


def test_a_laxer_objective_and_a_second_instance_hold_more() -> None:
    layout = whole_server()
    strict = highest_rate(QUERIES, layout, Slo(99, 0.03), QUICK)
    lax = highest_rate(QUERIES, layout, Slo(99, 0.3), QUICK)
    bigger = replace(
        layout, cores=4, networks={**layout.networks, "embedder": replace(layout.networks["embedder"], instances=4)}
    )
    services = {name: replace(service, outstanding_calls=4) for name, service in bigger.services.items()}
    more = highest_rate(QUERIES, replace(bigger, services=services), Slo(99, 0.3), QUICK)
    assert strict.high < lax.low
    assert 1.6 * lax.rate < more.rate < 2.4 * lax.rate


def test_it_holds_there_and_not_a_twentieth_above() -> None:
    slo = Slo(99, 0.1)
    found = highest_rate(QUERIES, whole_server(), slo, QUICK)
    for seed, rate in enumerate(found.rates):
        assert slo.holds(QUICK.try_rate(rate, QUERIES, whole_server(), seed).answered_after(QUICK.warm_up))
        assert not slo.holds(QUICK.try_rate(1.05 * rate, QUERIES, whole_server(), seed).answered_after(QUICK.warm_up))


def test_bursts_hold_less_than_the_same_mean_without() -> None:
    def bursts(rate: float, seconds: float, seed: int) -> np.ndarray:
        return schedule.bursts(rate, seconds, seed, factor=3.0, period_s=2.0, share=0.2)

    calm = highest_rate(QUERIES, whole_server(), Slo(99, 0.1), QUICK)
    bursty = highest_rate(QUERIES, whole_server(), Slo(99, 0.1), replace(QUICK, arrivals=bursts))
    assert bursty.high < calm.low


def test_refused_requests_count_against_the_objective() -> None:
    """With a deadline of 80 ms nothing takes longer, however many come: the goodput decides."""
    hurried = replace(QUERIES, deadline_s=0.08)
    layout = whole_server()
    few = highest_rate(hurried, layout, Slo(50, 0.1, goodput=0.99), QUICK)
    many = highest_rate(hurried, layout, Slo(50, 0.1, goodput=0.8), QUICK)
    assert few.rate < many.rate
    at = QUICK.try_rate(few.rates[0], hurried, layout, 0)
    assert at.goodput(QUICK.warm_up) == pytest.approx(0.99, abs=0.008)


def test_an_impossible_objective_is_answered_in_words() -> None:
    # A lone query of 100 tokens takes 1 + 10 s.
    demand = replace(QUERIES, query_tokens={"en": SHORT, "hi": np.array([100])})
    with pytest.raises(ImpossibleSloError, match=r"p99=5000ms.* p99 of lone requests is 11000 ms already"):
        highest_rate(demand, one_service(max_batch_tokens=1024), Slo(99, 5.0))
    with pytest.raises(ImpossibleSloError, match="of lone requests miss their deadline already"):
        highest_rate(replace(demand, deadline_s=4.0), one_service(max_batch_tokens=1024), Slo(99, 5.0))


def test_a_server_that_does_no_work_has_no_limit() -> None:
    idle = one_service(replace(one_service().networks["embedder"].time, call_s=0.0, token_s=0.0))
    with pytest.raises(InputError, match="no limit was found"):
        highest_rate(QUERIES, idle, Slo(99, 1.0), Runs(requests=20, repeats=1))


def test_the_interval_by_hand() -> None:
    # Mean 10, standard deviation 1, 3 values: t(0.975, 2) = 4.3027; half width 4.3027 / sqrt(3) = 2.4841.
    assert interval([9.0, 10.0, 11.0]) == pytest.approx((10.0, 10.0 - 2.4841, 10.0 + 2.4841), abs=1e-4)
    assert interval([7.0]) == (7.0, 7.0, 7.0)


# -- demand ------------------------------------------------------------------------------------------------------


def test_a_demand_draws_what_it_says() -> None:
    demand = replace(SEARCHES, kinds={"search": 1.0, "embed_query": 3.0}, depth=4)
    workload = demand.draw(np.arange(20_000, dtype=float), seed=5)
    is_search = workload.kinds == KINDS.index("search")
    assert is_search.mean() == pytest.approx(0.25, abs=0.01)
    assert (workload.languages == 1).mean() == pytest.approx(0.3, abs=0.01)
    assert (np.diff(workload.first) == np.where(is_search, 5, 1)).all()
    queries = workload.tokens[workload.first[:-1]]
    assert set(queries[workload.languages == 0]) == set(SHORT)
    assert set(queries[workload.languages == 1]) == set(LONG)
    pairs = np.setdiff1d(np.arange(len(workload.tokens)), workload.first[:-1])
    assert set(workload.tokens[pairs]) == {*(5 * SHORT), *(LONG + 50)}
    again = demand.draw(np.arange(20_000, dtype=float), seed=5)
    assert (again.tokens == workload.tokens).all()


def test_lengths_do_not_follow_the_arrivals_of_the_same_seed() -> None:
    arrived = schedule.poisson(1.0, 20_000, 4)
    workload = replace(QUERIES, languages={"en": 1.0}).draw(arrived, seed=4)
    correlation = np.corrcoef(np.diff(arrived), workload.tokens[1:])[0, 1]
    assert abs(correlation) < 0.03  # 4 standard errors of 1 / sqrt(20,000)


def test_what_if_changes_by_hand() -> None:
    assert SEARCHES.deeper(4).depth == 20
    assert SEARCHES.longer(1.5).query_tokens["en"].tolist() == [12, 15, 18, 21]  # type: ignore[union-attr]
    # hi from 30 to 40 points, en keeps the rest.
    assert SEARCHES.more_of("hi", 0.1).languages == pytest.approx({"en": 0.6, "hi": 0.4})
    with pytest.raises(InputError, match="no sw, only en, hi"):
        SEARCHES.more_of("sw", 0.1)


def test_a_faulty_demand_names_everything() -> None:
    with pytest.raises(InputError) as caught:
        Demand(kinds={"search": 1.0, "chat": 1.0}, languages={"en": 0.5, "sw": -0.5}, query_tokens={"en": [5]}, depth=3)
    for words in ("chat: a request", "languages: shares", "query_tokens has no sample of sw", "pair_tokens has no"):
        assert words in str(caught.value)


# -- arithmetic --------------------------------------------------------------------------------------------------


def test_replicas_by_hand() -> None:
    # 100 a second, 12 each: with 30% headroom 100 / 8.4 = 11.9, so 12; N + 1 is 9 + 1 = 10. Load 100 / 144; 100 / 132.
    plan = replicas_for(100, 12, headroom=0.3, spare=1)
    assert (plan.count, plan.for_headroom, plan.for_loss) == (12, 12, 10)
    assert (plan.load, plan.load_after_loss) == pytest.approx((100 / 144, 100 / 132))
    # 5 a second of 12: one would do, but N + 1 wants another.
    plan = replicas_for(5, 12)
    assert (plan.count, plan.for_headroom, plan.for_loss) == (2, 1, 2)
    # Exactly two, and no third for a rounding error: 0.6 / 0.1 / 3.
    assert replicas_for(0.6, 0.3, headroom=0.0, spare=0).count == 2


def test_cost_by_hand() -> None:
    # 3 replicas at 0.5 an hour, 10 a second: 1.5 for 36,000 requests, 41.67 for a million.
    assert cost_per_million(3, 0.5, 10.0) == pytest.approx(1.5 / 36_000 * 1e6)


def test_a_daily_profile() -> None:
    assert peak_and_mean({hour: 48.0 if hour == 20 else 2.0 for hour in range(24)}) == pytest.approx((48.0, 94 / 24))
    with pytest.raises(InputError, match="hours 0 to 23"):
        peak_and_mean(dict.fromkeys(range(23), 1.0))


def test_numbers_out_of_range_are_all_named() -> None:
    with pytest.raises(InputError, match=r"peak 0.*headroom is 1.*-1 spare"):
        replicas_for(0, 5, headroom=1.0, spare=-1)
    with pytest.raises(InputError, match="replicas and rate must be above 0"):
        cost_per_million(1, 1.0, 0.0)
    with pytest.raises(InputError, match=r"percentile is 101.*latency is 0 s.*goodput is 2"):
        Slo(101, 0.0, goodput=2)


# -- what breaks first -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layout() -> ServerLayout:
    return whole_server()


def test_sensitivity_finds_what_costs_most(layout: ServerLayout) -> None:
    runs = Runs(requests=150, repeats=3, precision=0.02)
    slo = Slo(99, 1.0)
    base = highest_rate(SEARCHES, layout, slo, runs)
    assert base.busiest in ("reranker", "rerank", "cores")
    changes = demand_changes(SEARCHES, layout)
    assert sorted(changes) == ["+10 points of en", "+10 points of hi", "one more candidate", "texts 10% longer"]
    changes["half the candidates"] = (SEARCHES.deeper(-8), layout)
    changes["an impossible depth"] = (SEARCHES.deeper(400), layout)
    found = {change.name: change for change in what_if(base, changes, slo, runs)}
    assert next(iter(found)) == "an impossible depth"
    assert (found["an impossible depth"].rate, found["an impossible depth"].relative) == (0.0, -1.0)
    # English texts are shorter than Hindi ones: more of the one helps, more of the other costs.
    assert found["+10 points of en"].relative > 0 > found["+10 points of hi"].relative
    assert found["texts 10% longer"].relative < -0.04
    assert found["half the candidates"].is_decided
    assert found["half the candidates"].relative > 0.7
    assert found["half the candidates"].low <= found["half the candidates"].relative


def test_a_base_of_other_runs_is_refused(layout: ServerLayout) -> None:
    base = highest_rate(QUERIES, layout, Slo(99, 0.1), Runs(requests=100, repeats=1))
    assert base.low == base.rate == base.high
    with pytest.raises(InputError, match="1 repeats, these runs 3"):
        what_if(base, {}, Slo(99, 0.1), QUICK)
