"""The traffic that hardware is planned for: how much comes, when, of what, and how it grows.

a traffic file, options --traffic_file.py--> PlannedTraffic --text_lengths.py--> Demand
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from interlingua_loadtest import schedule

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.highest_rate import Arrivals

MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Burst:
    """A burst as in interlingua_loadtest/schedule.py: `factor` times the rate outside for `share` of every period."""

    factor: float = 4.0
    period_s: float = 10.0
    share: float = 0.1


@dataclass(frozen=True)
class PlannedCorpus:
    """What is searched.

    Attributes:
        documents: 0 where nothing is to be said about an index.
        m, ef_construction, ef_search: of the HNSW graph; as in interlingua_client/manifest.py.
    """

    documents: int = 0
    m: int = 16
    ef_construction: int = 200
    ef_search: int = 128


@dataclass(frozen=True)
class Growth:
    """A year's: 0.5 is half as much again after twelve months; `months` is how far the plan looks."""

    traffic: float = 0.0
    corpus: float = 0.0
    months: int = 12

    def traffic_factor(self, months: float) -> float:
        """Traffic after so many months over today's."""
        return float((1 + self.traffic) ** (months / MONTHS_A_YEAR))

    def corpus_factor(self, months: float) -> float:
        """Documents after so many months over today's."""
        return float((1 + self.corpus) ** (months / MONTHS_A_YEAR))


@dataclass(frozen=True, kw_only=True)
class PlannedTraffic:
    """Everything a plan has to know of the traffic.

    Attributes:
        source: what to name in a message: a file, or the options.
        peak_rate, mean_rate: requests a second in the busiest hour and over the day.
        kinds, languages: shares of any sum; no languages: as the dataset's queries are.
        depth: pairs that a search or a rerank request has scored; 0: a search without reranking.
        deadline_s: that every request carries; None for none.
        dataset: whose texts give the lengths.
    """

    source: str
    peak_rate: float
    mean_rate: float
    arrivals: Literal["poisson", "bursts"] = "poisson"
    burst: Burst = field(default_factory=Burst)
    kinds: Mapping[str, float] = field(default_factory=lambda: {"search": 1.0})
    languages: Mapping[str, float] = field(default_factory=dict)
    depth: int = 20
    deadline_s: float | None = None
    dataset: str = "helpdesk12"
    corpus: PlannedCorpus = field(default_factory=PlannedCorpus)
    growth: Growth = field(default_factory=Growth)

    @property
    def process(self) -> Arrivals:
        """The arrivals, as the simulator draws them."""
        if self.arrivals == "poisson":
            return schedule.poisson
        burst = self.burst
        return partial(schedule.bursts, factor=burst.factor, period_s=burst.period_s, share=burst.share)
