"""Draws of numbered things by their chances.

weights [n] -> Draws -> one number, or several different ones
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float64]

_ROUNDS = 4


class Draws:
    """Numbers from 0 to n - 1, each with a chance in proportion to its weight."""

    def __init__(self, weights: Weights) -> None:
        """`weights`: [n], none below 0, not all 0."""
        self.chances: Weights = weights / weights.sum()
        self._upto = np.cumsum(self.chances).tolist()
        self._last = int(np.flatnonzero(self.chances)[-1])

    @classmethod
    def shared(cls, weights: Weights, groups: Sequence[Hashable], shares: Sequence[float]) -> Draws:
        """Each group has its share, which is divided by weight within it.

        Args:
            weights: [n].
            groups: group of each, [n].
            shares: of each one's group, [n].
        """
        numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
        rows = np.array([numbers[group] for group in groups])
        return cls(weights * np.asarray(shares) / np.bincount(rows, weights)[rows])

    def one(self, random: np.random.Generator) -> int:
        """Draws one number."""
        # The last sum may be a hair below 1.
        return min(bisect_right(self._upto, random.random()), self._last)

    def distinct(self, random: np.random.Generator, number: int) -> list[int]:
        """`number` different ones, in the order drawn; each next one by chance among those that are left.

        Repeated draws that leave out what came already do that; where few are left that have a chance to speak of, the
        rest is drawn by an exponential race (Efraimidis and Spirakis 2006, Weighted random sampling with a reservoir).
        """
        chosen: dict[int, None] = {}
        for _ in range(_ROUNDS):
            drawn = np.searchsorted(self._upto, random.random(2 * number), side="right")
            chosen.update(dict.fromkeys(np.minimum(drawn, self._last).tolist()))
            if len(chosen) >= number:
                return list(chosen)[:number]
        left = self.chances.copy()
        left[list(chosen)] = 0
        with np.errstate(divide="ignore"):
            arrival = random.exponential(size=len(left)) / left
        return [*chosen, *np.argsort(arrival)[: number - len(chosen)].tolist()]


def zipf_weights(number: int, exponent: float, random: np.random.Generator) -> Weights:
    """rank ** -exponent, the ranks 1 to `number` dealt at random (Zipf 1949, Human behavior, chapter 2)."""
    ranks = random.permutation(number) + 1
    weights: Weights = ranks.astype(np.float64) ** -exponent
    return weights
