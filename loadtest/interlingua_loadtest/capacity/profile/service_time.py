"""How long one call to a network takes, fitted to measured calls.

    Execution (texts, longest, seconds, ...) [R] --non-negative least squares--> ServiceTimeModel

    seconds = call + token x padded + text x texts + attention x padded x longest        padded = texts x longest

The call's own overhead, what grows with the rectangle (matrix products), with the texts (pooling, copies), and the
attention, whose work grows with the square of the length. No part may be negative (C. L. Lawson and R. J. Hanson,
Solving Least Squares Problems, 1974, chapter 23). What is made small is the relative error: a short call counts as much
as a long one, because on most traffic there are many more of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from interlingua.base.errors import InputError

_LEAST_EXECUTIONS = 8
_TERMS = ("call_s", "token_s", "text_s", "attention_s")
_DEPENDENT = 0.02  # smallest singular value, of columns scaled to length 1, that still tells them apart
_QUARTILE_DISTANCE = 1.349  # between the quartiles of a normal distribution, in standard deviations


class Execution(NamedTuple):
    """One measured call.

    Attributes:
        texts, longest: the rectangle of token ids that the network was given.
        seconds: what it took.
        network: the Triton model's name.
        threads: of one call.
        concurrent: calls that ran at once on the same cores, this one included.
    """

    texts: int
    longest: int
    seconds: float
    network: str = "embedder"
    precision: str = "fp32"
    threads: int = 1
    concurrent: int = 1

    @property
    def padded_tokens(self) -> int:
        return self.texts * self.longest


@dataclass(frozen=True)
class Residuals:
    """How far the model is from what it was fitted to.

    Attributes:
        executions: how many.
        relative_p50, relative_p90: of |model - measured| / measured.
        spread: standard deviation of log(measured / model), from its quartiles, so that a few slow calls do not decide
            it.
    """

    executions: int
    relative_p50: float
    relative_p90: float
    spread: float


@dataclass(frozen=True, kw_only=True)
class ServiceTimeModel:
    """Seconds of one call of one network, in one precision, with so many threads.

    Attributes:
        slowdown: (calls at once, times as long), measured; empty where only lone calls were measured.
        residuals: None for a model that was not fitted but written down.
    """

    network: str
    precision: str
    threads: int
    call_s: float
    token_s: float
    text_s: float = 0.0
    attention_s: float = 0.0
    slowdown: tuple[tuple[int, float], ...] = ()
    residuals: Residuals | None = None

    def seconds(self, texts: int, longest: int) -> float:
        """The duration of a lone call of `texts` texts, padded to `longest` tokens."""
        padded = texts * longest
        return self.call_s + self.text_s * texts + padded * (self.token_s + self.attention_s * longest)

    @property
    def jitter(self) -> float:
        """Standard deviation of the logarithm of a call's time around the model; 0 where it is not known."""
        return self.residuals.spread if self.residuals else 0.0


def fit(executions: Iterable[Execution]) -> list[ServiceTimeModel]:
    """One model for each network, precision and thread count among the measured calls.

    Raises:
        InputError: as `fit_one`.
    """
    groups: dict[tuple[str, str, int], list[Execution]] = {}
    for execution in executions:
        groups.setdefault((execution.network, execution.precision, execution.threads), []).append(execution)
    if not groups:
        raise InputError("no call was measured: there is nothing to fit a service time to")
    return [fit_one(group) for _, group in sorted(groups.items())]


def fit_one(executions: Sequence[Execution]) -> ServiceTimeModel:
    """The model of one network in one precision with one thread count.

    Calls of equal shape count once, with the median of their times; the residuals are of each single call.

    Raises:
        InputError: there are too few lone calls, or they do not tell the model's parts apart, as when all have one
            text, or all one length; the message says what to measure.
    """
    first = executions[0]
    name = f"{first.network} ({first.precision}, threads: {first.threads})"
    alone = [execution for execution in executions if execution.concurrent == 1]
    shapes, seconds = _medians(alone)
    _check_design(shapes, name)
    call, token, text, attention = _solve(shapes, seconds)
    model = ServiceTimeModel(
        network=first.network,
        precision=first.precision,
        threads=first.threads,
        call_s=call,
        token_s=token,
        text_s=text,
        attention_s=attention,
    )
    return replace(model, slowdown=_slowdown(executions, model), residuals=_residuals(alone, model))


def _medians(executions: Sequence[Execution]) -> tuple[np.ndarray, np.ndarray]:
    """Different shapes, int64 [S, 2], and the median seconds of each, [S]."""
    times: dict[tuple[int, int], list[float]] = {}
    for execution in executions:
        times.setdefault((execution.texts, execution.longest), []).append(execution.seconds)
    seconds = np.array([statistics.median(measured) for measured in times.values()])
    if not (np.isfinite(seconds).all() and (seconds > 0).all()):
        raise InputError("a measured call took no time or no finite time: measure again")
    return np.array(list(times), dtype=np.int64).reshape(-1, 2), seconds


def _check_design(shapes: np.ndarray, name: str) -> None:
    if len(shapes) < _LEAST_EXECUTIONS:
        raise InputError(
            f"{name}: lone calls of {len(shapes)} different shapes were measured, "
            f"{_LEAST_EXECUTIONS} are needed: measure more lengths and numbers of texts"
        )
    for column, what in enumerate(("number of texts", "length")):
        if len(np.unique(shapes[:, column])) < 2:
            raise InputError(f"{name}: all measured calls have the same {what} ({shapes[0, column]}): measure others")
    columns = _columns(shapes)
    if np.linalg.svd(columns / np.linalg.norm(columns, axis=0), compute_uv=False)[-1] < _DEPENDENT:
        raise InputError(
            f"{name}: the measured calls do not tell apart what a call, a text and a token cost, as when all have "
            "the same padded tokens: measure several lengths for each of several numbers of texts"
        )


def _columns(shapes: np.ndarray) -> np.ndarray:
    """float64 [S, 4]: what each of `_TERMS` is multiplied with."""
    texts, longest = shapes[:, 0].astype(float), shapes[:, 1].astype(float)
    return np.stack([np.ones_like(texts), texts * longest, texts, texts * longest**2], axis=1)


def _solve(shapes: np.ndarray, seconds: np.ndarray) -> list[float]:
    """The four parts, none below 0, of the least sum of squared relative errors."""
    from scipy.optimize import nnls

    columns = _columns(shapes) / seconds[:, None]
    scales = np.linalg.norm(columns, axis=0)
    parts, _ = nnls(columns / scales, np.ones(len(seconds)))
    return [float(part) for part in parts / scales]


def _residuals(executions: Sequence[Execution], model: ServiceTimeModel) -> Residuals:
    ratios = np.array([execution.seconds / model.seconds(*execution[:2]) for execution in executions])
    errors = np.abs(1 / ratios - 1)
    low, high = np.quantile(np.log(ratios), [0.25, 0.75])
    return Residuals(
        executions=len(executions),
        relative_p50=float(np.quantile(errors, 0.5)),
        relative_p90=float(np.quantile(errors, 0.9)),
        spread=float(high - low) / _QUARTILE_DISTANCE,
    )


def _slowdown(executions: Sequence[Execution], model: ServiceTimeModel) -> tuple[tuple[int, float], ...]:
    """For each concurrency the median factor over a lone call of that shape, where one was measured."""
    alone: dict[tuple[int, int], list[float]] = {}
    for execution in executions:
        if execution.concurrent == 1:
            alone.setdefault(execution[:2], []).append(execution.seconds)
    factors: dict[int, list[float]] = {}
    for execution in executions:
        if execution.concurrent > 1:
            same = alone.get(execution[:2])
            lone = statistics.median(same) if same else model.seconds(*execution[:2])
            factors.setdefault(execution.concurrent, []).append(execution.seconds / lone)
    if not factors:
        return ()
    return ((1, 1.0), *((calls, statistics.median(measured)) for calls, measured in sorted(factors.items())))
