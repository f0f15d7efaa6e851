"""What somebody should look at.

Drift -> tests that are significant and large -> Alert
profiles -> rates above a limit of the user's -> Alert
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interlingua_evaluation.monitoring.drift import KINDS
from interlingua_evaluation.monitoring.language_profile import MIN_SEARCHES

if TYPE_CHECKING:
    from interlingua_evaluation.monitoring.drift import Drift
    from interlingua_evaluation.monitoring.drift_tests import DriftTest
    from interlingua_evaluation.monitoring.language_profile import LanguageProfile


@dataclass(frozen=True, kw_only=True)
class AlertLimits:
    """When a test is an alert: q below `q`, and an effect of at least that of its measure.

    Attributes:
        q: accepted share of false alarms among the alerts of a comparison.
        ks: distance of the distributions, 0 to 1. Where both are normal and equally wide, 0.15 is a shift by 0.38
            standard deviations: 2 * Phi(0.38 / 2) - 1.
        psi: 0.1 is called small and 0.25 large by custom.
        rate: increase of a rate; a rate that falls is no alert.
        kinds: of tests that may alert; the others are shown.
        max_rates: limits of rates, by name (RATES), which need no baseline.
    """

    q: float = 0.05
    ks: float = 0.15
    psi: float = 0.2
    rate: float = 0.05
    kinds: Sequence[str] = KINDS
    max_rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """One finding; `language` is that of the queries, or "all"."""

    kind: str
    language: str
    message: str


def find_alerts(profiles: Sequence[LanguageProfile], drift: Drift | None, limits: AlertLimits) -> list[Alert]:
    """Rates above their limits first, then drift, the largest effect first within a kind."""
    alerts = [alert for profile in profiles for alert in _above(profile, limits.max_rates)]
    tests = [] if drift is None else [test for test in drift.tests if is_alert(test, limits)]
    tests.sort(key=lambda test: (KINDS.index(test.kind), -abs(test.effect), test.language))
    return [*alerts, *(Alert(test.kind, test.language, _message(test)) for test in tests)]


def is_alert(test: DriftTest, limits: AlertLimits) -> bool:
    """Significant, large, and of a kind that is asked for."""
    least = {"KS": limits.ks, "PSI": limits.psi, "difference": limits.rate}[test.measure]
    return test.kind in limits.kinds and test.q < limits.q and test.effect >= least


def _above(profile: LanguageProfile, max_rates: Mapping[str, float]) -> list[Alert]:
    found = []
    for name, limit in max_rates.items():
        rate = profile.rates[name]
        if rate is None or rate.share is None or rate.of < MIN_SEARCHES or rate.share <= limit:
            continue
        message = f"{rate.share:.1%} ({rate.number} of {rate.of}), above the limit of {limit:.1%}"
        found.append(Alert(name.replace("_", "-"), profile.language, message))
    return found


def _message(test: DriftTest) -> str:
    size = f"{test.measure} {test.effect:.2f}, q {test.q:.1g}"
    if test.before is None or test.after is None:
        return f"changed, most of all {test.most} ({size})"
    if test.measure == "difference":
        return f"{test.before:.1%} to {test.after:.1%} (q {test.q:.1g})"
    return f"median {test.before:.3f} to {test.after:.3f} ({size})"
