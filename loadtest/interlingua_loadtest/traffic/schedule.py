"""When requests start, decided before the first is sent: what a server does cannot delay what it is asked next.

    rate, seconds, seed | a log, another run -> seconds from the run's start, float64, ascending -> open_loop.py

Equal arguments and seeds give equal times, and a longer run begins as a shorter one does.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua_loadtest.traffic.logged_searches import read_logged_searches

FloatArray64 = npt.NDArray[np.float64]

_MOST = 100_000_000
# Several threads of one process write to one log, each when its search is done.
_DISORDER_S = 1.0


def poisson(rate: float, seconds: float, seed: int) -> FloatArray64:
    """Independent arrivals, as of very many people: gaps are exponential.

    Args:
        rate: requests a second.

    Raises:
        InputError: naming everything that is out of its range.
    """
    _refuse(_faults(rate, seconds, seed))
    return _unit_arrivals(rate * seconds, seed) / rate


def constant(rate: float, seconds: float) -> FloatArray64:
    """The first at 0, then one every 1 / rate seconds.

    Raises:
        InputError: naming everything that is out of its range.
    """
    _refuse(_faults(rate, seconds))
    times: FloatArray64 = np.arange(math.ceil(rate * seconds), dtype=np.float64) / rate
    return times[times < seconds]


def bursts(rate: float, seconds: float, seed: int, *, factor: float, period_s: float, share: float) -> FloatArray64:
    """Poisson arrivals whose rate is higher at the beginning of each period.

    Unit-rate arrivals are taken through the inverse of the cumulative rate (Cinlar 1975, Introduction to Stochastic
    Processes, chapter 4.7).

    Args:
        rate: requests a second over a whole period.
        factor: rate within a burst over the rate outside of it.
        period_s: from the beginning of one burst to that of the next.
        share: of the period that the burst takes, between 0 and 1.

    Raises:
        InputError: naming everything that is out of its range.
    """
    faults = _faults(rate, seconds, seed)
    faults += [] if 1 <= factor < math.inf else [f"a burst's factor is {factor:g}, it must be at least 1"]
    faults += [] if 0 < period_s < math.inf else [f"a period has {period_s:g} s, it must have more than 0"]
    faults += [] if 0 < share < 1 else [f"a burst's share is {share:g}, it must be between 0 and 1"]
    _refuse(faults)
    calm = rate / (1 + share * (factor - 1))
    in_burst, in_period = calm * factor * share * period_s, rate * period_s
    # The last period is drawn whole and cut: its burst has more than its share of the arrivals.
    period, mass = np.divmod(_unit_arrivals(math.ceil(seconds / period_s) * in_period, seed), in_period)
    within = np.where(mass < in_burst, mass / (calm * factor), share * period_s + (mass - in_burst) / calm)
    times: FloatArray64 = period * period_s + within
    return times[times < seconds]


def replay(file: Path, *, speed: float = 1.0) -> FloatArray64:
    """The times of what was asked before, the first at 0.

    Args:
        file: a search log (plain or .gz), the requests.parquet of a run, or the run's folder.
        speed: 2 plays it twice as fast.

    Raises:
        InputError: there is no such file, it has no times, or a log's lines are not in the order of their times.
    """
    if not 0 < speed < math.inf:
        raise InputError(f"the speed of a replay is {speed:g}, it must be above 0")
    is_run = file.is_dir() or file.suffix == ".parquet"
    times = np.sort(_times_of_run(file) if is_run else _times_of_log(file))
    replayed: FloatArray64 = (times - times[0]) / speed
    return replayed


def _unit_arrivals(end: float, seed: int) -> FloatArray64:
    """Poisson arrivals of rate 1 up to `end`."""
    random = np.random.default_rng(seed)
    gaps = random.exponential(size=math.ceil(end + 5 * math.sqrt(end)) + 1)
    times: FloatArray64 = np.cumsum(gaps)
    while times[-1] < end:
        gaps = np.append(gaps, random.exponential(size=len(gaps)))
        times = np.cumsum(gaps)
    return times[times < end]


def _times_of_log(file: Path) -> FloatArray64:
    latest, arrived = -math.inf, []
    for search in read_logged_searches(file):
        if search.logged_s < latest - _DISORDER_S:
            raise InputError(
                f"{file}, line {search.line} is {latest - search.logged_s:.1f} s before a line above it: "
                "sort the log by its times first"
            )
        latest = max(latest, search.logged_s)
        arrived.append(search.arrived_s)
    if not arrived:
        raise InputError(f"{file}: no search was logged, so there is nothing to replay")
    return np.array(arrived)


def _times_of_run(file: Path) -> FloatArray64:
    from interlingua_loadtest.record.request_columns import Requests

    inner = file / "requests.parquet"
    times = Requests.read(inner if inner.exists() else file).scheduled_s
    if not len(times):
        raise InputError(f"{file}: no request was recorded, so there is nothing to replay")
    if missing := int(np.isnan(times).sum()):
        raise InputError(f"{file}: {missing} of {len(times)} requests have no scheduled time")
    return times


def _faults(rate: float, seconds: float, seed: int = 0) -> list[str]:
    faults = [] if 0 < rate < math.inf else [f"the rate is {rate:g} a second, it must be above 0"]
    faults += [] if 0 < seconds < math.inf else [f"the run has {seconds:g} s, it must have more than 0"]
    faults += [] if seed >= 0 else [f"the seed is {seed}, it must be at least 0"]
    if not faults and rate * seconds > _MOST:
        faults = [f"{rate:g} a second for {seconds:g} s are {rate * seconds:.3g} requests; {_MOST:.0e} are the most"]
    return faults


def _refuse(faults: list[str]) -> None:
    if faults:
        raise InputError("; ".join(faults))
