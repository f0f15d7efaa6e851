"""A search log summed up, compared and judged.

    logs -> LogReading -> LogColumns -> profiles ---------------\\
    baseline ............. LogColumns -> low scores, Drift ------> alerts -> MonitorReport -> tables | JSON
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from interlingua.base.plain import plain
from interlingua_evaluation.monitoring.alerts import AlertLimits, find_alerts
from interlingua_evaluation.monitoring.drift import compare, require_scipy, scores_compare
from interlingua_evaluation.monitoring.language_profile import find_low_scores, profiles
from interlingua_evaluation.monitoring.log_columns import LogColumns
from interlingua_evaluation.monitoring.log_records import LogReading, LogWindow

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_evaluation.monitoring.alerts import Alert
    from interlingua_evaluation.monitoring.drift import Drift
    from interlingua_evaluation.monitoring.language_profile import LanguageProfile


@dataclass(frozen=True)
class ReadLog:
    """What was read, and how."""

    reading: LogReading
    columns: LogColumns

    @classmethod
    def of(cls, paths: Sequence[Path], window: LogWindow | None = None) -> ReadLog:
        """Read files as one log; raises InputError where there is no search in them."""
        reading = LogReading(paths=paths, window=window or LogWindow())
        return cls(reading, LogColumns.of(reading))

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON has it."""
        reading = self.reading
        return {
            "files": plain(reading.paths),
            "searches": self.columns.searches,
            "first": moment(reading.first),
            "last": moment(reading.last),
            "outside_window": reading.outside,
            "bad_lines": reading.bad,
            "first_bad_lines": plain(reading.first_bad),
            "settings": [
                {**setting._asdict(), "searches": count} for setting, count in self.columns.settings.most_common()
            ],
        }


@dataclass(frozen=True, kw_only=True)
class MonitorReport:
    """All that `interlingua monitor` says.

    Attributes:
        profiles: all languages as one, then each.
        baseline_profiles: the same of the baseline; empty without one.
    """

    log: ReadLog
    baseline: ReadLog | None
    profiles: Sequence[LanguageProfile]
    baseline_profiles: Sequence[LanguageProfile]
    drift: Drift | None
    alerts: Sequence[Alert]
    limits: AlertLimits

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON has it."""
        return {
            "log": self.log.to_dict(),
            "baseline": self.baseline and self.baseline.to_dict(),
            "languages": [profile.to_dict() for profile in self.profiles],
            "baseline_languages": [profile.to_dict() for profile in self.baseline_profiles],
            "drift": plain(self.drift),
            "limits": plain(self.limits),
            "alerts": plain(self.alerts),
        }


def monitor(
    logs: Sequence[Path],
    baseline: Sequence[Path] = (),
    *,
    window: LogWindow | None = None,
    low_score: float | None = None,
    limits: AlertLimits | None = None,
) -> MonitorReport:
    """Read, compare and judge.

    Args:
        window: of the logs; a baseline is read as a whole.
        low_score: cosine of a first hit below which a search counts as of low confidence; None for the 5th
            percentile that its language has in the baseline.

    Raises:
        InputError: a file cannot be read or has no search in it, or there is a baseline and no scipy.
    """
    if baseline:
        require_scipy()
    limits = limits or AlertLimits()
    before = ReadLog.of(baseline) if baseline else None
    now = ReadLog.of(logs, window)
    was = None if before is None else before.columns
    comparable = was is not None and scores_compare(was.settings, now.columns.settings)
    low = find_low_scores(now.columns, was if comparable else None, low_score)
    own = profiles(now.columns, low)
    theirs = [] if was is None else profiles(was, low)
    drift = None if was is None else compare(was, now.columns, low)
    return MonitorReport(
        log=now,
        baseline=before,
        profiles=own,
        baseline_profiles=theirs,
        drift=drift,
        alerts=find_alerts(own, drift, limits),
        limits=limits,
    )


def moment(seconds: float) -> str:
    """ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
