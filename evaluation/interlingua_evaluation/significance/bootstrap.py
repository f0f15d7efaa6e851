"""How sure a mean over language pairs is: a percentile bootstrap over groups (Efron and Tibshirani 1993, chapter 13).

    values [R] --sums and counts by (group, pair)--> S, N [G, P]
    draw G groups with replacement, b times: counts C [b, G]
    means of the pairs (C S) / (C N) [b, P] --average over the pairs--> b figures --> 2.5% and 97.5% percentiles

All queries of one page, in all languages, are drawn together: translations of one question succeed and fail together,
and taking them for independent would make the interval several times too narrow. Two systems are compared on the
differences of their values, list by list. The draws are made once and serve every system and measure, so that figures
of one report are resampled alike. A value that is NaN is not defined for its list and is left out of its pair's mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from interlingua_evaluation.measures.relevance import Values
    from interlingua_evaluation.systems.candidate_lists import Pair

RESAMPLES = 10_000
SEED = 20260101
_LEVELS = (0.025, 0.975)


class Interval(NamedTuple):
    """A mean and its 95% interval."""

    mean: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        """For a difference: below 0 with its whole interval."""
        return self.high < 0

    @property
    def is_better(self) -> bool:
        """For a difference: above 0 with its whole interval."""
        return self.low > 0

    @property
    def is_undecided(self) -> bool:
        """For a difference: 0 is within, and the interval is wider than the difference itself."""
        return self.low <= 0 <= self.high and self.high - self.low > abs(self.mean)


@dataclass(frozen=True)
class Resampling:
    """Values of some lists, by pair, as they are and resampled.

    Attributes:
        pairs: P of them, sorted; those without a single defined value are not among them.
        observed: [P], the mean of each pair.
        resampled: [b, P].
        lists: [P], how many lists with a value each pair has.
        groups: [P], of how many groups these are.
    """

    pairs: tuple[Pair, ...]
    observed: Values
    resampled: Values
    lists: Values
    groups: Values

    def of_pair(self, pair: Pair) -> Interval:
        """The interval of one pair's mean."""
        return self.over([pair])

    def over(self, pairs: Sequence[Pair]) -> Interval:
        """The interval of the average over pairs, each of which counts the same."""
        low, high = np.quantile(self.drawn(pairs), _LEVELS)
        return Interval(float(self.observed[self._columns(pairs)].mean()), float(low), float(high))

    def standard_error(self, pairs: Sequence[Pair]) -> float:
        """The standard error of the average over pairs."""
        return float(self.drawn(pairs).std())

    def drawn(self, pairs: Sequence[Pair]) -> Values:
        """The average over pairs of every draw, [b]."""
        part = self.resampled[:, self._columns(pairs)]
        missing = np.isnan(part)
        if not missing.any():
            plain: Values = part.mean(axis=1)
            return plain
        # A pair of few groups can be missing from a draw, which then is averaged over the others; a draw that has
        # none of them says nothing.
        there = (~missing).sum(axis=1)
        means: Values = np.where(missing, 0, part).sum(axis=1)[there > 0] / there[there > 0]
        return means

    def _columns(self, pairs: Sequence[Pair]) -> list[int]:
        return [self.pairs.index(pair) for pair in pairs]


class Resampler:
    """Draws of the groups that some lists belong to."""

    def __init__(self, groups: Sequence[str], *, resamples: int = RESAMPLES, seed: int = SEED) -> None:
        """`groups` of each list, R of them."""
        names, self._group_of = np.unique(np.array(groups, dtype=object).astype(str), return_inverse=True)
        self.groups = len(names)
        chances = np.full(len(names), 1 / len(names))
        draws = np.random.default_rng(seed).multinomial(len(names), chances, size=resamples)
        self._draws: Values = draws.astype(np.float64)

    def of(self, values: Values, pairs: Sequence[Pair]) -> Resampling:
        """Resample values [R] of lists that belong to these pairs."""
        defined = ~np.isnan(values)
        names = tuple(sorted({pair for pair, is_defined in zip(pairs, defined, strict=True) if is_defined}))
        column = {pair: number for number, pair in enumerate(names)}
        rows = np.flatnonzero(defined)
        cells = self._group_of[rows], np.array([column[pairs[row]] for row in rows.tolist()], dtype=np.int64)
        sums, counts = np.zeros((2, self.groups, len(names)))
        np.add.at(sums, cells, values[rows])
        np.add.at(counts, cells, 1)
        with np.errstate(invalid="ignore"):
            resampled = (self._draws @ sums) / (self._draws @ counts)
        lists = counts.sum(axis=0)
        observed = sums.sum(axis=0) / lists
        return Resampling(names, observed, resampled, lists, (counts > 0).sum(axis=0))


def resample(
    values: Values,
    pairs: Sequence[Pair],
    groups: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Resampling:
    """Draw groups with replacement, once.

    Args:
        values: [R].
        pairs, groups: of each list, R of them.
    """
    return Resampler(groups, resamples=resamples, seed=seed).of(values, pairs)
