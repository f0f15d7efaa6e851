"""The traffic that hardware is planned for: how much comes, when, of what, and how it grows.

a traffic file, options --traffic_file.py--> PlannedTraffic --text_lengths.py--> Demand
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from interlingua.base.options import is_number, option
from interlingua_loadtest.traffic.request_kinds import KINDS
from interlingua_loadtest.traffic.traffic_mix import DEFAULT_DEPTH

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.simulate.highest_rate import Arrivals

MONTHS_A_YEAR = 12
_HOURS = 24


def _day(value: Any) -> str:
    is_day = isinstance(value, list | tuple) and len(value) == _HOURS and all(is_number(rate, low=0) for rate in value)
    return "" if is_day and max(value) > 0 else f"{_HOURS} rates of 0 or more, one of them above 0"


def _name(value: Any) -> str:
    return "" if isinstance(value, str) and value else "a name"


@dataclass(frozen=True)
class Burst:
    """A burst as in traffic/schedule.py: `factor` times the rate outside for `share` of every period."""

    factor: float = option(4.0, "For bursts: rate within a burst over the rate outside of it.", low=1)
    period_s: float = option(10.0, "For bursts: seconds from one burst to the next.", above=0)
    share: float = option(0.1, "For bursts: share of the period that the burst takes.", above=0, below=1)


@dataclass(frozen=True)
class PlannedCorpus:
    """What is searched; the HNSW graph's numbers are as in interlingua_client/index/manifest.py."""

    documents: int = option(0, "Documents in the index.", low=0, unset="nothing is said about an index")
    m: int = option(16, "The HNSW graph's links of a document.", low=2)
    ef_construction: int = option(200, "Candidates in the HNSW graph when it is built.", low=1)
    ef_search: int = option(128, "Candidates in the HNSW graph when it is searched.", low=1)


@dataclass(frozen=True)
class Growth:
    """A year's: 0.5 is half as much again after twelve months; `months` is how far the plan looks."""

    traffic: float = option(0.0, "Growth of the traffic in a year: 0.5 is half as much again.", above=-1)
    corpus: float = option(0.0, "Growth of the corpus in a year.", above=-1)
    months: int = option(12, "How far to look.", low=1)

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
    """

    source: str
    peak_rate: float = option(help="Requests a second in the busiest hour.", above=0, unset="this or hourly_rates")
    mean_rate: float = option(help="The same over the day, for the cost.", above=0, unset="as the peak")
    hourly_rates: tuple[float, ...] = option(
        (), "Rates of the 24 hours from midnight, in place of both.", check=_day, metavar="R,R,...", separated=True
    )
    arrivals: Literal["poisson", "bursts"] = option("poisson", "How requests come: poisson, or bursts.")
    burst: Burst = field(default_factory=Burst)
    kinds: Mapping[str, float] = option(
        {"search": 1.0},
        "Shares of what is asked: search, embed_query, embed_document, rerank.",
        choices=KINDS,
        metavar="NAME=SHARE",
        unset="search=1",
    )
    languages: Mapping[str, float] = option(
        {}, "Shares of the languages of what is asked.", metavar="TAG=SHARE", unset="as in the dataset"
    )
    depth: int = option(DEFAULT_DEPTH, "Candidates that a search has reranked, pairs of a rerank.", low=0)
    token_vectors: bool = option(
        False, "Searches compare token vectors that the index keeps: the reranker encodes the question alone."
    )
    deadline_s: float | None = option(
        None, "Milliseconds that every request has.", above=0, milliseconds=True, unset="none"
    )
    dataset: str = option("helpdesk12", "Whose texts give the lengths; as in `interlingua evaluate`.", check=_name)
    corpus: PlannedCorpus = field(default_factory=PlannedCorpus)
    growth: Growth = field(default_factory=Growth)

    @property
    def process(self) -> Arrivals:
        """The arrivals, as the simulator draws them."""
        from interlingua_loadtest.traffic import schedule

        if self.arrivals == "poisson":
            return schedule.poisson
        burst = self.burst
        return partial(schedule.bursts, factor=burst.factor, period_s=burst.period_s, share=burst.share)
