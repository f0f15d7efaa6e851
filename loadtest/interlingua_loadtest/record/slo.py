"""A service level objective: so many percent of the requests answered within so long, and hardly any not at all.

p99=300ms, goodput -> Slo -> whether measured, or simulated, latencies held it; which requests met it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Mask, Requests

_FORM = re.compile(r"p(?P<percent>\d+(?:\.\d+)?)=(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s)")
_SECONDS = {"ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Slo:
    """An objective.

    Attributes:
        percent: of 100 requests; those without an answer count as never answered.
        limit_s: seconds from its scheduled moment that each of them has.
        goodput: least share of the requests that have an answer at all; a degraded one is one.
    """

    percent: float
    limit_s: float
    goodput: float = 0.99

    def __post_init__(self) -> None:
        """Raises InputError: naming all that is out of its range."""
        faults = []
        if not 0 < self.percent <= 100:
            faults.append(f"the percentile is {self.percent:g}, it must be above 0 and at most 100")
        if not 0 < self.limit_s < float("inf"):
            faults.append(f"the latency is {self.limit_s:g} s, it must be above 0")
        if not 0 <= self.goodput <= 1:
            faults.append(f"the goodput is {self.goodput:g}, it must be from 0 to 1")
        if faults:
            raise InputError(f"SLO: {'; '.join(faults)}")

    @classmethod
    def parse(cls, text: str, goodput: float = 0.99) -> Slo:
        """Reads `p99=300ms`; raises InputError for anything else."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise InputError(f"{text!r} is no objective such as p99=300ms or p99.9=1s")
        return cls(float(found["percent"]), float(found["number"]) * _SECONDS[found["unit"]], goodput)

    def __str__(self) -> str:
        return f"p{self.percent:g}={1e3 * self.limit_s:g}ms"

    def met(self, requests: Requests) -> Mask:
        """Which were answered, if a degraded answer, within the limit: rejections and timeouts are misses."""
        # What has no answer has NaN, which is not within anything.
        within: Mask = requests.answered & (requests.latency_s <= self.limit_s)
        return within

    def holds(self, latency_s: Floats) -> bool:
        """Whether all these requests together held it; a latency is infinite where there was no answer."""
        answered = np.isfinite(latency_s)
        within = latency_s <= self.limit_s
        # A hair is left for 0.99 x 300.
        enough = self.percent / 100 * len(latency_s) - 1e-9
        return bool(within.sum() >= enough and answered.mean() >= self.goodput)
