"""Values of lists --> figures: by kind of pair, by kind of query, by pair, all resampled alike.

values [R] --bootstrap over groups--> Breakdown (same, across, mixed), one for all queries and one a kind of query
                                 --> a Figure a pair
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.report.model import Breakdown, Figure, MeasureFigures
from interlingua_evaluation.significance.bootstrap import Resampler, Resampling
from interlingua_evaluation.systems.candidate_lists import MIXED, CandidateLists, Pair

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.measures.relevance import Values

SORTS = ("same", "across", "mixed")


def sort_of(pair: Pair) -> str:
    """same, across or mixed."""
    return MIXED if pair.pool == MIXED else "same" if pair.asked == pair.pool else "across"


@dataclass(frozen=True)
class Averager:
    """Averages values over the lists that are judged.

    Attributes:
        lists: R rows; only which query and pool they are of is used.
        chosen: bool [R], the lists that count: those of one half.
    """

    lists: CandidateLists
    chosen: npt.NDArray[np.bool_]

    def measure(self, values: Values) -> MeasureFigures:
        """All figures of one measure; values float64 [R], NaN where it is not defined."""
        resampling = self.resampling(values)
        return MeasureFigures(
            all=self.breakdown(values, resampling),
            kinds={kind: self.breakdown(np.where(self.kinds == kind, values, np.nan)) for kind in self.kind_names},
            pairs={pair: self._figure(values, resampling, [pair]) for pair in resampling.pairs},
        )

    def breakdown(self, values: Values, resampling: Resampling | None = None) -> Breakdown:
        """The averages of all queries; `resampling` of the same values, where it is at hand."""
        resampling = resampling or self.resampling(values)
        pairs = {sort: [pair for pair in resampling.pairs if sort_of(pair) == sort] for sort in SORTS}
        return Breakdown(*(self._figure(values, resampling, pairs[sort]) if pairs[sort] else None for sort in SORTS))

    def mixed(self, values: Values) -> Figure | None:
        """The average over the query languages in the mixed pool."""
        return self.breakdown(np.where(self.sorts == MIXED, values, np.nan)).mixed

    def by_language(self, values: Values) -> dict[str, Figure]:
        """In the mixed pool, by query language."""
        resampling = self.resampling(np.where(self.sorts == MIXED, values, np.nan))
        return {pair.asked: self._figure(values, resampling, [pair]) for pair in resampling.pairs}

    def resampling(self, values: Values) -> Resampling:
        """The resampling of the lists that count."""
        return self._resampler.of(values[self._rows], self._pairs)

    @cached_property
    def kinds(self) -> npt.NDArray[np.str_]:
        """The kind of each list's query, [R]."""
        return np.array([query.kind for query in self.lists.dataset.queries])[self.lists.queries]

    @cached_property
    def kind_names(self) -> tuple[str, ...]:
        """The kinds of the lists that count, in the order of their first appearance; () where there is only one."""
        names = tuple(dict.fromkeys(self.kinds[self._rows].tolist()))
        return names if len(names) > 1 else ()

    @cached_property
    def sorts(self) -> npt.NDArray[np.str_]:
        """same, across or mixed, of each list, [R]."""
        return np.array([sort_of(pair) for pair in self.lists.pairs])

    @cached_property
    def _rows(self) -> npt.NDArray[np.int64]:
        return np.flatnonzero(self.chosen)

    @cached_property
    def _pairs(self) -> list[Pair]:
        return [self.lists.pairs[row] for row in self._rows.tolist()]

    @cached_property
    def _groups(self) -> npt.NDArray[np.str_]:
        return np.array(self.lists.groups, dtype=str)

    @cached_property
    def _resampler(self) -> Resampler:
        return Resampler(self._groups[self._rows].tolist())

    def _figure(self, values: Values, resampling: Resampling, pairs: Sequence[Pair]) -> Figure:
        mean, low, high = resampling.over(pairs)
        columns = [resampling.pairs.index(pair) for pair in pairs]
        lists = int(resampling.lists[columns].sum())
        if len(pairs) == 1:
            return Figure(mean, low, high, lists, int(resampling.groups[columns[0]]))
        defined = self.chosen & ~np.isnan(values) & (self.sorts == sort_of(pairs[0]))
        return Figure(mean, low, high, lists, len(np.unique(self._groups[defined])))
