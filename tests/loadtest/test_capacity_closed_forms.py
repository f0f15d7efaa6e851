"""The formulas against textbook values, and against each other where they meet."""

from __future__ import annotations

import math

import pytest

from interlingua.base.errors import InputError
from tests.loadtest.closed_forms import (
    erlang_c,
    md1_mean_wait,
    mm1_mean_wait,
    mm1_sojourn_percentile,
    mmc_mean_wait,
)


def test_one_server_by_hand() -> None:
    # rho = 0.8, s = 1 s: W = 0.8 / 0.2 = 4 s, with constant service half of it; the sojourn is exponential, mean 5 s.
    assert mm1_mean_wait(0.8, 1.0) == pytest.approx(4.0)
    assert md1_mean_wait(0.8, 1.0) == pytest.approx(2.0)
    assert mm1_sojourn_percentile(0.8, 1.0, 50) == pytest.approx(5 * math.log(2))
    assert mm1_sojourn_percentile(0.8, 1.0, 99) == pytest.approx(5 * math.log(100))


def test_two_servers_by_hand() -> None:
    # a = 1, c = 2: P0 = 1 / (1 + 1 + (1/2) / (1 - 1/2)) = 1/3, C = (1/2) / (1 - 1/2) P0 = 1/3, W = C s / (2 - 1) = 1/3.
    assert erlang_c(1.0, 1.0, 2) == pytest.approx(1 / 3)
    assert mmc_mean_wait(1.0, 1.0, 2) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("offered", "servers"), [(0.5, 1), (2.5, 4), (9.0, 10), (45.0, 50)])
def test_erlang_c_is_the_sum_it_is_defined_by(offered: float, servers: int) -> None:
    tail = offered**servers / math.factorial(servers) / (1 - offered / servers)
    below = sum(offered**count / math.factorial(count) for count in range(servers))
    assert erlang_c(offered, 1.0, servers) == pytest.approx(tail / (below + tail))


def test_one_of_many_servers_is_mm1() -> None:
    assert mmc_mean_wait(0.7, 1.0, 1) == pytest.approx(mm1_mean_wait(0.7, 1.0))


def test_an_overloaded_queue_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="3 servers 100% busy"):
        mmc_mean_wait(3.0, 1.0, 3)
    with pytest.raises(InputError, match="must be above 0"):
        md1_mean_wait(0.0, 1.0)
    with pytest.raises(InputError, match="percentile is 100"):
        mm1_sojourn_percentile(0.5, 1.0, 100)
