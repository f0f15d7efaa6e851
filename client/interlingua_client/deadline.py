"""The moment by which an answer has to be there."""

from __future__ import annotations

import time
from typing import NamedTuple

from interlingua.base.errors import DeadlineExceededError, InputError
from interlingua.base.options import is_number

LONGEST_S = 1e7  # far beyond any answer, and within what clocks, gRPC and int64 hold


class Deadline(NamedTuple):
    """An instant on this process's monotonic clock, in seconds."""

    instant: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    @classmethod
    def within(cls, seconds: float | None) -> Deadline | None:
        """None for as long as it takes. Raises InputError: it is no number of seconds up to LONGEST_S."""
        if seconds is None:
            return None
        if not is_number(seconds, -LONGEST_S) or seconds > LONGEST_S:
            raise InputError(
                f"deadline_s is {_shown(seconds)}, it must be a finite number of seconds, up to {LONGEST_S:.0f}; None "
                "is for as long as it takes"
            )
        return cls.after(float(seconds))

    def remaining_s(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.instant - time.monotonic()

    def require_time(self, what: str) -> float:
        """Seconds left for `what`.

        Raises:
            DeadlineExceededError: none are.
        """
        left = self.remaining_s()
        if left <= 0:
            raise DeadlineExceededError(f"deadline: passed {-1e3 * left:.0f} ms before {what}")
        return left


def _shown(value: object) -> str:
    """A value as a message shows it: its beginning."""
    try:
        return f"{value!r:.40}"
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"
