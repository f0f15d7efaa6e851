"""The tests that tell a change from chance, and how large it is.

two samples of scores | of languages | of a rate -> p value and effect size -> DriftTest
all p values of a comparison                     -> Benjamini-Hochberg      -> q
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interlingua_evaluation.monitoring.language_profile import MIN_SEARCHES, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua_evaluation.monitoring.log_columns import Numbers

Counts = npt.NDArray[np.float64]

_LEAST_EXPECTED = 5.0  # in a cell of a table, for the chi-square distribution to hold (Cochran 1954)
_EXACT_UP_TO = 1000  # values; the exact distribution of the KS statistic costs their product
_OTHER = "(other)"


@dataclass(frozen=True, kw_only=True)
class DriftTest:
    """One comparison with the baseline.

    Attributes:
        kind: one of KINDS.
        language: of the queries; "all".
        p, q: of no change; q is p after Benjamini and Hochberg, over all tests of the comparison.
        measure: what `effect` is: "KS" (largest distance of the cumulative distributions), "PSI", or "difference"
            (of rates, current less baseline).
        psi: population stability index; None for rates.
        before, after: median or rate; None for the distribution of languages.
        most: the language whose share changed most, with both shares; "" for numbers.
        searches_before, searches_after: that went into it.
    """

    kind: str
    language: str
    test: str
    p: float
    measure: str
    effect: float
    psi: float | None
    before: float | None
    after: float | None
    searches_before: int
    searches_after: int
    most: str = ""
    q: float = 1.0


@dataclass(frozen=True)
class Untested:
    """A comparison that was not made, and why; `kind` is "all" for a language as a whole."""

    kind: str
    language: str
    reason: str


def numbers_test(kind: str, language: str, before: Numbers, after: Numbers) -> DriftTest | Untested:
    """Tests two samples of a score, float [n] each: Kolmogorov-Smirnov."""
    from scipy.stats import ks_2samp

    if min(len(before), len(after)) < MIN_SEARCHES:
        return Untested(kind, language, too_few(len(before), len(after)))
    method = "exact" if max(len(before), len(after)) <= _EXACT_UP_TO else "asymp"
    found = ks_2samp(before, after, method=method)
    return DriftTest(
        kind=kind,
        language=language,
        test="Kolmogorov-Smirnov",
        p=float(found.pvalue),
        measure="KS",
        effect=float(found.statistic),
        psi=psi(*_binned(before, after)),
        before=float(np.median(before)),
        after=float(np.median(after)),
        searches_before=len(before),
        searches_after=len(after),
    )


def languages_test(kind: str, language: str, before: Counter[str], after: Counter[str]) -> DriftTest | Untested:
    """Tests two counts of languages: chi-square."""
    from scipy.stats import chi2_contingency

    totals = before.total(), after.total()
    if min(totals) < MIN_SEARCHES:
        return Untested(kind, language, too_few(*totals))
    table = pooled(before, after)
    if len(table) < 2:
        return Untested(kind, language, "")  # all of one language in both logs
    counts = np.array(list(table.values()), np.float64).T
    found = chi2_contingency(counts, correction=False)
    index, most = psi(*counts), _most_changed(table, totals)
    return DriftTest(
        kind=kind,
        language=language,
        test="chi-square",
        p=float(found.pvalue),
        measure="PSI",
        effect=index,
        psi=index,
        before=None,
        after=None,
        searches_before=totals[0],
        searches_after=totals[1],
        most=most,
    )


def rate_test(kind: str, language: str, before: Rate, after: Rate) -> DriftTest | Untested:
    """Tests two rates: Fisher's exact test."""
    from scipy.stats import fisher_exact

    if min(before.of, after.of) < MIN_SEARCHES:
        return Untested(kind, language, too_few(before.of, after.of))
    table = [[rate.number, rate.of - rate.number] for rate in (before, after)]
    p = float(fisher_exact(table).pvalue)
    was, is_ = before.number / before.of, after.number / after.of
    return DriftTest(
        kind=kind,
        language=language,
        test="Fisher",
        p=p,
        measure="difference",
        effect=is_ - was,
        psi=None,
        before=was,
        after=is_,
        searches_before=before.of,
        searches_after=after.of,
    )


def psi(before: Counts, after: Counts) -> float:
    """Population stability index of two histograms, [bins] each: the sum of (a - b) ln(a / b) over shares a and b.

    That is Jeffreys's symmetric divergence (1946). Half a count is added to every bin, so that none is empty.
    """
    b, a = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (before, after))
    return float(((a - b) * np.log(a / b)).sum())


def pooled(before: Counter[str], after: Counter[str]) -> dict[str, tuple[int, int]]:
    """Counts of both by category; those too rare for a chi-square test are taken together.

    What is too rare even together joins the smallest of the others.
    """
    totals = before.total(), after.total()
    smaller = min(totals) / sum(totals)
    names = sorted(before.keys() | after.keys(), key=lambda name: (-(before[name] + after[name]), name))
    large = [name for name in names if (before[name] + after[name]) * smaller >= _LEAST_EXPECTED]
    table = {name: (before[name], after[name]) for name in large}
    rest = [sum(counts[name] for name in names if name not in table) for counts in (before, after)]
    if sum(rest) * smaller >= _LEAST_EXPECTED or not large:
        table[_OTHER] = (rest[0], rest[1])
    elif sum(rest):
        last = large[-1]
        table[last] = (table[last][0] + rest[0], table[last][1] + rest[1])
    return {name: counts for name, counts in table.items() if sum(counts)}


def _binned(before: Numbers, after: Numbers) -> tuple[Counts, Counts]:
    """Histograms over the baseline's deciles, [bins] each; equal deciles are one."""
    inner = np.unique(np.quantile(before, np.arange(1, 10) / 10))
    edges = np.concatenate([[-np.inf], inner, [np.inf]])
    first, second = (np.histogram(values, edges)[0].astype(np.float64) for values in (before, after))
    return first, second


def _most_changed(table: Mapping[str, tuple[int, int]], totals: tuple[int, int]) -> str:
    shares = {name: (was / totals[0], is_ / totals[1]) for name, (was, is_) in table.items()}
    name, (was, is_) = max(shares.items(), key=lambda item: abs(item[1][1] - item[1][0]))
    return f"{name} {was:.1%} to {is_:.1%}"


def too_few(before: int, after: int) -> str:
    """Why there is no test of so many searches; "" where there was nothing to test."""
    if not before and not after:
        return ""
    return f"{before} searches in the baseline, {after} now; at least {MIN_SEARCHES} of each are needed"


def adjusted(tests: Sequence[DriftTest]) -> list[DriftTest]:
    """With q: the false discovery rate at which each would be called a change (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    if not tests:
        return []
    adjusted = false_discovery_control([test.p for test in tests])
    return [replace(test, q=float(q)) for test, q in zip(tests, adjusted, strict=True)]
