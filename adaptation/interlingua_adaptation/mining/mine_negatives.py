"""A query's nearest groups --> the negatives of its list.

    ranks 1 to 30 -- the query's own group -- near-duplicates --> some of ranks 1 to 10, some of 11 to 30

A section that says the same as the right one is no wrong answer, and a model that is told so unlearns what it
knows. The nearest are the hardest, and the likeliest to be right unnoticed: so not all negatives come from there.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from interlingua_adaptation.mining.mine_queries import heading_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from interlingua_adaptation.corpus_step.section import Section

DEPTH = 30
_HARDEST = 10  # ranks
_SAME_COSINE = 0.97
_SHORTEST_CONTAINED = 20  # characters; a shorter text is in many others by chance


class Negatives(NamedTuple):
    """Groups that do not answer, in the order they were found, and how many near-duplicates were left out."""

    groups: list[str]
    near_duplicates: int


class NegativeChoice:
    """Chooses among neighbours, the same on every run."""

    def __init__(
        self, sections: Mapping[str, Section], cosine: Callable[[str, str], float], *, number: int, seed: int
    ) -> None:
        """`sections` by group are the representatives; `cosine` compares two groups."""
        self._sections, self._cosine, self._number, self._seed = sections, cosine, number, seed

    def choose(self, query_id: str, group: str, neighbours: Sequence[str]) -> Negatives:
        """At most `number` of the neighbours; more than half of them from the nearest ten."""
        others = [other for other in neighbours if other != group]
        wrong = [other for other in others if not self._is_near_duplicate(group, other)]
        near, far = wrong[:_HARDEST], wrong[_HARDEST:]
        random_numbers = random.Random(f"{self._seed}/{query_id}")
        hard = min(len(near), max((self._number + 1) // 2, self._number - len(far)))
        chosen = set(random_numbers.sample(near, hard))
        chosen.update(random_numbers.sample(far, min(len(far), self._number - hard)))
        return Negatives([other for other in wrong if other in chosen], len(others) - len(wrong))

    def _is_near_duplicate(self, group: str, other: str) -> bool:
        mine, theirs = self._sections[group], self._sections[other]
        if heading_key(mine.title) == heading_key(theirs.title) != "":
            return True
        return _one_contains_the_other(mine.text, theirs.text) or self._cosine(group, other) > _SAME_COSINE


def _one_contains_the_other(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return len(short) >= _SHORTEST_CONTAINED and short in long
