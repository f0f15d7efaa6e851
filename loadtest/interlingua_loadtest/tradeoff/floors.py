"""The least that a setting's nDCG@10 may be, in the grammar of `--fail-under`
(interlingua_evaluation/report/changes/thresholds.py).

specs --> Threshold ...;  ServingSetting --> what fails, and by how much
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, cast

from interlingua.base.errors import InputError
from interlingua_evaluation.measures.relevance import NDCG
from interlingua_evaluation.report.changes.thresholds import WORST, Failure, Threshold, check, parse_all

if TYPE_CHECKING:
    from interlingua_evaluation.report.model import MeasureFigures, Report
    from interlingua_loadtest.tradeoff.records import PlacedSetting, ServingSetting


class _Judged(NamedTuple):
    """A system, as the check reads it."""

    name: str
    measures: dict[str, MeasureFigures]


class _OneSystem(NamedTuple):
    """A report of one system, as far as the check reads it."""

    best: str
    systems: tuple[_Judged, ...]


@dataclass(frozen=True)
class Floors:
    """All of them."""

    thresholds: tuple[Threshold, ...]

    @classmethod
    def parse(cls, specs: Sequence[str]) -> Floors:
        """Raises InputError: one is none, names a system, or is about another measure."""
        try:
            thresholds = parse_all(specs)
        except InputError as error:
            raise InputError(str(error).replace("--fail-under", "--floor", 1)) from error
        for threshold in thresholds:
            if threshold.system is not None:
                raise InputError(
                    f"--floor {threshold.spec!r}: a floor is for every system, leave {threshold.system}| out"
                )
            if threshold.measure != NDCG:
                raise InputError(f"--floor {threshold.spec!r}: a floor is one of {NDCG.lower()}")
        return cls(tuple(thresholds))

    @property
    def specs(self) -> tuple[str, ...]:
        return tuple(threshold.spec for threshold in self.thresholds)

    def judged(self, row: PlacedSetting) -> PlacedSetting:
        """With what it fails."""
        failures = check(cast("Report", _as_report(row.setting)), self.thresholds)
        shortfall = max((_missing(failure) for failure in failures), default=0.0)
        return replace(row, failures=tuple(_words(failure) for failure in failures), shortfall=shortfall)


def _as_report(setting: ServingSetting) -> _OneSystem:
    return _OneSystem(setting.system, (_Judged(setting.system, {NDCG: setting.ndcg}),))


def _missing(failure: Failure) -> float:
    return failure.least - (failure.actual or 0.0)


def _words(failure: Failure) -> str:
    """`worst-pair sw>de 0.412 < 0.5`."""
    scope = failure.what.partition(": ")[2].replace(f" {NDCG}", "").removeprefix(f"{WORST} ")
    actual = "not in the report" if failure.actual is None else f"{failure.actual:.3f}"
    return f"{scope} {actual} < {failure.least:g}"
