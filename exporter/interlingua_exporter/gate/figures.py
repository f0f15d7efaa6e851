"""Answers, and torch's --> Figures, each at its worst place and with its bound.

relative errors of texts --worst--> GateFigure;  rankings, language by language --ranking_figures--> Figures
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from interlingua_exporter.gate.ranking_agreement import TOP, LanguageAgreement, Values, translations_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.kinds import Role
    from interlingua_exporter.gate.bounds import Bounds
    from interlingua_exporter.texts.parity_texts import ParitySet

_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class GateFigure:
    """One measured figure, at its worst place.

    Attributes:
        sense: whether the bound is the most (`<=`) or the least (`>=`) the value may be; `info` has no bound.
        mean: over everything measured.
        where: the text or the language with the worst value.
    """

    name: str
    worst: float
    mean: float
    sense: Literal["<=", ">=", "info"]
    bound: float | None
    where: str

    @property
    def passed(self) -> bool:
        if self.bound is None:
            return True
        # A NaN is on neither side of a bound and fails.
        return self.worst <= self.bound if self.sense == "<=" else self.worst >= self.bound

    def describe(self) -> str:
        """The figure on one line of a message."""
        return f"{self.name} {self.worst:.3g}, must be {self.sense} {self.bound:g} ({self.where})"


def relative_errors(ours: Values, theirs: Values, role: Role) -> Values:
    """How far answers are from others, as `Bounds.error` says: [n, D] twice -> [n]."""
    distance: Values = np.linalg.norm(ours - theirs, axis=1)
    scale = np.linalg.norm(theirs, axis=1) if role == "embedder" else np.full(len(theirs), theirs.std())
    errors: Values = distance / np.maximum(scale, _TINY)
    return errors


def worst(name: str, values: Values, bound: float, describe: Sequence[str]) -> GateFigure:
    """The value that is furthest off, values [n] of n described texts; a NaN is the furthest."""
    at = int(np.argmax(np.where(np.isnan(values), np.inf, values)))
    return GateFigure(
        name=name, worst=float(values[at]), mean=float(values.mean()), sense="<=", bound=bound, where=describe[at]
    )


def ranking_figures(
    parity: ParitySet, languages: Sequence[LanguageAgreement], ours: Values, theirs: Values, bounds: Bounds
) -> tuple[GateFigure, ...]:
    """The figures of the language that agrees least."""
    overlaps = {each.language: each.overlap for each in languages}
    correlations = {each.language: each.correlation for each in languages}
    found = [translations_found(parity.rankings, answers) for answers in (ours, theirs)]
    return (
        _least(f"top-{TOP} overlap, per language", overlaps, bounds.overlap),
        _least("rank correlation, per language", correlations, bounds.correlation),
        GateFigure(
            name="translations found first",
            worst=found[0],
            mean=found[0],
            sense="info",
            bound=None,
            where=f"torch: {found[1]:.3f}",
        ),
    )


def _least(name: str, means: dict[str, float], bound: float) -> GateFigure:
    worst = min(means, key=lambda language: np.nan_to_num(means[language], nan=-np.inf))
    return GateFigure(
        name=name, worst=means[worst], mean=float(np.mean(list(means.values()))), sense=">=", bound=bound, where=worst
    )
