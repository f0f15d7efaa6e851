"""`--fail-under`: the least that a figure may be, for a pipeline that should stop when quality falls.

    [SYSTEM|][low:][same:|across:|mixed:|pair:QUERY>POOL:|worst-pair:]MEASURE=LEAST

    ndcg@10=0.5                              every average of the best system: same, across and mixed
    mixed:ndcg@10=0.55                       one of them
    pair:de>en:ndcg@10=0.4                   one language pair; pair:de>mixed:... for the pool of all languages
    worst-pair:ndcg@10=0.3                   the lowest of all pairs, those of the pool of all languages included
    low:across:recall@100=0.8                the lower end of the 95% interval instead of the mean
    dense+offsets|mixed:ndcg@10=0.5          of that system instead of the best

A figure fails when it is less than LEAST, as it was computed, without rounding; a figure that is not there (an unknown
system, a pair without lists) fails too, since nothing was shown to be good enough. `|` and `>` need quotes in a shell.

specs --parse_all--> Threshold ... --with a Report--> Failure ...
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_client.language_tag import normalize_tag
from interlingua_evaluation.measures.relevance import MEASURES
from interlingua_evaluation.report.averages import SORTS
from interlingua_evaluation.systems.candidate_lists import Pair

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import Figure, MeasureFigures, Report

WORST = "worst-pair"

_SEPARATOR = "|"
_LOW = "low"
_PAIR = "pair"
_MEASURES = {name.lower(): name for name in MEASURES}


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The least that a figure may be.

    Attributes:
        spec: as it was written.
        system: None for the best.
        low: the lower end of the interval is meant.
        scope: "" (every average), one of SORTS, a Pair, or WORST.
    """

    spec: str
    system: str | None
    low: bool
    scope: str | Pair
    measure: str
    least: float


@dataclass(frozen=True)
class Failure:
    """A figure that is too low.

    Attributes:
        what: system, kind of pair or pair, measure.
        actual: None where there is no such figure.
    """

    spec: str
    what: str
    actual: float | None
    least: float

    def __str__(self) -> str:
        actual = "is not in the report" if self.actual is None else f"is {self.actual:.6g}"
        return f"{self.what} {actual}; --fail-under {self.spec} asks for at least {self.least:g}"


class _SpecError(Exception):
    """What is wrong with one spec."""


def parse_all(specs: Iterable[str]) -> list[Threshold]:
    """Read specs.

    Raises:
        InputError: some are none; the message has all of them.
    """
    thresholds, faults = [], []
    for spec in specs:
        try:
            thresholds.append(_threshold(spec))
        except _SpecError as fault:
            faults.append(f"{spec!r}: {fault}")
    if faults:
        raise InputError(
            f"--fail-under: {'; '.join(faults)}. It is written as in mixed:ndcg@10=0.55 or "
            "'dense+offsets|pair:de>en:recall@100=0.8'"
        )
    return thresholds


def check(report: Report, thresholds: Iterable[Threshold]) -> list[Failure]:
    """The figures that are too low, in the thresholds' order."""
    return [failure for threshold in thresholds for failure in _failures(report, threshold)]


def _threshold(spec: str) -> Threshold:
    place, equals, least = spec.strip().rpartition("=")
    if not equals:
        raise _SpecError("there is no =LEAST")
    system, separator, figure = place.rpartition(_SEPARATOR)
    if separator and not system.strip():
        raise _SpecError(f"no system before {_SEPARATOR}")
    *scope, measure = (part.strip() for part in figure.split(":"))
    low = scope[:1] == [_LOW]
    return Threshold(
        spec=spec,
        system=system.strip() or None,
        low=low,
        scope=_scope(scope[low:]),
        measure=_measure(measure),
        least=_least(least),
    )


def _scope(words: list[str]) -> str | Pair:
    match words:
        case []:
            return ""
        case [word] if word in (*SORTS, WORST):
            return word
        case [word, pair] if word == _PAIR:
            asked, separator, pool = (part.strip() for part in pair.partition(">"))
            if asked and separator and pool:
                return Pair(asked, pool)
            raise _SpecError(f"{pair!r} is not a pair such as de>en or de>mixed")
    raise _SpecError(f"{':'.join(words)!r} is none of {', '.join(SORTS)}, {_PAIR}:QUERY>POOL, {WORST}")


def _measure(name: str) -> str:
    if name.lower() not in _MEASURES:
        raise _SpecError(f"{name!r} is none of {', '.join(_MEASURES)}")
    return _MEASURES[name.lower()]


def _least(text: str) -> float:
    try:
        least = float(text)
    except ValueError:
        least = math.nan
    if not 0 <= least <= 1:
        raise _SpecError(f"{text!r} is not a number from 0 to 1")
    return least


def _failures(report: Report, threshold: Threshold) -> Iterator[Failure]:
    name = threshold.system or report.best
    measures = next((system.measures for system in report.systems if system.name == name), {})
    if threshold.measure not in measures:
        yield Failure(threshold.spec, f"{name}: {threshold.measure}", None, threshold.least)
        return
    for scope, figure in _figures(measures[threshold.measure], threshold.scope).items():
        actual = None if figure is None else figure.low if threshold.low else figure.mean
        if actual is None or math.isnan(actual) or actual < threshold.least:
            end = ", lower end" if threshold.low else ""
            known = None if actual is None or math.isnan(actual) else actual
            yield Failure(threshold.spec, f"{name}: {scope} {threshold.measure}{end}", known, threshold.least)


def _figures(figures: MeasureFigures, scope: str | Pair) -> Mapping[str, Figure | None]:
    if isinstance(scope, Pair):
        named = next((pair for pair in figures.pairs if _is_meant(pair, scope)), None)
        return {str(scope): figures.pairs[named] if named else None}
    if scope == WORST:
        worst = min(figures.pairs, key=lambda pair: _ascending(figures.pairs[pair]), default=None)
        return {WORST if worst is None else f"{WORST} {worst}": figures.pairs[worst] if worst else None}
    if scope:
        return {scope: getattr(figures.all, scope)}
    averages = {sort: figure for sort in SORTS if (figure := getattr(figures.all, sort)) is not None}
    return averages or {"any average": None}


def _is_meant(pair: Pair, named: Pair) -> bool:
    """Whether a threshold's tags are these: `deu>nb` is de>no."""
    try:
        return pair == named or pair == Pair(*map(normalize_tag, named))
    except ValueError:
        return False


def _ascending(figure: Figure) -> float:
    """A figure that is no number is the worst."""
    return -math.inf if math.isnan(figure.mean) else figure.mean
