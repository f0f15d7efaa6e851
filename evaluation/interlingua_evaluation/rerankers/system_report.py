"""Values of systems --> means with intervals, and paired differences from the baseline.

values [R] of the lists that count --Averager--> Breakdown (same, across, mixed) and each pair's interval
values - baseline's                --Averager--> what the system changed, and where
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua_evaluation.rerankers.first_stages import BASELINE, SystemValues

if TYPE_CHECKING:
    from interlingua_evaluation.report.averages import Averager
    from interlingua_evaluation.report.model import Breakdown
    from interlingua_evaluation.significance.bootstrap import Interval
    from interlingua_evaluation.systems.candidate_lists import Pair


@dataclass(frozen=True, kw_only=True)
class SystemReport:
    """A system on a dataset's half.

    Attributes:
        own_share: of the first ten of the mixed pool, those in the query's language; NaN without a mixed pool.
        difference: from the baseline; None for the baseline itself.
        pairs: nDCG@10 of every pair.
        pair_differences: from the baseline, {} for the baseline itself.
    """

    name: str
    weight: float | None
    ndcg: Breakdown
    own_share: float
    difference: Breakdown | None
    pairs: Mapping[Pair, Interval]
    pair_differences: Mapping[Pair, Interval]

    @property
    def worse(self) -> list[Pair]:
        """Pairs that lost more than chance explains."""
        return [pair for pair, difference in self.pair_differences.items() if difference.is_worse]

    @property
    def better(self) -> list[Pair]:
        """Pairs that gained more than chance explains."""
        return [pair for pair, difference in self.pair_differences.items() if difference.is_better]


def compare(averager: Averager, systems: Sequence[SystemValues], baseline_name: str = BASELINE) -> list[SystemReport]:
    """The systems' reports, in their order; one of them is the baseline."""
    baseline = next(system for system in systems if system.name == baseline_name)
    return [_report(averager, system, baseline) for system in systems]


def _report(averager: Averager, system: SystemValues, baseline: SystemValues) -> SystemReport:
    resampled = averager.resampling(system.ndcg)
    is_baseline = system is baseline
    change = system.ndcg - baseline.ndcg
    changes = averager.resampling(change)
    own_share = averager.mixed(system.own_share)
    return SystemReport(
        name=system.name,
        weight=system.weight,
        ndcg=averager.breakdown(system.ndcg, resampled),
        own_share=own_share.mean if own_share else math.nan,
        difference=None if is_baseline else averager.breakdown(change, changes),
        pairs={pair: resampled.of_pair(pair) for pair in resampled.pairs},
        pair_differences={} if is_baseline else {pair: changes.of_pair(pair) for pair in changes.pairs},
    )
