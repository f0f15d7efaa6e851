"""What changed between two values of every list: over kinds of pair, kinds of query, and language pairs.

    after - before [R] --bootstrap over groups--> intervals \\
                       --sign flips of groups---> p, q      --> Change ...

A Change is better or worse if its 95% interval excludes the tolerance and its p-value is at most 5% after correction
for the number of averages, or of pairs: of many pairs, one in twenty would seem to differ by chance alone, and a
pipeline would stop for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from interlingua_evaluation.report.averages import SORTS, sort_of
from interlingua_evaluation.significance.bootstrap import RESAMPLES, Interval, Resampler, Resampling
from interlingua_evaluation.significance.sample_size import LEVEL, groups_needed
from interlingua_evaluation.significance.sign_flips import benjamini_hochberg, p_values

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.measures.relevance import Values
    from interlingua_evaluation.report.saved_report import Matched
    from interlingua_evaluation.systems.candidate_lists import Pair

Verdict = Literal["better", "worse", "equal", "undecided"]

_Key = TypeVar("_Key")

# The smallest p-value is 1 / (flips + 1), and the correction compares it with LEVEL / means: with fewer flips, one bad
# pair among very many could never be found.
_FLIPS_A_MEAN = 2 * round(1 / LEVEL)


@dataclass(frozen=True, kw_only=True)
class Change:
    """The change of an average, or of one pair.

    Attributes:
        before, after: means over the same lists.
        difference, low, high: after minus before, with its 95% interval.
        p: of a change beyond the tolerance, two sides.
        q: p corrected for the number of averages, or of pairs.
        verdict: equal: the whole interval is within the tolerance; undecided: none of the others.
        lists, groups: that were compared.
        groups_needed: that would show this difference (80% power, 5% level); None where no number would.
    """

    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    q: float
    verdict: Verdict
    lists: int
    groups: int
    groups_needed: int | None


class ListChanges:
    """The matched lists, resampled."""

    def __init__(self, matched: Matched, tolerance: float) -> None:
        self._lists, self._before, self._after = matched.lists, matched.before, matched.after
        self._pair_of, self._tolerance = matched.lists.pairs, tolerance
        self._numbers = {pair: number for number, pair in enumerate(sorted(set(self._pair_of)))}
        self._number_of = np.array([self._numbers[pair] for pair in self._pair_of])
        self._group_of = np.unique(matched.lists.group, return_inverse=True)[1]
        self._resampler = Resampler(matched.lists.group.tolist())

    @property
    def groups(self) -> int:
        return self._resampler.groups

    def averages(self) -> dict[str, Change]:
        """The averages of all lists."""
        return self._averages(np.ones(len(self._before), dtype=bool))

    def kinds(self) -> dict[str, dict[str, Change]]:
        """The same of each kind; none where there is only one."""
        names = list(dict.fromkeys(self._lists.kind.tolist()))
        return {name: self._averages(self._lists.kind == name) for name in names} if len(names) > 1 else {}

    def by_pair(self) -> dict[Pair, Change]:
        """The figures of all lists, pair by pair."""
        everything = np.ones(len(self._before), dtype=bool)
        return self._changes({pair: [pair] for pair in self._numbers}, everything)

    def _averages(self, chosen: npt.NDArray[np.bool_]) -> dict[str, Change]:
        there = sorted({self._pair_of[row] for row in np.flatnonzero(chosen).tolist()})
        pairs = {sort: [pair for pair in there if sort_of(pair) == sort] for sort in SORTS}
        return self._changes({sort: of_sort for sort, of_sort in pairs.items() if of_sort}, chosen)

    def _changes(self, pairs: Mapping[_Key, Sequence[Pair]], chosen: npt.NDArray[np.bool_]) -> dict[_Key, Change]:
        """Means over some pairs each, corrected for the number of these means."""
        resampling = self._resampler.of(np.where(chosen, self._after - self._before, np.nan), self._pair_of)
        rows = {key: self._rows(of_key, chosen) for key, of_key in pairs.items()}
        weights = {key: self._weights(rows[key]) for key in pairs}
        p = self._p_values(list(rows.values()), list(weights.values()))
        return {
            key: self._change(resampling, pairs[key], rows[key], weights[key], *values)
            for key, *values in zip(pairs, p.tolist(), benjamini_hochberg(p).tolist(), strict=True)
        }

    def _change(
        self, resampling: Resampling, pairs: Sequence[Pair], rows: IntArray, weights: Values, p: float, q: float
    ) -> Change:
        interval = resampling.over(pairs)
        groups = len(np.unique(self._group_of[rows]))
        return Change(
            before=float(self._before[rows] @ weights),
            after=float(self._after[rows] @ weights),
            difference=interval.mean,
            low=interval.low,
            high=interval.high,
            p=p,
            q=q,
            verdict=self._verdict(interval, q),
            lists=len(rows),
            groups=groups,
            groups_needed=groups_needed(interval.mean, resampling.standard_error(pairs), groups),
        )

    def _rows(self, pairs: Sequence[Pair], chosen: npt.NDArray[np.bool_]) -> IntArray:
        return np.flatnonzero(chosen & np.isin(self._number_of, [self._numbers[pair] for pair in pairs]))

    def _weights(self, rows: IntArray) -> Values:
        """The weight of each list in the mean over pairs, each of which counts the same."""
        lists = np.bincount(self._number_of[rows])
        weights: Values = 1 / (lists[self._number_of[rows]] * np.count_nonzero(lists))
        return weights

    def _p_values(self, rows: Sequence[IntArray], weights: Sequence[Values]) -> Values:
        contributions, shares = np.zeros((2, self.groups, len(rows)))
        for column, (of_mean, weight) in enumerate(zip(rows, weights, strict=True)):
            differences = self._after[of_mean] - self._before[of_mean]
            np.add.at(contributions[:, column], self._group_of[of_mean], weight * differences)
            np.add.at(shares[:, column], self._group_of[of_mean], weight)
        flips = max(RESAMPLES, _FLIPS_A_MEAN * len(rows))
        return p_values(contributions, shares, tolerance=self._tolerance, flips=flips)

    def _verdict(self, interval: Interval, q: float) -> Verdict:
        if q <= LEVEL and interval.high < -self._tolerance:
            return "worse"
        if q <= LEVEL and interval.low > self._tolerance:
            return "better"
        return "equal" if -self._tolerance <= interval.low and interval.high <= self._tolerance else "undecided"
