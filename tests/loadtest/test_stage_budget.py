"""Where the time goes, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from interlingua_loadtest.record.request_columns import Requests
from interlingua_loadtest.report.stage_budget import SEARCH_STAGES, band, budget, budgets, length_bands
from tests.loadtest.written_runs import outcome


@pytest.mark.parametrize(
    ("number", "percent", "expected"),
    [
        (1000, 50, range(450, 550)),  # 5 points to each side
        (1000, 99, range(985, 995)),  # half a point to each side: ten of a thousand
        (
            100,
            99,
            range(95, 100),
        ),  # one would be too few: the five at the end
        (100, 50, range(45, 55)),
        (3, 99, range(3)),
    ],
)
def test_the_band_about_a_percentile(number: int, percent: float, expected: range) -> None:
    shuffled = np.random.default_rng(1).permutation(number)
    assert sorted(shuffled[band(shuffled.astype(float), percent)].tolist()) == list(expected)


def test_a_budget_by_hand() -> None:
    """Ten requests of 0.1 ... 1.0 s: one about p50 would be too few, so that it is the five of 0.3 ... 0.7 s."""
    rows = [
        outcome(n, float(n), 0.1 * (n + 1), sent_s=n + 0.01, compute_s=0.004 * n, **known)
        for n, known in enumerate([{"network_s": 0.02, "queue_s": 0.03, "tokenize_s": 0.0}] * 10)
    ]
    found = budget(Requests.of(rows), 50, "embed_query")
    assert (found.requests, found.of, found.unknown) == (5, 10, 0)
    assert [found.low_s, found.high_s] == pytest.approx([0.3, 0.7])
    assert found.latency_s == pytest.approx(0.5)
    # n is 2 to 6, 4 on average. What is left: 0.5 - 0.01 - 0.02 - 0.03 - 0.016.
    expected = {"lag": 0.01, "network": 0.02, "queue": 0.03, "tokenize": 0.0, "compute": 0.016, "client": 0.424}
    assert list(found.stages) == list(expected)
    assert found.stages == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["embed_query", "rerank", "search"])
def test_stages_add_up_exactly(kind: str) -> None:
    """To the last bit, whatever the figures are."""
    random = np.random.default_rng(7)
    names = ("network_s", "queue_s", "tokenize_s", "compute_s", "ann_s", "documents_s", "language_s", "rerank_s")
    rows = [
        outcome(
            n, n / 7, random.exponential(), kind=kind, tokens=int(random.integers(3, 60)), language=language, **times
        )
        for n in range(400)
        for language in [("de", "sw")[n % 2]]
        for times in [{name: random.exponential() / 9 for name in names}]
    ]
    found = budgets(Requests.of(rows))
    assert {entry.group for entry in found} == {"all", "language", "tokens"}
    assert len(found) == 2 * (1 + 2 + 4)
    for entry in found:
        assert math.fsum(entry.stages.values()) == entry.latency_s
        assert entry.stages["client"] != 0


def test_a_search_has_all_stages() -> None:
    names = [f"{name}_s" for name in SEARCH_STAGES if name != "lag"]
    rows = [outcome(n, float(n), 1.0, kind="search", **dict.fromkeys(names, 0.1)) for n in range(5)]
    stages = budget(Requests.of(rows), 99, "search").stages
    assert list(stages) == [*SEARCH_STAGES, "client"]
    assert stages["client"] == pytest.approx(0.2)
    assert stages["lag"] == 0


def test_unknown_stages_are_the_clients_and_counted() -> None:
    """Of five, two lack the queue's 0.1 s; compute is known of none."""
    rows = [
        outcome(n, float(n), 1.0, network_s=0.2, queue_s=0.1 if n < 3 else math.nan, tokenize_s=0.0) for n in range(5)
    ]
    found = budget(Requests.of(rows), 50, "embed_query")
    assert found.unknown == 5
    assert math.isnan(found.stages["compute"])
    assert found.stages["queue"] == pytest.approx(0.06)
    assert found.stages["client"] == pytest.approx(1.0 - 0.2 - 0.06)


def test_a_negative_rest_is_shown() -> None:
    rows = [outcome(n, float(n), 0.1, network_s=0.09, queue_s=0.03, tokenize_s=0.0, compute_s=0.0) for n in range(5)]
    assert budget(Requests.of(rows), 50, "embed_query").stages["client"] == pytest.approx(-0.02)


def test_bands_of_length() -> None:
    """Quartiles of 1 ... 8: two lengths each; equal lengths are not torn apart, unknown ones are in none."""
    bands = length_bands(np.array([1, 2, 3, 4, 5, 6, 7, 8, -1]))
    assert {name: int(rows.sum()) for name, rows in bands.items()} == {"1-2": 2, "3-4": 2, "5-6": 2, "7-8": 2}
    assert {name: int(rows.sum()) for name, rows in length_bands(np.array([7, 7, 7, 7, 9])).items()} == {"7": 4, "9": 1}
    assert length_bands(np.array([-1, -1])) == {}


def test_what_has_no_answer_is_in_no_budget() -> None:
    rows = [outcome(n, float(n), 0.1) for n in range(6)] + [outcome(6, 6.0, 9.0, status="rejected")]
    assert {entry.of for entry in budgets(Requests.of(rows))} == {6}
    assert budgets(Requests.of(rows[6:])) == []
