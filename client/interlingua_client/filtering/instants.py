"""Dates and times of ISO 8601 as instants.

"2024-05" --Period.read--> [2024-05-01T00:00Z, 2024-06-01T00:00Z)     "2024-05-01T12:00+02:00" --> that instant alone

What names no zone is in UTC. A field's date stands for the instant at which it begins; a bound for all of it, so that
`lte 2024-05-31` has the whole of that day and `gt 2024-05-31` begins after it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?P<time>[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Period(NamedTuple):
    """From one instant to before another, in microseconds since 1970; of a time, the two are one tick apart."""

    start: int
    end: int

    @classmethod
    def read(cls, text: str) -> Period | None:
        """The period that a text names; None where it is no date of ISO 8601, or none of the calendar's."""
        found = _ISO.fullmatch(text)
        if found is None:
            return None
        year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
        try:
            if found["time"]:
                start = _ticks(datetime.fromisoformat(text))
                return cls(start, start + 1)
            start = _day(year, month, day)
        except ValueError:
            return None
        if found["day"]:
            return cls(start, start + timedelta(days=1) // _TICK)
        if found["month"]:
            return cls(start, _day(year, month, 1) + _days_of(year, month) * (timedelta(days=1) // _TICK))
        return cls(start, _day(year, 12, 31) + timedelta(days=1) // _TICK)


def _ticks(moment: datetime) -> int:
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _TICK


def _day(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - _EPOCH.date()) // _TICK


def _days_of(year: int, month: int) -> int:
    return 31 if month == 12 else (date(year, month + 1, 1) - date(year, month, 1)).days
