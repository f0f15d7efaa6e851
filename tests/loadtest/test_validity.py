"""Synthetic runs that have one fault each, and are found to have that one and no other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest

from interlingua_loadtest.record.record import ProcessSample
from interlingua_loadtest.record.request_columns import Processes, Requests
from interlingua_loadtest.record.validity import GENERATOR_FAULTS, ValidityBounds, judge
from interlingua_loadtest.record.warm_up import mser, ranks
from interlingua_loadtest.record.windows import relative_latency
from interlingua_loadtest.traffic.schedule import poisson

Floats = npt.NDArray[np.float64]

SECONDS = 60.0
RATE = 50.0


@dataclass
class Run:
    """A run to be spoiled: Poisson arrivals, log-normal service times of 20 ms, everything sent at its time."""

    seed: int = 1
    rate: float = RATE
    seconds: float = SECONDS
    due: Floats = field(init=False)
    sent: Floats = field(init=False)
    took: Floats = field(init=False)
    status: npt.NDArray[np.str_] = field(init=False)
    kind: npt.NDArray[np.str_] = field(init=False)
    cpu: list[ProcessSample] = field(init=False)

    def __post_init__(self) -> None:
        self.due = poisson(self.rate, self.seconds, self.seed)
        self.sent = self.due + 0.0005
        self.took = np.random.default_rng(self.seed + 1000).lognormal(np.log(0.02), 0.3, len(self.due))
        self.status = np.full(len(self.due), "ok", dtype="U10")
        self.kind = np.full(len(self.due), "search", dtype="U14")
        self.cpu = [
            ProcessSample(time_s=t / 2, pid=7, name="generator:python", cpu_share=0.3, rss_mb=50.0)
            for t in range(int(2 * self.seconds))
        ]

    @property
    def requests(self) -> Requests:
        number = len(self.due)
        whole, words = np.zeros(number, np.int64), np.full(number, "en")
        unknown = np.full(number, np.nan)
        finished = self.sent + self.took
        columns = dict.fromkeys(Requests.__annotations__, unknown) | dict.fromkeys(
            ("language", "query_kind", "detail"), words
        )
        columns |= dict.fromkeys(("depth", "tokens", "pairs", "worker"), whole)
        ends = {"scheduled_s": self.due, "sent_s": self.sent, "finished_s": finished, "status": self.status}
        return Requests(**columns | ends | {"number": np.arange(number), "kind": self.kind})

    def faults(self) -> tuple[str, ...]:
        return judge(self.requests, Processes.of(self.cpu)).kinds


@pytest.fixture
def run() -> Run:
    return Run()


def test_a_sound_run_is_valid(run: Run) -> None:
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert (verdict.is_valid, verdict.reasons, verdict.kinds, verdict.is_void) == (True, (), (), False)
    assert verdict.warm_up_s < 0.2 * SECONDS
    # Six windows, without gaps, from the warm-up's end to the last arrival.
    assert len(verdict.windows) == 6
    assert verdict.windows[0].start_s == verdict.warm_up_s
    assert verdict.windows[-1].end_s == run.due[-1]
    for earlier, later in zip(verdict.windows, verdict.windows[1:], strict=False):
        assert earlier.end_s == later.start_s
    for window in verdict.windows:
        assert window.throughput == pytest.approx(RATE, rel=0.3)
        assert window.offered == pytest.approx(window.throughput, rel=0.05)
        assert window.latency_s == pytest.approx(0.0205, rel=0.1)
        assert window.generator_cpu == pytest.approx(0.3)


def test_sound_runs_are_hardly_ever_refused() -> None:
    verdicts = [Run(seed, rate).faults() for seed in range(30) for rate in (5.0, 50.0)]
    assert sum(1 for kinds in verdicts if kinds) <= 2


def test_a_warm_up_is_left_out(run: Run) -> None:
    run.took[run.due < 9] *= 3
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert verdict.is_valid
    assert 8.5 <= verdict.warm_up_s <= 15


def test_a_warm_up_of_refusals_is_left_out(run: Run) -> None:
    run.status[run.due < 6] = "away"
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert verdict.is_valid
    assert 5.5 <= verdict.warm_up_s <= 12


def test_a_stall_is_no_warm_up(run: Run) -> None:
    """Whoever comes while the server stands still from 20 s to 22 s waits until 22 s."""
    stalled = (run.due > 20) & (run.due < 22)
    run.took[stalled] += 22 - run.due[stalled]
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert verdict.is_valid
    assert verdict.warm_up_s < 15
    measured = run.requests.where(run.due >= verdict.warm_up_s)
    assert np.percentile(measured.latency_s, 99) > 1


def test_a_warm_up_that_does_not_end_in_the_first_half(run: Run) -> None:
    run.took *= np.where(run.due < 36, 4 - run.due / 12, 1)
    assert run.faults() == ("warm-up",)


def test_latency_that_grows_at_the_end_is_no_steady_state(run: Run) -> None:
    run.took *= np.where(run.due > 50, 1 + (run.due - 50) / 10, 1)
    assert run.faults() == ("unsteady",)


def test_throughput_that_falls_at_the_end_is_no_steady_state(run: Run) -> None:
    late = np.flatnonzero(run.due > 50)
    run.status[late[::3]] = "rejected"
    assert run.faults() == ("unsteady",)


def test_a_change_within_the_bound_is_steady(run: Run) -> None:
    run.took *= np.where(run.due > 50, 1.05, 1)
    assert run.faults() == ()


def test_more_than_the_server_can_do_is_no_fault_of_the_generator(run: Run) -> None:
    """One server of 25 ms, asked 50 times a second."""
    free = 0.0
    for row, due in enumerate(run.due):
        free = max(free, due) + 0.025
        run.took[row] = free - run.sent[row]
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert set(verdict.kinds) == {"warm-up", "unsteady"}
    assert not verdict.is_void


def test_a_generator_that_lags(run: Run) -> None:
    run.sent[::50] += 0.02
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert verdict.kinds == ("lag",)
    assert verdict.is_void
    assert "sent 20.5 ms after their time or later (10 ms are taken)" in verdict.reasons[0]


def test_a_few_late_ones_are_taken(run: Run) -> None:
    run.sent[::200] += 0.02
    assert run.faults() == ()


def test_a_generator_at_its_limit(run: Run) -> None:
    run.cpu = [replace(sample, cpu_share=0.97 if sample.time_s > 50 else 0.5) for sample in run.cpu]
    assert run.faults() == ("cpu",)
    # The mean of two processes is not what counts: one of them was the bottleneck.
    run.cpu += [replace(sample, pid=8, cpu_share=0.1) for sample in run.cpu]
    assert run.faults() == ("cpu",)


def test_a_busy_server_is_no_busy_generator(run: Run) -> None:
    run.cpu += [
        ProcessSample(time_s=sample.time_s, pid=9, name="server:tritonserver", cpu_share=1.9, rss_mb=900.0)
        for sample in run.cpu
    ]
    run.cpu[0] = replace(run.cpu[0], cpu_share=float("nan"))
    assert run.faults() == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: run.took.__setitem__(5, -0.001),
        lambda run: run.sent.__setitem__(2000, run.due[2000] - 0.01),
        lambda run: run.due.__setitem__(0, -2.0),
        lambda run: run.due.__setitem__(3, np.nan),
        lambda run: run.took.__setitem__(5, np.nan),
        lambda run: run.status.__setitem__(5, "unsent"),
    ],
    ids=["answered before sent", "sent before due", "due before the run", "never due", "never answered", "unsent"],
)
def test_times_that_cannot_be(run: Run, spoil: object) -> None:
    assert callable(spoil)
    spoil(run)
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert verdict.kinds == ("clock",)
    assert f"1 of {len(run.due)} requests" in verdict.reasons[0]


def test_a_request_without_an_answer_needs_no_end(run: Run) -> None:
    run.took[7], run.status[7] = np.nan, "error"
    assert run.faults() == ()


def test_requests_that_were_not_sent(run: Run) -> None:
    run.sent[::500], run.status[::500] = np.nan, "unsent"
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert verdict.kinds == ("unsent",)
    assert verdict.is_void


def test_one_in_two_thousand_may_stay_unsent(run: Run) -> None:
    run.sent[2500], run.status[2500] = np.nan, "unsent"
    assert run.faults() == ()


def test_a_run_of_a_few_requests(run: Run) -> None:
    assert Run(rate=1.0, seconds=60.0).faults() == ("short",)
    nothing = run.requests.where(run.due < 0)
    assert judge(nothing, Processes.of([])).kinds == ("short",)


def test_a_server_that_refuses_everything_is_measured_all_the_same(run: Run) -> None:
    run.status[:] = "rejected"
    assert run.faults() == ()


def test_all_at_once_has_no_steady_state_to_be_asked_for(run: Run) -> None:
    run.due[:] = 0.0
    run.sent = np.linspace(0, 30, len(run.due))
    run.took *= np.linspace(1, 5, len(run.due))
    assert judge(run.requests, Processes.of(run.cpu), offline=True).kinds == ()
    run.cpu = [replace(sample, cpu_share=0.95) for sample in run.cpu]
    assert judge(run.requests, Processes.of(run.cpu), offline=True).kinds == ("cpu",)


def test_a_mix_of_quick_and_slow_requests_is_steady(run: Run) -> None:
    """Searches take ten times as long; their share in a window varies, and is no change of the server."""
    slow = np.random.default_rng(3).random(len(run.due)) < 0.5
    run.kind[~slow] = "embed_query"
    run.took[slow] *= 10
    assert run.faults() == ()
    relative = relative_latency(run.requests)
    assert np.median(relative[slow]) == pytest.approx(1, abs=0.01)
    assert np.median(relative[~slow]) == pytest.approx(1, abs=0.01)


def test_faults_come_together(run: Run) -> None:
    run.sent[::50] += 0.02
    run.sent[::499], run.status[::499] = np.nan, "unsent"
    verdict = judge(run.requests, Processes.of(run.cpu))
    assert set(verdict.kinds) == {"lag", "unsent"} <= set(GENERATOR_FAULTS)
    assert len(verdict.reasons) == 2


def test_bounds_are_the_caller_s(run: Run) -> None:
    run.sent[::50] += 0.02
    assert judge(run.requests, Processes.of(run.cpu), bounds=ValidityBounds(lag_p99_s=0.05)).is_valid


def test_mser_is_the_least_squared_standard_error() -> None:
    # 9 then 1 2 1 2 ...: of d = 0, 1, 2, ... left out, sum of squares over (n - d) squared.
    values = np.array([9.0, 1, 2, 1, 2, 1, 2, 1, 2, 1])
    by_hand = [sum((v - np.mean(values[d:])) ** 2 for v in values[d:]) / (10 - d) ** 2 for d in range(6)]
    assert mser(values) == int(np.argmin(by_hand)) == 1


def test_ranks_are_means_where_values_are_equal() -> None:
    assert ranks(np.array([5.0, np.nan, 1.0, 5.0, np.inf])).tolist() == [2.5, 2.5, 1.0, 2.5, 4.0]
