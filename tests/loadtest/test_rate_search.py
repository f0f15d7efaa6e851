"""The search for the highest rate, against queues whose limit has a formula, and against a server that works in series.

A lone server with a constant service time is M/D/1. Its waiting time has the distribution

    P(W <= t) = (1 - rho) sum over k = 0 ... floor(t / D) of exp(rate (t - k D)) (-rate (t - k D))^k / k!

(A. K. Erlang 1909; V. B. Iversen, Teletraffic Engineering Handbook, chapter on M/D/n), and a request takes W + D.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from interlingua.base.errors import ServerError
from interlingua.base.paths import PROJECT_ROOT
from interlingua.base.plain import plain
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.capacity.simulate.workload import Workload
from interlingua_loadtest.rate_search.bisection import ImpossibleSloError, NotEnclosedError, bisect, enclose
from interlingua_loadtest.rate_search.found_rate import INTERRUPTED, FoundRate, line
from interlingua_loadtest.rate_search.lone_requests import impossible, lone_offer
from interlingua_loadtest.rate_search.rate_interval import limit_interval
from interlingua_loadtest.rate_search.rate_runs import OfferRuns
from interlingua_loadtest.rate_search.rate_try import Offer, Try, verdict_of
from interlingua_loadtest.rate_search.search import RateSearch
from interlingua_loadtest.record.request_columns import Processes, Requests
from interlingua_loadtest.record.run_folder import RunFolder
from interlingua_loadtest.record.run_summary import RunSummary
from interlingua_loadtest.record.slo import Slo
from interlingua_loadtest.record.validity import FaultKind, judge
from interlingua_loadtest.traffic import schedule
from interlingua_loadtest.traffic.run_settings import RunSettings, SearchPlan
from tests.loadtest.capacity_layouts import queue
from tests.loadtest.test_open_loop import stub

SERVICE_S = 0.010
SLO = Slo(99, 0.050)


def md1_wait_share(rate: float, seconds: float) -> float:
    """Share of the requests that wait for so long at most."""
    steps = range(math.floor(seconds / SERVICE_S + 1e-9) + 1)
    ahead = [rate * (seconds - step * SERVICE_S) for step in steps]
    terms = (math.exp(lead) * (-lead) ** step / math.factorial(step) for step, lead in zip(steps, ahead, strict=True))
    return (1 - rate * SERVICE_S) * sum(terms)


LIMIT = float(brentq(lambda rate: md1_wait_share(rate, SLO.limit_s - SERVICE_S) - SLO.percent / 100, 1, 99))
"""56.1 requests a second: at 100, the server would be busy all the time."""


def recorded(arrived: Any, finished: Any, *, sent: Any = None, status: Any = "ok") -> Requests:
    """A record as it would be written; finished is NaN where there was no answer."""
    count = len(arrived)
    words: dict[str, Any] = {name: np.full(count, "", "U12") for name in ("language", "query_kind", "detail")}
    whole: dict[str, Any] = {
        name: np.zeros(count, np.int64) for name in ("depth", "tokens", "pairs", "stored", "worker")
    }
    stages = ("queue_s", "tokenize_s", "compute_s", "network_s", "ann_s", "documents_s", "language_s", "rerank_s")
    return Requests(
        number=np.arange(count),
        kind=np.full(count, "embed_query"),
        scheduled_s=arrived,
        sent_s=arrived if sent is None else sent,
        finished_s=finished,
        status=np.broadcast_to(np.asarray(status, "U12"), count),
        **words,
        **whole,
        **{name: np.full(count, math.nan) for name in stages},
    )


def tried(offer: Offer, requests: Requests, slo: Slo = SLO, in_flight: int = 2000) -> Try:
    """Judged as a recorded run is."""
    validity = judge(requests, Processes.of([]))
    summary = RunSummary.of(requests, validity.warm_up_s, offer.seconds, slo)
    return Try.of(offer, requests, summary, validity, slo, folder=f"rate-{offer.rate:g}", in_flight=in_flight)


def arrivals(offer: Offer) -> Any:
    if offer.lone:
        return schedule.constant(offer.rate, offer.seconds)
    return schedule.poisson(offer.rate, offer.seconds, offer.seed)


def simulated(offer: Offer) -> Try:
    """The plain queue of the capacity simulator: a thousand tokens take 10 ms."""
    arrived = arrivals(offer)
    timeline = simulate(Workload.of(arrived, [[1000]] * len(arrived)), queue(1))
    return tried(offer, recorded(arrived, timeline.finished))


def in_series(offer: Offer) -> Any:
    """When one server after another is done, without the simulator: each begins when it came, or the last one ended."""
    arrived, number = arrivals(offer), np.arange(int(arrivals(offer).size))
    return arrived, np.maximum.accumulate(arrived - number * SERVICE_S) + (number + 1) * SERVICE_S


def answer(offer: Offer, *, held: bool, kinds: tuple[FaultKind, ...] = (), **others: Any) -> Try:
    """A run that came to this, without requests."""
    verdict = verdict_of(kinds, held=held)
    seconds = dict.fromkeys(("p50_s", "p99_s", "mean_s", "objective_s"), 0.01)
    made = Try(
        **offer._asdict(),
        **seconds,
        folder="",
        requests=100,
        statuses={"ok": 100},
        held=held,
        goodput=1.0,
        kinds=kinds,
        reasons=(),
        verdict=verdict,
    )
    return replace(made, **others)


def search(run: Callable[[Offer], Try], slo: Slo = SLO, **plan: Any) -> tuple[FoundRate, list[FoundRate]]:
    kept: list[FoundRate] = []
    return RateSearch(run, slo, SearchPlan(**plan), kept.append).find(), kept


# -- against theory ----------------------------------------------------------------------------------------------


def test_the_rate_is_that_of_md1() -> None:
    """Erlang's formula gives 56.1 a second. Runs of 6,000 requests; the last step is 5%, and chance adds some."""
    found, kept = search(simulated, seconds=120)
    assert found.stopped is None
    assert found.rate is not None
    assert found.rate == pytest.approx(LIMIT, rel=0.1)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.rate <= found.high
    assert found.low < LIMIT < found.high < 1.35 * found.low
    lone, *others = found.tries
    assert lone.lone
    assert lone.p99_s == pytest.approx(SERVICE_S, rel=2e-3)
    assert others[0].rate == pytest.approx(0.5 / SERVICE_S)
    assert len({made.seed for made in others if made.verdict != "undecided"}) >= len({made.rate for made in others}) * 2
    assert [len(known.tries) for known in kept] == [*range(1, len(found.tries) + 1), len(found.tries)]


def test_the_interval_has_the_limit_as_often_as_it_says() -> None:
    """Of 50 searches, each with seeds of its own, at least 45 contain it; with 95% of them, fewer than 44 are 1.2%."""
    hits = 0
    for number in range(50):

        def run(offer: Offer) -> Try:
            arrived, finished = in_series(offer)
            return answer(offer, held=SLO.holds((finished - arrived)[len(arrived) // 10 :]))

        start = 30 * 1.02**number
        found, _ = search(run, seconds=60, seed=1000 * number, start_rate=start)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= LIMIT <= found.high
    assert hits >= 45
    assert binom.cdf(43, 50, 0.95) < 0.013


def test_all_yes_or_all_no_has_no_interval() -> None:
    assert limit_interval([10, 20], [True, True]) is None
    assert limit_interval([10, 20], [False, False]) is None


def test_more_tries_narrow_the_interval() -> None:
    """Held at 40, missed at 60: the middle of the two, on a logarithmic scale, is 49.0."""
    few = limit_interval([40, 60], [True, False])
    many = limit_interval([40, 46, 52, 60], [True, True, False, False])
    assert few is not None
    assert many is not None
    assert few[0] < many[0] < math.sqrt(40 * 60) < many[1] < few[1]
    assert math.sqrt(few[0] * few[1]) == pytest.approx(math.sqrt(40 * 60), rel=0.01)


# -- what a run says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "held", "verdict"),
    [
        ((), True, "held"),
        ((), False, "missed"),
        (("unsteady",), False, "missed"),
        (("warm-up",), True, "undecided"),
        (("short",), False, "undecided"),
        (("unsteady", "cpu"), False, "void"),
        (("lag",), True, "void"),
    ],
)
def test_verdicts(kinds: tuple[FaultKind, ...], held: bool, verdict: str) -> None:
    assert verdict_of(kinds, held=held) == verdict


def test_a_server_that_lets_everybody_wait_is_not_the_generators_fault() -> None:
    """100 a second on a server of 50 a second: 20 greenlets are soon all waiting, and the rest is sent late.

    Each is sent when the 20th before it has its answer, 20 x 20 ms = 0.4 s from sending to the answer.
    """
    arrived = schedule.constant(100, 10)
    finished = 0.02 * (np.arange(1000) + 1)
    sent = np.maximum(arrived, np.concatenate([np.zeros(20), finished[:-20]]))
    offer = Offer(100, 1, 10)
    made = tried(offer, recorded(arrived, finished, sent=sent), in_flight=20)
    assert "lag" in made.kinds
    assert made.verdict == "missed"
    # With greenlets to spare, the same lateness is the generator's; so it is where answers came in time after sending.
    assert tried(offer, recorded(arrived, finished, sent=sent), in_flight=21).verdict == "void"
    assert tried(offer, recorded(arrived, sent + 0.01, sent=sent), in_flight=1).verdict == "void"


def test_rejected_and_late_are_misses_degraded_are_not() -> None:
    arrived = schedule.constant(50, 20)
    status = np.full(1000, "ok", "U12")
    status[::10] = "degraded"
    fine = tried(Offer(50, 1, 20), recorded(arrived, arrived + 0.01, status=status))
    assert (fine.verdict, fine.goodput) == ("held", 1.0)
    assert "degraded 100" in line(fine)
    status[5::50], status[6::50] = "rejected", "deadline"
    worse = tried(Offer(50, 1, 20), recorded(arrived, arrived + 0.01, status=status))
    assert worse.goodput == pytest.approx(0.96, abs=0.005)
    assert worse.verdict == "missed"
    assert worse.objective_s is None
    assert "rejected" in line(worse)
    assert "deadline" in line(worse)
    lax = Slo(90, 0.05, goodput=0.95)
    assert tried(Offer(50, 1, 20), recorded(arrived, arrived + 0.01, status=status), lax).verdict == "held"


# -- how a search goes on ----------------------------------------------------------------------------------------


def test_a_rate_is_asked_until_most_agree() -> None:
    """Limit 70, start 40: 40 and 80, then 56.57, 67.27 and so on; twice each, three times where a try is odd."""
    odd = {Offer(80, 3, 60), Offer(80, 4, 60)}

    def run(offer: Offer) -> Try:
        return answer(offer, held=(offer.rate < 70) != (offer in odd and offer.seed == 3))

    found, _ = search(run, start_rate=40.0, precision=0.1)
    rates = [made.rate for made in found.tries if not made.lone]
    assert rates == [40, 40, 80, 80, 80, 56.57, 56.57, 67.27, 67.27, 73.36, 73.36]
    assert [made.seed for made in found.tries if not made.lone] == list(range(1, 12))
    assert found.rate == 67.27
    assert "held in 2 of 2 tries" in found.lines()[0]


def test_lone_requests_that_miss_already_end_it() -> None:
    """20 a second, each alone, takes 10 ms: p99=9ms is impossible, and so said after one run."""
    kept: list[FoundRate] = []
    slo = Slo(99, 0.009)

    def run(offer: Offer) -> Try:
        return tried(offer, recorded(*in_series(offer)), slo)

    with pytest.raises(ImpossibleSloError, match="no rate holds p99=9ms: p99 of lone requests is 10 ms already"):
        RateSearch(run, slo, SearchPlan(), kept.append).find()
    assert len(kept[-1].tries) == 1
    assert kept[-1].stopped is not None


def test_a_slow_first_answer_is_not_the_end() -> None:
    """Of 30, P(1 or more late) is 26% where 1% may be, P(2) 3.6%, P(3) 0.3%."""
    offer = lone_offer(SLO, 1)
    arrived = arrivals(offer)
    assert len(arrived) == 30

    def lone(late: int) -> Try:
        took = np.where(np.arange(30) < late, 0.06, 0.01)
        return tried(offer, recorded(arrived, arrived + took))

    assert impossible(lone(2), SLO) == ""
    assert impossible(lone(3), SLO) == "p99 of lone requests is 60 ms already"
    refused = tried(offer, recorded(arrived, arrived + 0.01, status="rejected"))
    assert impossible(refused, SLO) == "30 of 30 lone requests have no answer (rejected 30)"


def test_lone_requests_in_time_though_sent_late() -> None:
    """30 requests and one late one make a run void: not of lone requests that are in time nonetheless."""
    found, _ = search(lambda offer: answer(offer, held=offer.rate < 70, kinds=("lag",) if offer.lone else ()))
    assert [made.lone for made in found.tries].count(True) == 1
    assert found.stopped is None
    with_late, _ = search(lambda offer: answer(offer, held=False, kinds=("lag",)))
    assert with_late.stopped is not None
    assert with_late.stopped.startswith("the generator is the limit already at 10/s")
    assert len(with_late.tries) == 2


def test_an_objective_hardly_above_a_lone_request_ends() -> None:
    """Lone requests are in time, and no other rate is: from 50 down to a twentieth of 10 a second, then words."""
    with pytest.raises(ImpossibleSloError, match=r"not even 0\.781/s: it is hardly above what a lone request takes"):
        search(lambda offer: answer(offer, held=offer.lone))


def test_a_generator_that_is_too_slow_is_named() -> None:
    """It sends 70 a second at most, and the server holds more: what was held below stands, and has no upper end."""

    def run(offer: Offer) -> Try:
        return answer(offer, held=True, kinds=("lag",) if offer.rate > 70 else ())

    found, _ = search(run, start_rate=40.0)
    assert found.rate is not None
    assert 66 < found.rate <= 70
    assert (found.low, found.high) == (None, None)
    assert found.stopped is not None
    assert found.stopped.startswith("the generator is the limit at 7")
    assert "its limit was not reached" in found.lines()[0]
    # Once might have been chance, so every such rate was asked for twice.
    void = [made.rate for made in found.tries if made.verdict == "void"]
    assert all(void.count(rate) == 2 for rate in void)


def test_a_generator_that_was_late_once_is_no_limit() -> None:
    asked: list[Offer] = []

    def run(offer: Offer) -> Try:
        asked.append(offer)
        return answer(offer, held=offer.rate < 70, kinds=("lag",) if asked.count(offer) == 1 else ())

    found, _ = search(run, start_rate=40.0)
    assert found.stopped is None
    assert found.rate is not None
    assert 66 < found.rate < 70


def test_what_holds_without_a_steady_state_is_asked_for_longer() -> None:
    """At 60 the queue grows, though slowly: it holds for a minute and for two, and is not sustained."""

    def run(offer: Offer) -> Try:
        return answer(offer, held=offer.rate < 70, kinds=("unsteady",) if offer.rate > 50 else ())

    found, _ = search(run, start_rate=40.0, precision=0.5)
    assert found.rate == 40
    twice = [(made.seconds, made.verdict) for made in found.tries if made.rate == 56.57]
    assert twice == [(60, "undecided"), (120, "missed")] * 2


def test_low_rates_get_longer_runs() -> None:
    """240 requests at half a request a second take 480 s; p99.9 needs 2,000 to have two that may miss."""
    found, _ = search(lambda offer: answer(offer, held=offer.rate < 0.6), Slo(99, 5.0), start_rate=0.5, precision=1.0)
    assert {made.seconds for made in found.tries if made.rate == 0.5} == {480}
    found, _ = search(lambda offer: answer(offer, held=offer.rate < 15), Slo(99.9, 5.0), start_rate=10.0, precision=1.0)
    assert {made.seconds for made in found.tries if made.rate == 10} == {200}


def test_it_ends_at_the_most_runs() -> None:
    found, kept = search(simulated, seconds=20, most_runs=5)
    assert len(found.tries) == 5
    assert found.stopped == "5 runs were made, which are the most that were asked for"
    assert found.rate == 50
    assert kept[-1] == found


@pytest.mark.parametrize("fault", [ServerError("the server went away"), KeyboardInterrupt()], ids=["dead", "ctrl-c"])
def test_what_was_measured_is_kept(tmp_path: Path, fault: BaseException) -> None:
    """The third run of a rate does not come back; search.json has the two before it and the lone one."""
    file = tmp_path / "run" / "search.json"

    def run(offer: Offer) -> Try:
        if offer.seed == 3:
            raise fault
        return answer(offer, held=True)

    searching = RateSearch(run, SLO, SearchPlan(start_rate=40.0), lambda found: found.write(file))
    if isinstance(fault, ServerError):
        with pytest.raises(ServerError):
            searching.find()
    else:
        assert searching.find().stopped == INTERRUPTED
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert [made["verdict"] for made in kept["tries"]] == ["held"] * 3
    assert (kept["rate"], kept["low"], kept["high"]) == (40, None, None)
    assert kept["stopped"] == (str(fault) or INTERRUPTED)
    assert [path.name for path in file.parent.iterdir()] == ["search.json"]


# -- the steps that the simulated search shares ------------------------------------------------------------------


def test_enclosing_and_halving() -> None:
    """Limit 10, from 3 by doubling: 6 and 12. Middles 8.49, 10.1, 9.26, and 9.66: 10.1 / 9.66 is below 1.05."""
    low, high = enclose(lambda value: value < 10, 3, step=2.0)
    assert (low, high) == (6, 12)
    low, high = bisect(lambda value: value < 10, low, high, precision=0.05)
    assert [low, high] == pytest.approx([6 * 2**0.6875, 6 * 2**0.75])
    assert enclose(lambda value: value < 10, 100, step=2.0) == (6.25, 12.5)


@pytest.mark.parametrize("held", [True, False])
def test_what_is_not_enclosed(held: bool) -> None:
    with pytest.raises(NotEnclosedError) as error:
        enclose(lambda _: held, 8.0, step=2.0, floor=1.0, most_steps=5)
    assert error.value.held is held
    assert (error.value.high if held else error.value.low) == (256 if held else 1)


# -- a server that works -----------------------------------------------------------------------------------------


@pytest.mark.load
def test_a_server_of_ten_milliseconds_a_request(tmp_path: Path) -> None:
    """In series, it answers 100 a second at most; p90 of a queue that only grows is beyond 100 ms in seconds."""
    slo = Slo(90, 0.1)
    with stub("--work-ms", "10") as (target, _):
        runs = OfferRuns(RunSettings(rate=1.0), target, tmp_path, slo)
        plan = SearchPlan(seconds=2, tries=1, precision=1.0, start_rate=60.0, most_runs=7)
        found = RateSearch(runs, slo, plan, lambda found: found.write(tmp_path / "search.json")).find()
    kept = json.loads((tmp_path / "search.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(plain(found)))
    assert found.tries[0].folder == "lone-1"
    for made in found.tries:
        record = RunFolder(tmp_path / made.folder)
        assert (record.settings["rate"], record.settings["seed"]) == (made.rate, made.seed)
        assert record.settings["schedule"] == ("constant" if made.lone else "poisson")
        assert (made.p50_s or 1.0) >= SERVICE_S
        if made.rate >= 120:
            assert made.verdict in ("missed", "void")
    # A busy machine makes the generator late; then the search says so.
    assert found.rate is not None or found.stopped is not None
    assert (found.rate or 0.0) < 105


@pytest.mark.load
def test_a_server_that_dies_leaves_what_was_found(tmp_path: Path) -> None:
    """Killed in the second run: exit code 4, in words, with the lone requests' run in search.json."""
    out = tmp_path / "run"
    with stub() as (target, server):
        command = [sys.executable, "-m", "interlingua", "loadtest", "--server", target.server, "--slo", "p90=100ms"]
        command += ["--seconds", "5", "--start-rate", "40", "--out", str(out), "--json"]
        with subprocess.Popen(
            command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            while not list(out.glob("rate-40-1/requests.parquet/[!.]*.parquet")):
                assert process.poll() is None
                time.sleep(0.05)
            server.kill()
            stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 4, stderr
    assert "error: the server went away during" in stderr
    assert "Traceback" not in stderr
    assert json.loads(stdout)["tries"] == json.loads((out / "search.json").read_text(encoding="utf-8"))["tries"]
    assert [made["folder"] for made in json.loads(stdout)["tries"]] == ["lone-1"]
    assert len(RunFolder(out / "rate-40-1").requests()) == pytest.approx(200, abs=80)
