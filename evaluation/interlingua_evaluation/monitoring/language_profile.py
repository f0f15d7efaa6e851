"""How one query language fares: rates, score distributions, the hits' languages, stage times.

GroupColumns, threshold of a low score -> LanguageProfile
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from interlingua_evaluation.monitoring.log_columns import SCORES

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from interlingua_evaluation.monitoring.log_columns import GroupColumns, LogColumns, Numbers

MIN_SEARCHES = 30
ALL = "all"

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_LOW = 0.05  # of a baseline's searches have a low score, by definition
_DIGITS = 6

RATES = ("errors", "empty", "low_confidence", "unsure", "truncated", "degraded")


class Rate(NamedTuple):
    """So many of so many."""

    number: int
    of: int

    @property
    def share(self) -> float | None:
        """None of nothing."""
        return self.number / self.of if self.of else None


class Quantiles(NamedTuple):
    """A distribution: 5, 25, 50, 75 and 95%, and how many values there are."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float
    values: int


@dataclass(frozen=True, kw_only=True)
class LanguageProfile:
    """One query language, or all.

    Attributes:
        share: of all searches of the log.
        rates: by RATES. `errors` of all searches; `empty`, `truncated` of those answered; `low_confidence` of those
            with a hit, None without a threshold; `unsure` of those whose language was to be detected; `degraded` of
            those to be reranked.
        low_score: below this cosine of the first hit a search counts as of low confidence.
        scores: by SCORES; None without a value.
        mean_own_share: mean share of a search's hits in the query's own language.
        hit_languages: share of the hits by language, most first.
        stage_times: 50 and 95% in seconds, by stage.
    """

    language: str
    searches: int
    share: float
    rates: dict[str, Rate | None]
    low_score: float | None
    error_kinds: dict[str, int]
    sources: dict[str, int]
    reranking: dict[str, int]
    scores: dict[str, Quantiles | None]
    mean_own_share: float | None
    hit_languages: dict[str, float]
    stage_times: dict[str, tuple[float, float]]

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON has it."""
        rates = {name: rate and {**rate._asdict(), "share": rate.share} for name, rate in self.rates.items()}
        scores = {name: quantiles and quantiles._asdict() for name, quantiles in self.scores.items()}
        times = {stage: {"p50": p50, "p95": p95} for stage, (p50, p95) in self.stage_times.items()}
        return {**asdict(self), "rates": rates, "scores": scores, "stage_times": times}


def profiles(columns: LogColumns, low_scores: Mapping[str, float]) -> list[LanguageProfile]:
    """All languages as one, then each, the most searched first.

    Args:
        low_scores: the threshold of a low score, of the languages that have one.
    """
    total = columns.searches
    languages = [_profile(name, group, total, low_scores.get(name)) for name, group in columns.groups.items()]
    whole = _profile(ALL, columns.merged(), total, None)
    low = [rate for profile in languages if (rate := profile.rates["low_confidence"])]
    if low:
        whole.rates["low_confidence"] = Rate(sum(rate.number for rate in low), sum(rate.of for rate in low))
    return [whole, *languages]


def find_low_scores(columns: LogColumns, baseline: LogColumns | None, fixed: float | None) -> dict[str, float]:
    """The threshold of a low score, by language of `columns`.

    Args:
        fixed: for all languages, in place of the 5th percentile that the language has in the baseline.
    """
    if fixed is not None:
        return dict.fromkeys(columns.groups, fixed)
    if baseline is None:
        return {}
    scores = {name: group.score("dense_score") for name, group in baseline.groups.items()}
    return {name: float(np.quantile(values, _LOW)) for name, values in scores.items() if len(values) >= MIN_SEARCHES}


def rates(group: GroupColumns, low_score: float | None) -> dict[str, Rate | None]:
    """The rates, by RATES."""
    dense = group.score("dense_score")
    low = None if low_score is None else Rate(int((dense < np.float32(low_score)).sum()), len(dense))
    return {
        "errors": Rate(group.failed, group.searches),
        "empty": Rate(group.empty, group.answered),
        "low_confidence": low,
        "unsure": Rate(group.sources["unsure"], group.detections),
        "truncated": Rate(group.truncated, group.answered),
        "degraded": Rate(group.degraded, group.reranks),
    }


def _profile(name: str, group: GroupColumns, total: int, low_score: float | None) -> LanguageProfile:
    own = group.score("own_share")
    hits = group.hit_languages.total()
    times = group.stage_times()
    return LanguageProfile(
        language=name,
        searches=group.searches,
        share=group.searches / total,
        rates=rates(group, low_score),
        low_score=low_score,
        error_kinds=_counts(group.errors),
        sources=_counts(group.sources),
        reranking=_counts(group.reasons),
        scores={score: _quantiles(group.score(score)) for score in SCORES},
        mean_own_share=round(float(own.mean(dtype=np.float64)), _DIGITS) if len(own) else None,
        hit_languages={language: count / hits for language, count in _counts(group.hit_languages).items()},
        stage_times={stage: _p50_p95(values) for stage, values in times.items()},
    )


def _quantiles(values: Numbers) -> Quantiles | None:
    if not len(values):
        return None
    p5, p25, p50, p75, p95 = _rounded(np.quantile(values, LEVELS))
    return Quantiles(p5, p25, p50, p75, p95, len(values))


def _p50_p95(values: Numbers) -> tuple[float, float]:
    middle, high = _rounded(np.quantile(values, (0.5, 0.95)))
    return middle, high


def _rounded(values: Numbers) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]


def _counts(counter: Counter[str]) -> dict[str, int]:
    """Most first, equal ones by name."""
    return dict(
        sorted(((name, count) for name, count in counter.items() if count), key=lambda item: (-item[1], item[0]))
    )
