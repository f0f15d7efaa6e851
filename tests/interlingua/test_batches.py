"""The cut against an exhaustive search, and what it promises for any input."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.served.text.batches import cut, finish_times
from interlingua.served.text.call_cost import fit_call_cost

LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=80)


def cost(pieces: list[list[int]], lengths: list[int], overhead: float) -> float:
    return sum(overhead + len(piece) * max(lengths[i] for i in piece) for piece in pieces)


def best_by_trying_all(lengths: list[int], overhead: float, max_tokens: int, max_texts: int) -> float:
    """Cheapest of all ways to put walls between the sorted texts."""
    ordered = sorted(lengths)
    best = float("inf")
    for walls in itertools.product([False, True], repeat=len(ordered) - 1):
        pieces: list[list[int]] = [[0]]
        for position, wall in enumerate(walls, start=1):
            if wall:
                pieces.append([position])
            else:
                pieces[-1].append(position)
        fits = all(
            len(piece) == 1 or (len(piece) <= max_texts and len(piece) * ordered[piece[-1]] <= max_tokens)
            for piece in pieces
        )
        if fits:
            best = min(best, cost(pieces, ordered, overhead))
    return best


def test_cut_by_hand() -> None:
    # Together: 3 x 100 + 10 = 310. Short ones apart from the long one: (2 x 12 + 10) + (100 + 10) = 144.
    assert cut([100, 12, 10], overhead=10, max_tokens=1024, max_texts=64) == [[2, 1], [0]]


def test_an_expensive_call_joins_what_a_cheap_one_keeps_apart() -> None:
    assert len(cut([10, 20], overhead=5, max_tokens=1024, max_texts=64)) == 2
    assert len(cut([10, 20], overhead=15, max_tokens=1024, max_texts=64)) == 1


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=9),
    st.integers(0, 60),
    st.integers(20, 200),
    st.integers(1, 9),
)
def test_cut_is_the_cheapest(lengths: list[int], overhead: int, max_tokens: int, max_texts: int) -> None:
    pieces = cut(lengths, overhead, max_tokens, max_texts)
    assert cost(pieces, lengths, overhead) == best_by_trying_all(lengths, overhead, max_tokens, max_texts)


@given(LENGTHS, st.floats(0, 1000), st.integers(64, 2048), st.integers(1, 64))
def test_cut_keeps_every_text_once_and_the_bounds(
    lengths: list[int], overhead: float, max_tokens: int, max_texts: int
) -> None:
    pieces = cut(lengths, overhead, max_tokens, max_texts)
    assert sorted(i for piece in pieces for i in piece) == list(range(len(lengths)))
    for piece in pieces:
        assert len(piece) <= max_texts
        assert len(piece) == 1 or len(piece) * max(lengths[i] for i in piece) <= max_tokens


def test_fit_recovers_a_line() -> None:
    fitted = fit_call_cost([8, 64, 256], [0.002 + 0.0001 * n for n in (8, 64, 256)])
    assert fitted.call_s == pytest.approx(0.002)
    assert fitted.token_s == pytest.approx(0.0001)
    assert fitted.overhead_tokens == pytest.approx(20)


def test_the_fit_is_one_of_relative_errors() -> None:
    """Attention bends the line upwards: the short calls' fixed part of 4 ms must not get lost in the long one.

    t(8) = 5, t(64) = 13, t(256) = 66 ms; by hand, the line a + b n of least squares of (a + b n) / t - 1: with weights
    1/25, 1/169, 1/4356 the sums are w 0.046147, wn 0.757468, wn2 41.84168, wt 0.292075, wtn 10.401865; so
    b = (w wtn - wn wt) / (w wn2 - wn^2) = 0.190682 ms, a = (wt - b wn) / w = 3.19933 ms.
    """
    fitted = fit_call_cost([8, 64, 256], [0.005, 0.013, 0.066])
    assert fitted.token_s == pytest.approx(1.90682e-4, rel=1e-4)
    assert fitted.call_s == pytest.approx(3.19933e-3, rel=1e-4)


def test_calls_too_short_for_the_clock_have_a_cost() -> None:
    assert fit_call_cost([8, 64, 256], [0.0, 0.0, 0.0]).token_s > 0


def test_fit_never_goes_below_zero() -> None:
    fitted = fit_call_cost([8, 64, 256], [0.0001, 0.006, 0.03])
    assert fitted.call_s == 0
    assert fitted.token_s > 0


@pytest.mark.parametrize(
    ("lanes", "ends"),
    [(1, [3, 5, 6]), (2, [3, 2, 3]), (8, [3, 2, 1])],
)
def test_finish_times_by_hand(lanes: int, ends: list[float]) -> None:
    assert finish_times([3, 2, 1], lanes) == ends
