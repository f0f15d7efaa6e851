"""How a language fares: every list's nDCG@10 --> four averages a language, what each step changes, and the others.

    mixed    queries in the language, documents of all languages in one pool
    across   queries in the language, documents of each other language
    same     queries and documents in it
    sought   documents in it, queries in each other language

An average is over language pairs, each of which counts the same. All are of the same draws of groups, so that a
difference between systems, or between a language and the others, is taken draw by draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from interlingua_evaluation.languages.exposure import OwnShare, exposures, own_shares
from interlingua_evaluation.languages.judged_systems import STEPS
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.model import Figure
from interlingua_evaluation.significance.bootstrap import Interval, Resampler, Resampling
from interlingua_evaluation.systems.candidate_lists import MIXED, Pair

if TYPE_CHECKING:
    from interlingua_evaluation.languages.judged_systems import JudgedSystems
    from interlingua_evaluation.measures.relevance import Values

Role = Literal["mixed", "across", "same", "sought"]

ROLES: tuple[Role, ...] = ("mixed", "across", "same", "sought")

_LEVELS = (0.025, 0.975)


@dataclass(frozen=True)
class RoleFigures:
    """nDCG@10 of a language in one role.

    Attributes:
        systems: system -> its figure, in the order in which things are switched on.
        gains: step ("offsets", "reranking") -> the difference that it makes, list by list.
        against_others: the last system's figure minus the average of the other languages' in the same role; None where
            there is no other.
    """

    systems: Mapping[str, Figure]
    gains: Mapping[str, Interval]
    against_others: Interval | None

    @property
    def last(self) -> Figure:
        """The quality of the system with everything on."""
        return list(self.systems.values())[-1]


@dataclass(frozen=True)
class LanguageQuality:
    """One language.

    Attributes:
        queries: judged ones in it; 0 where nobody asks in it.
        groups: that these are of.
        roles: those that there are lists for.
        own_share, exposure: system -> figures, where the pool has several languages; `exposure` where the language has
            documents that are relevant.
    """

    queries: int
    groups: int
    roles: Mapping[Role, RoleFigures]
    own_share: Mapping[str, OwnShare]
    exposure: Mapping[str, Interval]


def language_quality(judged: JudgedSystems, languages: Sequence[str]) -> dict[str, LanguageQuality]:
    """The quality of each of these languages."""
    own = {name: own_shares(lists, judged.half) for name, lists in judged.lists.items()}
    shown = {name: exposures(lists, judged.half) for name, lists in judged.lists.items()}
    averages = _Averages(judged)
    found = {}
    for tag in languages:
        asked = judged.values.language == tag
        found[tag] = LanguageQuality(
            queries=len(np.unique(judged.values.query[asked])),
            groups=len(np.unique(judged.values.group[asked])),
            roles={role: figures for role in ROLES if (figures := averages.of(role, tag, languages)) is not None},
            own_share={name: of_system[tag] for name, of_system in own.items() if tag in of_system},
            exposure={name: of_system[tag] for name, of_system in shown.items() if tag in of_system},
        )
    return found


class _Averages:
    """All systems and the steps between them, resampled alike."""

    def __init__(self, judged: JudgedSystems) -> None:
        values = judged.values
        self._pairs, self._groups = values.pairs, values.group
        resampler = Resampler(values.group.tolist())
        measured = {name: values.values[name][NDCG] for name in judged.names}
        self._systems = {name: resampler.of(of_lists, self._pairs) for name, of_lists in measured.items()}
        self._steps = {
            STEPS[name]: resampler.of(measured[name] - measured[before], self._pairs)
            for before, name in zip(judged.names, judged.names[1:], strict=False)
        }

    def of(self, role: Role, tag: str, languages: Sequence[str]) -> RoleFigures | None:
        last = list(self._systems.values())[-1]
        pairs = self._of(role, tag)
        if not pairs:
            return None
        others = [found for other in languages if other != tag and (found := self._of(role, other))]
        return RoleFigures(
            systems={name: self._figure(resampling, pairs) for name, resampling in self._systems.items()},
            gains={step: resampling.over(pairs) for step, resampling in self._steps.items()},
            against_others=_against(last, pairs, others) if others else None,
        )

    def _of(self, role: Role, tag: str) -> list[Pair]:
        """The pairs of a language in a role."""
        pairs = next(iter(self._systems.values())).pairs
        if role == "mixed":
            return [pair for pair in pairs if pair == Pair(tag, MIXED)]
        if role == "same":
            return [pair for pair in pairs if pair == Pair(tag, tag)]
        if role == "across":
            return [pair for pair in pairs if pair.asked == tag and pair.pool not in (tag, MIXED)]
        return [pair for pair in pairs if pair.pool == tag and pair.asked != tag]

    def _figure(self, resampling: Resampling, pairs: list[Pair]) -> Figure:
        wanted = set(pairs)
        rows = [row for row, pair in enumerate(self._pairs) if pair in wanted]
        return Figure(*resampling.over(pairs), len(rows), len(np.unique(self._groups[rows])))


def _against(resampling: Resampling, pairs: list[Pair], others: list[list[Pair]]) -> Interval:
    """The average over pairs minus the average over the others' averages."""
    columns = {pair: number for number, pair in enumerate(resampling.pairs)}

    def difference(rows: Values) -> Values:
        def average(of: list[Pair]) -> Values:
            return _mean(rows[:, [columns[pair] for pair in of]])

        return average(pairs) - _mean(np.stack([average(other) for other in others], axis=1))

    drawn = difference(resampling.resampled)
    low, high = np.quantile(drawn[~np.isnan(drawn)], _LEVELS)
    return Interval(float(difference(resampling.observed[None])[0]), float(low), float(high))


def _mean(rows: Values) -> Values:
    """The mean of each row's numbers; NaN where it has none, as a draw can miss a pair of few groups."""
    there = ~np.isnan(rows)
    counts = there.sum(axis=1)
    means: Values = np.where(counts > 0, np.where(there, rows, 0).sum(axis=1) / np.maximum(counts, 1), np.nan)
    return means
