"""What became of the requests of a simulated run.

simulator --> Timeline (arrays, one entry a request) + Usage (one a station)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.simulate.workload import FloatArray64, IntArray, Workload

BoolArray = npt.NDArray[np.bool_]

OK, DEADLINE, DEGRADED = 0, 1, 2
"""Answered; not answered before its deadline; a search whose reranking was cut short."""


@dataclass(frozen=True)
class Usage:
    """How busy one station was.

    Attributes:
        busy: share of its instances that were taken, over the time of the run, 0 to 1.
        executions: batches of a service, calls of a network; 0 for cores.
        texts: computed in them.
        tokens, padded_tokens: computed, without and with padding.
    """

    busy: float
    executions: int = 0
    texts: int = 0
    tokens: int = 0
    padded_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """One entry a request, in order of arrival; seconds.

    The stages of a search are those of embedding its query, those of a request that the client made several of are
    those of the last to be answered. What was given up at its deadline may have gone on at the server.

    Attributes:
        workload: what came in.
        start: when its batch began.
        queue, tokenize, compute: how long each stage of its batch took; compute includes waiting for the network.
        finished: when its answer, or its refusal, was with the client, or its deadline if that was earlier.
        status: OK, DEADLINE or DEGRADED.
        batch_texts: texts of its batch.
        rerank: from sending a search's pairs to having their scores; 0 for other requests.
        pairs: that a search got scores for; 0 for other requests.
        usage: by station: services, networks, "cores" and devices.
    """

    workload: Workload
    start: FloatArray64
    queue: FloatArray64
    tokenize: FloatArray64
    compute: FloatArray64
    finished: FloatArray64
    status: IntArray
    batch_texts: IntArray
    rerank: FloatArray64
    pairs: IntArray
    usage: Mapping[str, Usage]

    @property
    def latency(self) -> FloatArray64:
        """float64 [N]: from arrival to answer."""
        return self.finished - self.workload.arrived

    @property
    def shed(self) -> BoolArray:
        """bool [N]: not answered before its deadline."""
        shed: BoolArray = self.status == DEADLINE
        return shed

    def after_warm_up(self, share: float) -> BoolArray:
        """bool [N]: without the first requests, which find an empty server. Raises InputError: nothing is left."""
        if not 0 <= share < 1:
            raise InputError(f"the warm-up is {share:g} of the requests: give a share from 0 up to, but without, 1")
        kept: BoolArray = np.arange(len(self.workload)) >= int(share * len(self.workload))
        return kept

    def answered_after(self, warm_up: float = 0.0) -> FloatArray64:
        """float64 [n]: latencies without the warm-up's; infinite where there was no answer."""
        latencies: FloatArray64 = np.where(self.shed, np.inf, self.latency)[self.after_warm_up(warm_up)]
        return latencies

    def percentile(self, percentile: float, warm_up: float = 0.0) -> float:
        """Seconds that so many of 100 requests were answered within; infinite if too few were answered at all.

        The smallest latency that at least `percentile` of 100 requests do not exceed; a refused one exceeds all.
        """
        latency = self.answered_after(warm_up)
        rank = max(int(np.ceil(percentile / 100 * len(latency))), 1)
        return float(np.partition(latency, rank - 1)[rank - 1])

    def goodput(self, warm_up: float = 0.0) -> float:
        """Share of the requests that were answered, degraded ones included."""
        return 1.0 - float(self.shed[self.after_warm_up(warm_up)].mean())

    def degraded(self, warm_up: float = 0.0) -> float:
        """Share of the requests that were answered with less than was asked for."""
        return float((self.status == DEGRADED)[self.after_warm_up(warm_up)].mean())

    def busiest(self) -> str:
        """The station that had the least time to spare: it sets the limit."""
        return max(self.usage, key=lambda name: self.usage[name].busy)
