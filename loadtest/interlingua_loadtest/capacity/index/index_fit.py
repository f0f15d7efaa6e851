"""Measured indexes --> IndexCost, with how far it is off.

seconds, factors --logarithms, least squares--> VisitTime
bytes the process grew by - bytes of the layout --least squares--> so many for each vector, and once
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua_loadtest.capacity.index.index_cost import COMMAND, IndexCost, IndexMeasurement, IndexResiduals
from interlingua_loadtest.capacity.index.index_layout import graph_bytes
from interlingua_loadtest.capacity.index.index_time import ScanTime, VisitTime

_LEAST = 6
_CACHES = np.geomspace(2**19, 2**28, 19)  # bytes
_MISSES = np.linspace(0, 8, 17)
_DEPENDENT = 1e-3  # smallest singular value, of columns scaled to length 1, that still tells them apart

Floats = npt.NDArray[np.float64]
Rows = Sequence[tuple[tuple[float, float, float, float], float]]


def fit(
    measurements: Sequence[IndexMeasurement], hardware: Mapping[str, str], measured: str, command: str
) -> IndexCost:
    """Fit to measurements.

    Raises:
        InputError: there are too few of them, they do not tell the factors apart, or one took no time.
    """
    if len(measurements) < _LEAST:
        raise InputError(f"{len(measurements)} indexes were measured, {_LEAST} are needed: measure with `{COMMAND}`")
    fixed_bytes, element_bytes, memory = _memory(measurements)
    build, of_build = fit_law(
        [(_factors(one, min(one.ef_construction, one.count)), one.build_s / one.count) for one in measurements],
        "building",
    )
    query, of_query = fit_law(
        [(_factors(one, min(ef, one.count)), seconds) for one in measurements for ef, seconds in one.queries],
        "searching",
    )
    exact, of_exact = _exact(measurements)
    return IndexCost(
        hardware=dict(hardware),
        measured=measured,
        command=command,
        fixed_bytes=fixed_bytes,
        element_bytes=element_bytes,
        build=build,
        query=query,
        exact=exact,
        residuals={"memory": memory, "build": of_build, "query": of_query, "exact": of_exact},
        measurements=tuple(measurements),
    )


def fit_law(rows: Rows, what: str) -> tuple[VisitTime, IndexResiduals]:
    """The law of least squared error in the logarithm.

    Args:
        rows: ((count, dimension, M, ef), seconds).
        what: took that time, for the message.

    Raises:
        InputError: a factor did not vary, or only together with others, or something took no time.
    """
    factors = np.array([row[0] for row in rows], dtype=np.float64)
    seconds = np.array([row[1] for row in rows], dtype=np.float64)
    if not (np.isfinite(seconds).all() and (seconds > 0).all()):
        raise InputError(f"{what} an index took no time or no finite time: measure again")
    _check_design(factors, what)
    law = _best_law(factors, seconds)
    return law, _residuals(np.array([law.seconds(*row) for row in factors.tolist()]), seconds)


def _check_design(factors: Floats, what: str) -> None:
    centred = np.log(factors) - np.log(factors).mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    if not lengths.all() or np.linalg.svd(centred / lengths, compute_uv=False)[-1] < _DEPENDENT:
        raise InputError(
            f"{what}: the measured indexes do not tell apart what count, dimension, M and ef do: vary each of them"
        )


def _best_law(factors: Floats, seconds: Floats) -> VisitTime:
    """For a cache and a miss the rest is linear: the best of a grid, then downhill (Nelder and Mead 1965)."""
    from scipy.optimize import minimize

    def law(point: Floats) -> tuple[VisitTime, float]:
        return _linear(factors, seconds, float(np.exp(point[0])), abs(float(point[1])))

    grid = [np.array([np.log(cache), miss]) for cache in _CACHES for miss in _MISSES]
    start = min(grid, key=lambda point: law(point)[1])
    options = {"xatol": 1e-6, "fatol": 1e-12, "maxiter": 2000}
    found = minimize(lambda point: law(point)[1], start, method="Nelder-Mead", options=options)
    return law(found.x)[0]


def _linear(factors: Floats, seconds: Floats, cache_bytes: float, miss: float) -> tuple[VisitTime, float]:
    """The law with this cache and miss, and its mean squared error in the logarithm."""
    count, dimension, m, ef = factors.T
    beyond = np.maximum(0.0, 1 - cache_bytes / graph_bytes(count, dimension, m))
    known = np.log(np.log(count)) + np.log1p(miss * beyond)
    columns = np.column_stack([np.ones(len(seconds)), np.log(dimension), np.log(m), np.log(ef)])
    powers = np.linalg.lstsq(columns, np.log(seconds) - known, rcond=None)[0]
    error = float(np.mean((columns @ powers + known - np.log(seconds)) ** 2))
    scale, of_dimension, of_m, of_ef = powers.tolist()
    return VisitTime(
        log_scale=scale, dimension=of_dimension, m=of_m, ef=of_ef, cache_bytes=cache_bytes, miss=miss
    ), error


def _memory(measurements: Sequence[IndexMeasurement]) -> tuple[float, float, IndexResiduals]:
    """Bytes of a process with an index, and of each vector, beyond the layout; neither below 0."""
    from scipy.optimize import nnls

    counts = np.array([one.count for one in measurements], dtype=np.float64)
    layout = np.array([graph_bytes(one.count, one.dimension, one.m) for one in measurements])
    measured = np.array([one.memory_bytes for one in measurements], dtype=np.float64)
    (fixed_bytes, element_bytes), _ = nnls(np.column_stack([np.ones_like(counts), counts]), measured - layout)
    fitted = layout + fixed_bytes + element_bytes * counts
    return float(fixed_bytes), float(element_bytes), _residuals(fitted, measured)


def _exact(measurements: Sequence[IndexMeasurement]) -> tuple[ScanTime, IndexResiduals]:
    """For a cache and a miss the time of a number is a mean: the best of a grid."""
    floats = np.array([one.count * one.dimension for one in measurements], dtype=np.float64)
    seconds = np.array([one.exact_s for one in measurements])

    def law(cache_bytes: float, miss: float) -> tuple[ScanTime, float]:
        beyond = np.maximum(0.0, 1 - cache_bytes / (4 * floats))
        logs = np.log(seconds / (floats * (1 + miss * beyond)))
        return ScanTime(float(np.exp(logs.mean())), cache_bytes, miss), float(logs.var())

    found, _ = min((law(float(cache), float(miss)) for cache in _CACHES for miss in _MISSES), key=lambda one: one[1])
    fitted = np.array([found.seconds(one.count, one.dimension) for one in measurements])
    return found, _residuals(fitted, seconds)


def _factors(one: IndexMeasurement, ef: int) -> tuple[float, float, float, float]:
    return one.count, one.dimension, one.m, ef


def _residuals(fitted: Floats, measured: Floats) -> IndexResiduals:
    errors = np.abs(fitted / measured - 1)
    p50, p90, worst = np.quantile(errors, [0.5, 0.9, 1.0]).tolist()
    return IndexResiduals(len(errors), p50, p90, worst)
