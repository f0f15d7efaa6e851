"""A MonitorReport for a terminal.

MonitorReport -> what was read -> languages, scores, stages -> what changed -> alerts
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from interlingua.display.grid import Cell, Grid, Line, row
from interlingua_evaluation.monitoring.alerts import is_alert
from interlingua_evaluation.monitoring.log_columns import SCORES
from interlingua_evaluation.monitoring.monitor_report import moment

if TYPE_CHECKING:
    from interlingua.display.terminal import Part
    from interlingua_evaluation.monitoring.drift import Drift
    from interlingua_evaluation.monitoring.drift_tests import DriftTest
    from interlingua_evaluation.monitoring.language_profile import LanguageProfile, Rate
    from interlingua_evaluation.monitoring.monitor_report import MonitorReport, ReadLog

_RATES = ("errors", "empty", "low_confidence", "truncated", "degraded")
_LANGUAGES_NAMED = 3


def parts(report: MonitorReport) -> Iterator[Part]:
    """Everything, in reading order."""
    yield from _read("log", report.log)
    if report.baseline is not None:
        yield from _read("baseline", report.baseline)
    yield _languages(report.profiles)
    yield _scores(report.profiles)
    yield _stages(report.profiles[0])
    yield Line(_detection(report.profiles[0]))
    if report.drift is not None:
        yield from _drift(report, report.drift)
    yield from _alerts(report)


def _read(name: str, log: ReadLog) -> Iterator[Line]:
    reading = log.reading
    files = ", ".join(str(path) for path in reading.paths)
    period = f"{moment(reading.first)} to {moment(reading.last)}"
    yield Line(f"{name}: {log.columns.searches} searches, {period}, from {files}")
    if reading.outside:
        yield Line(f"{name}: {reading.outside} searches of other times were left out")
    if reading.bad:
        first = "; ".join(f"{bad.file} line {bad.number}: {bad.reason}" for bad in reading.first_bad)
        more = "; ..." if reading.bad > len(reading.first_bad) else ""
        yield Line(f"{name}: {reading.bad} of {reading.lines} lines could not be read ({first}{more})", "warning")


def _languages(profiles: Sequence[LanguageProfile]) -> Grid:
    rates = (name.replace("_", " ") for name in _RATES)
    header = ("", "searches", "share", *rates, "own hits", "hits in", "p50 ms", "p95 ms")
    rows = []
    for profile in profiles:
        own = "" if profile.mean_own_share is None else f"{profile.mean_own_share:.1%}"
        most = list(profile.hit_languages.items())[:_LANGUAGES_NAMED]
        named = ", ".join(f"{language} {share:.0%}" for language, share in most)
        times = (f"{1e3 * seconds:.1f}" for seconds in profile.stage_times.get("total_s", ()))
        shown = (_percent(profile.rates[name]) for name in _RATES)
        rows.append(row(profile.language, str(profile.searches), f"{profile.share:.1%}", *shown, own, named, *times))
    return Grid("by query language", header, tuple(rows))


def _scores(profiles: Sequence[LanguageProfile]) -> Grid:
    rows = []
    for profile in profiles:
        label = profile.language
        for name in SCORES:
            quantiles = profile.scores[name]
            if quantiles is None or name == "own_share":
                continue
            values = (f"{value:.3f}" for value in quantiles[:-1])
            rows.append(row(label, name.replace("_", " "), str(quantiles.values), *values))
            label = ""
    return Grid("first hits", ("", "score", "searches", "p5", "p25", "p50", "p75", "p95"), tuple(rows), names=2)


def _stages(whole: LanguageProfile) -> Grid:
    header = ("", *(stage.removesuffix("_s") for stage in whole.stage_times))
    rows = (
        row(name, *(f"{1e3 * times[place]:.1f}" for times in whole.stage_times.values()))
        for place, name in enumerate(("p50", "p95"))
    )
    return Grid("stages, all languages (ms)", header, tuple(rows))


def _detection(whole: LanguageProfile) -> str:
    sources = ", ".join(f"{name} {count / whole.searches:.1%}" for name, count in whole.sources.items())
    errors = ", ".join(f"{name} {count}" for name, count in whole.error_kinds.items()) or "none"
    reasons = ", ".join(f"{name or 'complete'} {count}" for name, count in whole.reranking.items()) or "none"
    return f"query language: {sources}\nfailed searches: {errors}\nreranking: {reasons}"


def _drift(report: MonitorReport, drift: Drift) -> Iterator[Part]:
    for note in drift.notes:
        yield Line(note, "bad")
    changed = sorted((test for test in drift.tests if test.q < report.limits.q), key=lambda test: test.q)
    if changed:
        yield _changes(report, changed)
    quiet = len(drift.tests) - len(changed)
    yield Line(f"{quiet} of {len(drift.tests)} comparisons with the baseline show no significant change")
    for untested in drift.untested:
        what = "" if untested.kind == "all" else f" {untested.kind}"
        yield Line(f"not tested: {untested.language}{what}: {untested.reason}", "warning")


def _changes(report: MonitorReport, changed: Sequence[DriftTest]) -> Grid:
    header = ("", "queries", "test", "before", "after", "effect", "PSI", "p", "q", "")
    return Grid("significant changes", header, tuple(_change(report, test) for test in changed), names=3)


def _change(report: MonitorReport, test: DriftTest) -> tuple[Cell, ...]:
    alert = is_alert(test, report.limits)
    return row(
        Cell(test.kind, strong=alert),
        test.language,
        test.test,
        *_before_after(test),
        f"{test.measure} {test.effect:.3f}",
        "" if test.psi is None else f"{test.psi:.3f}",
        f"{test.p:.1g}",
        f"{test.q:.1g}",
        Cell("ALERT" if alert else "small", strong=alert),
    )


def _before_after(test: DriftTest) -> tuple[str, str]:
    if test.before is None or test.after is None:
        return "", test.most
    if test.measure == "difference":
        return f"{test.before:.1%}", f"{test.after:.1%}"
    return f"{test.before:.3f}", f"{test.after:.3f}"


def _alerts(report: MonitorReport) -> Iterator[Line]:
    for alert in report.alerts:
        yield Line(f"ALERT {alert.kind}, queries in {alert.language}: {alert.message}", "bad")
    if not report.alerts:
        why = "" if report.drift is not None or report.limits.max_rates else " (neither --baseline nor --max-rate)"
        yield Line(f"no alert{why}")


def _percent(rate: Rate | None) -> str:
    return "" if rate is None or rate.share is None else f"{rate.share:.1%}"
