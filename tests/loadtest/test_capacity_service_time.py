"""The service-time model: it finds what made the times, shows how far off it is, and refuses what cannot tell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua.base.plain import build, plain
from interlingua_loadtest.capacity.profile.service_time import Execution, ServiceTimeModel, fit, fit_one

TRUTH = ServiceTimeModel(
    network="embedder", precision="int8", threads=2, call_s=2e-3, token_s=1e-4, text_s=3e-4, attention_s=5e-7
)
SHAPES = list(itertools.product((1, 2, 4, 8), (8, 32, 128, 512)))


def executions(
    model: ServiceTimeModel = TRUTH, shapes: Sequence[tuple[int, int]] = SHAPES, *, factor: float = 1.0, calls: int = 1
) -> list[Execution]:
    return [
        Execution(texts, longest, factor * model.seconds(texts, longest), "embedder", "int8", 2, calls)
        for texts, longest in shapes
    ]


def test_a_call_by_hand() -> None:
    # 2 texts of 10 tokens: 0.002 + 2 x 0.0003 + 20 x 0.0001 + 20 x 10 x 0.0000005 = 0.0047
    assert TRUTH.seconds(2, 10) == pytest.approx(0.0047)


def test_the_fit_recovers_what_made_the_times() -> None:
    fitted = fit_one(executions())
    for part in ("call_s", "token_s", "text_s", "attention_s"):
        assert getattr(fitted, part) == pytest.approx(getattr(TRUTH, part), rel=1e-6)
    assert fitted.residuals is not None
    assert fitted.residuals.relative_p90 < 1e-9


def test_no_part_goes_below_zero() -> None:
    # What is measured grows slower than linearly with the texts, which only negative parts could follow.
    times = [Execution(texts, longest, 1e-3 * (texts * longest) ** 0.8) for texts, longest in SHAPES]
    fitted = fit_one(times)
    assert min(fitted.call_s, fitted.token_s, fitted.text_s, fitted.attention_s) >= 0


def test_residuals_and_jitter_tell_the_noise() -> None:
    """Log-normal noise of 0.1: a quarter of |log ratio| is above 0.115, the median of it at 0.0674."""
    random = np.random.default_rng(3)
    noisy = [one._replace(seconds=one.seconds * random.lognormal(0, 0.1)) for one in executions() for _ in range(200)]
    fitted = fit_one(noisy)
    assert fitted.residuals is not None
    assert fitted.residuals.executions == 200 * len(SHAPES)
    assert fitted.residuals.relative_p50 == pytest.approx(0.0674, rel=0.08)
    assert fitted.residuals.relative_p90 == pytest.approx(0.1645, rel=0.08)
    assert fitted.jitter == pytest.approx(0.1, rel=0.08)


def test_slowdown_is_measured_against_the_same_shape_alone() -> None:
    together = executions(shapes=[(1, 8), (4, 32)], factor=1.7, calls=2)
    crowded = executions(shapes=[(1, 8)], factor=3.9, calls=4)
    fitted = fit_one([*executions(), *together, *crowded])
    assert [calls for calls, _ in fitted.slowdown] == [1, 2, 4]
    assert [factor for _, factor in fitted.slowdown] == pytest.approx([1.0, 1.7, 3.9])
    assert fitted.token_s == pytest.approx(TRUTH.token_s)  # calls at once do not enter the lone time


def test_networks_precisions_and_threads_are_fitted_apart() -> None:
    other = replace(TRUTH, token_s=3e-4)
    mixed = executions() + [one._replace(precision="fp32") for one in executions(other)]
    models = fit(mixed)
    assert [(model.precision, round(model.token_s, 7)) for model in models] == [("fp32", 3e-4), ("int8", 1e-4)]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(1, 8), (2, 16)], "2 different shapes"),
        ([(1, length) for length in range(8, 80, 8)], r"same number of texts \(1\)"),
        ([(texts, 32) for texts in range(1, 10)], r"same length \(32\)"),
        ([(texts, 128 // texts) for texts in (1, 2, 4, 8, 16, 32, 64, 128)], "do not tell"),
        ([(texts, length) for texts in (1, 2) for length in (60, 61, 62, 63)], "do not tell"),
        ([(3, 8)] * 50, "1 different shapes"),
    ],
    ids=["too few", "one text", "one length", "equal rectangles", "hardly different", "one shape, often"],
)
def test_a_degenerate_design_is_refused(shapes: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_one(executions(shapes=shapes))


def test_only_calls_at_once_cannot_be_fitted() -> None:
    with pytest.raises(InputError, match="lone calls of 0 different shapes"):
        fit_one(executions(calls=2))


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
def test_impossible_times_are_refused(seconds: float) -> None:
    with pytest.raises(InputError, match="no time or no finite time"):
        fit_one([*executions(), Execution(3, 9, seconds, "embedder", "int8", 2)])


def test_nothing_measured() -> None:
    with pytest.raises(InputError, match="no call was measured"):
        fit([])


def test_json_keeps_every_figure() -> None:
    fitted = fit_one([*executions(), *executions(shapes=[(1, 8)], factor=1.5, calls=2)])
    assert build(ServiceTimeModel, plain(fitted)) == fitted
    with pytest.raises(InputError, match="precision is missing; threads is missing"):
        build(ServiceTimeModel, {"network": "embedder"})
