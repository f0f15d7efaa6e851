"""What a setting costs: the highest rate of one simulated replica within the SLO, and the client's first stage.

Demand, ServerLayout, seconds of the first stage, Slo --highest_rate--> SettingCost
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.search_index import EXACT_FLOATS
from interlingua_loadtest.capacity.plan.run_length import runs_for
from interlingua_loadtest.capacity.simulate.highest_rate import HighestRate, ImpossibleSloError, Runs, highest_rate
from interlingua_loadtest.tradeoff.records import SettingCost

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.index.index_cost import IndexCost
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
    from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
    from interlingua_loadtest.capacity.simulate.demand import Demand
    from interlingua_loadtest.record.slo import Slo

_MILLION = 1e6
_HOUR_S = 3600.0
_STEP_S = 1e-3
_STORED = -1  # in place of a depth: one row of the question, whatever the depth
_KEPT = 10  # documents that a search without reranking gives


@dataclass(frozen=True)
class FirstStageCost:
    """How a client finds its candidates among so many documents."""

    index_cost: IndexCost
    documents: int
    dimension: int
    parameters: HnswParameters = field(default_factory=HnswParameters)

    @property
    def is_exact(self) -> bool:
        """Whether the client compares every document, as in small corpora."""
        return self.documents * self.dimension <= EXACT_FLOATS

    def seconds(self, depth: int, ef_search: int | None) -> float:
        """The duration of one search, one thread; `ef_search` None: compared with every document."""
        if ef_search is None:
            return self.index_cost.exact_s(max(self.documents, 2), self.dimension)
        ef = looked_at(depth, ef_search)
        return self.index_cost.query_s(self.documents, self.dimension, self.parameters.m, ef)


def looked_at(depth: int, ef_search: int) -> int:
    """Candidates that hnswlib looks at: at least as many as it is asked for."""
    return max(ef_search, depth, _KEPT)


@dataclass(kw_only=True)
class Replica:
    """One server, asked with growing rates; equal questions are simulated once.

    Attributes:
        demand: searches that send pairs; their depth is replaced.
        stored: searches that compare stored token vectors, whatever their depth; None where no setting does.
    """

    layout: ServerLayout
    demand: Demand
    slo: Slo
    traffic: PlannedTraffic
    runs: Runs
    price_per_hour: float | None = None
    stored: Demand | None = None
    _found: dict[tuple[int, float], HighestRate | ImpossibleSloError] = field(default_factory=dict)

    def cost(self, depth: int, first_stage_s: float, *, stored: bool = False) -> SettingCost:
        """What searches of that depth cost, as pairs or by stored token vectors.

        Raises:
            ImpossibleSloError: lone searches miss the SLO already.
            InputError: the demand asks for what the server does not have.
        """
        # A fraction of a millisecond does not show in a rate: settings that differ by it share a simulation.
        step_s = math.ceil(first_stage_s / _STEP_S) * _STEP_S
        key = (_STORED if stored else depth, step_s)
        if key not in self._found:
            self._found[key] = self._simulated(self._demand(depth, stored=stored), step_s)
        found = self._found[key]
        if isinstance(found, ImpossibleSloError):
            raise found
        cpu_s = _MILLION * (self.layout.cores / found.rate + first_stage_s)
        price = None if self.price_per_hour is None else cpu_s / self.layout.cores / _HOUR_S * self.price_per_hour
        return SettingCost(
            rate=found.rate,
            low=found.low,
            high=found.high,
            p99_s=found.p99_s,
            busiest=found.busiest,
            first_stage_s=first_stage_s,
            cpu_s=cpu_s,
            price=price,
        )

    def _demand(self, depth: int, *, stored: bool) -> Demand:
        if not stored:
            return replace(self.demand, depth=depth)
        if self.stored is None:
            raise ValueError("the replica was given no demand of stored token vectors")
        return self.stored

    def _simulated(self, demand: Demand, first_stage_s: float) -> HighestRate | ImpossibleSloError:
        layout = replace(self.layout, between_s=self.layout.between_s + first_stage_s)
        runs = runs_for(self.traffic, demand, layout, self.slo, self.runs)
        try:
            return highest_rate(demand, layout, self.slo, runs)
        except ImpossibleSloError as error:
            return error
