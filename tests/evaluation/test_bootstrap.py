"""Intervals: against a closed form, against an enumeration, and that translations are drawn together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from interlingua_evaluation.significance.bootstrap import Interval, resample
from interlingua_evaluation.systems.candidate_lists import Pair

DE_EN, EN_DE = Pair("de", "en"), Pair("en", "de")


def test_equal_values_have_no_width() -> None:
    values = np.full(6, 0.25)
    result = resample(values, [DE_EN] * 6, list("abcdef")).of_pair(DE_EN)
    assert result == Interval(pytest.approx(0.25), pytest.approx(0.25), pytest.approx(0.25))


def test_a_mean_of_many_has_the_normal_interval() -> None:
    # 400 values 0 or 1, half of each: standard error 0.5 / sqrt(400) = 0.025
    values = np.tile([0.0, 1.0], 200)
    interval = resample(values, [DE_EN] * 400, [str(number) for number in range(400)], resamples=20_000).of_pair(DE_EN)
    assert interval.mean == 0.5
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.003)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.003)


def test_translations_of_one_question_are_drawn_together() -> None:
    # The same 100 values once and nine times over: nothing new is known, so the interval must not shrink.
    values = np.random.default_rng(3).random(100)
    groups = [str(number) for number in range(100)]
    once = resample(values, [DE_EN] * 100, groups, resamples=5000).of_pair(DE_EN)
    often = resample(np.tile(values, 9), [DE_EN] * 900, groups * 9, resamples=5000).of_pair(DE_EN)
    alone = resample(np.tile(values, 9), [DE_EN] * 900, [str(n) for n in range(900)], resamples=5000).of_pair(DE_EN)
    assert often == pytest.approx(once)
    assert (alone.high - alone.low) == pytest.approx((once.high - once.low) / 3, rel=0.1)


def test_three_groups_give_all_27_draws() -> None:
    # Groups of values (0), (3, 3), (6): the mean of a draw is over its values, so the group of two counts twice.
    values, groups = np.array([0.0, 3.0, 3.0, 6.0]), ["a", "b", "b", "c"]
    sums, counts = np.array([0.0, 6.0, 6.0]), np.array([1, 2, 1])
    expected = sorted(
        sums[list(draw)].sum() / counts[list(draw)].sum() for draw in itertools.product(range(3), repeat=3)
    )
    drawn = resample(values, [DE_EN] * 4, groups, resamples=20_000).resampled[:, 0]
    assert set(np.round(drawn, 9)) == set(np.round(expected, 9))
    for quantile in (0.25, 0.5, 0.75):
        assert np.quantile(drawn, quantile) == pytest.approx(np.quantile(expected, quantile), abs=0.25)


def test_pairs_count_the_same_however_many_queries_they_have() -> None:
    values = np.array([1.0, 0.0, 0.0, 0.0])
    resampling = resample(values, [DE_EN, EN_DE, EN_DE, EN_DE], ["a", "b", "c", "d"])
    assert resampling.over([DE_EN, EN_DE]).mean == 0.5
    assert resampling.lists.tolist() == [1, 3]


def test_differences_that_are_the_same_everywhere_are_certain() -> None:
    generator = np.random.default_rng(5)
    before = generator.random(50)
    groups = [str(number) for number in range(50)]
    interval = resample(before - 0.05 - before, [DE_EN] * 50, groups).of_pair(DE_EN)
    assert interval.is_worse
    assert not interval.is_better
    assert not resample(generator.normal(size=50), [DE_EN] * 50, groups).of_pair(DE_EN).is_worse


def test_a_seed_gives_the_same_interval_again() -> None:
    values, groups = np.random.default_rng(1).random(30), [str(number) for number in range(30)]
    first, again, other = (resample(values, [DE_EN] * 30, groups, seed=seed).of_pair(DE_EN) for seed in (1, 1, 2))
    assert first == again
    assert first != other
