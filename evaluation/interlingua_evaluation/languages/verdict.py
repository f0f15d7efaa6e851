"""What to do about a language, by rules over figures with intervals alone.

LanguageQuality --> Verdict: one of five, and the sentence that says why

Two figures decide, as far as there are lists for them: nDCG@10 of queries in the language over the mixed pool, and of
documents in the language that queries in other languages seek. A step (offsets; reranking on top of them) helps if it
really raises one of them and really lowers neither; "really" means that the whole 95% interval of the difference, list
by list, is on one side of 0. The first rule that applies gives the verdict:

too little data   no judgments; or a deciding figure of fewer than 20 groups, or with an interval wider than 0.3
look closer       with everything switched on, a deciding figure is below the average of the other languages, by more
                  than 0.05 with its whole interval; or the language is shown less than half as often as it is right,
                  with its whole interval; or a step really lowers a deciding figure
rerank            reranking helps
offsets           offsets help
fine              nothing of this

Half of all languages are below the average of the others, and one in forty figures is "really" so by chance: hence the
margin. Twenty groups are where an interval over groups begins to be trusted (comparisons.py has the same number).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from interlingua_evaluation.languages.judged_systems import STEPS
from interlingua_evaluation.measures.relevance import CUTOFF, NDCG

if TYPE_CHECKING:
    from interlingua.display.figures import Estimate
    from interlingua_evaluation.languages.quality import LanguageQuality, Role

VerdictName = Literal["fine", "offsets", "rerank", "look closer", "too little data"]

FEWEST_GROUPS = 20
WIDEST = 0.3
FAR_BELOW = 0.05
RARELY_SHOWN = 0.5

_DECIDING: tuple[Role, ...] = ("mixed", "sought")
_VERBS = {"offsets": ("raise", "change"), "reranking": ("raises", "changes")}
_VERDICT_OF: dict[str, VerdictName] = {"offsets": "offsets", "reranking": "rerank"}


@dataclass(frozen=True)
class VerdictLimits:
    """The rules' numbers, for reports.

    Attributes:
        fewest_groups: of queries behind a deciding figure.
        widest: interval of a deciding figure.
        far_below: nDCG@10 below the average of the other languages.
        rarely_shown: exposure.
    """

    fewest_groups: int = FEWEST_GROUPS
    widest: float = WIDEST
    far_below: float = FAR_BELOW
    rarely_shown: float = RARELY_SHOWN


@dataclass(frozen=True)
class Verdict:
    """A verdict.

    Attributes:
        reason: a sentence with the figures that decided.
    """

    name: VerdictName
    reason: str


def verdict(language: str, quality: LanguageQuality | None) -> Verdict:
    """The verdict on a language; `quality` is None where nothing is judged."""
    if quality is None:
        return Verdict(
            "too little data",
            "there are no judgments: `interlingua evaluate` tells more of a folder with queries and judgments, "
            "`interlingua monitor` of a search log without any.",
        )
    said = _Said(language, quality)
    if missing := list(said.missing()):
        return Verdict("too little data", _sentence(missing))
    helping = [step for step in STEPS.values() if said.helps(step)]
    helped = [said.gain(step) for step in helping]
    if faults := list(said.faults()):
        return Verdict("look closer", _sentence([*faults, *helped, *said.unknown()]))
    if helping:
        unchanged = [f"{step} {_VERBS[step][1]} nothing really" for step in said.steps if step not in helping]
        return Verdict(_VERDICT_OF[helping[-1]], _sentence([*helped, *unchanged, *said.unknown()]))
    return Verdict("fine", _sentence([*said.as_it_is(), *said.unknown()]))


class _Said:
    """The rules, each with its words."""

    def __init__(self, language: str, quality: LanguageQuality) -> None:
        self._language, self._quality = language, quality
        self._figures = {role: quality.roles[role] for role in _DECIDING if role in quality.roles}

    @property
    def steps(self) -> list[str]:
        """The steps that were evaluated."""
        return list(next(iter(self._figures.values())).gains)

    def missing(self) -> Iterator[str]:
        if not self._figures:
            yield f"no query in {self._language} is judged, and no other finds an answer in it"
        for role, figures in self._figures.items():
            last = figures.last
            if last.groups < FEWEST_GROUPS:
                yield f"{self._what(role)} are judged in {last.groups} groups only, and {FEWEST_GROUPS} are needed"
            elif last.high - last.low > WIDEST:
                yield f"{self._what(role)} reach {NDCG} {_with_interval(last)}, which is wider than {WIDEST}"

    def helps(self, step: str) -> bool:
        gains = [figures.gains[step] for figures in self._figures.values() if step in figures.gains]
        return any(gain.is_better for gain in gains) and not any(gain.is_worse for gain in gains)

    def gain(self, step: str) -> str:
        raised = [
            f"of {self._what(role)} by {_with_interval(figures.gains[step])}"
            for role, figures in self._figures.items()
            if figures.gains[step].is_better
        ]
        return f"{step} {_VERBS[step][0]} {NDCG} {' and '.join(raised)}"

    def faults(self) -> Iterator[str]:
        for role, figures in self._figures.items():
            others = figures.against_others
            if others is not None and others.high < -FAR_BELOW:
                below = f"{-others.mean:.3f} ({-others.high:.3f} to {-others.low:.3f})"
                reached = f"{NDCG} {figures.last.mean:.3f}"
                yield f"with everything on, {self._what(role)} reach {reached}, {below} less than other languages"
        exposure = list(self._quality.exposure.values())
        if exposure and exposure[-1].high < RARELY_SHOWN:
            yield (
                f"documents in {self._language} come {_with_interval(exposure[-1], 2)} times as often within the first "
                f"{CUTOFF} as they are right"
            )
        for step in self.steps:
            for role, figures in self._figures.items():
                if figures.gains[step].is_worse:
                    change = _with_interval(figures.gains[step])
                    yield f"{step} {_VERBS[step][1]} {NDCG} of {self._what(role)} by {change}"

    def as_it_is(self) -> Iterator[str]:
        for role, figures in self._figures.items():
            first = next(iter(figures.systems.values()))
            yield f"{self._what(role)} reach {NDCG} {_with_interval(first)} as it is"
        yield f"{' and '.join(self.steps)} change nothing really"

    def unknown(self) -> Iterator[str]:
        """What the verdict does not stand on."""
        if "mixed" not in self._figures:
            yield f"nobody asks in {self._language} here"
        if "sought" not in self._figures:
            yield f"no query in another language has an answer in {self._language}"

    def _what(self, role: Role) -> str:
        if role == "mixed":
            return f"queries in {self._language} over the mixed pool"
        return f"documents in {self._language} sought from other languages"


def _with_interval(figure: Estimate, decimals: int = 3) -> str:
    """0.212 (0.177 to 0.250)."""
    mean, low, high = (f"{value:.{decimals}f}" for value in (figure.mean, figure.low, figure.high))
    return f"{mean} ({low} to {high})"


def _sentence(parts: list[str]) -> str:
    return "; ".join(parts) + "."
