"""The moment by which an answer has to be there."""

from __future__ import annotations

import time
from typing import NamedTuple

from interlingua.base.errors import DeadlineExceededError, InputError
from interlingua.base.options import is_number


class Deadline(NamedTuple):
    """An instant on this process's monotonic clock, in seconds."""

    instant: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    @classmethod
    def within(cls, seconds: float | None) -> Deadline | None:
        """None for as long as it takes. Raises InputError: it is no finite number."""
        if seconds is None:
            return None
        if not is_number(seconds):
            raise InputError(f"deadline_s is {seconds!r}, it must be a finite number of seconds")
        return cls.after(seconds)

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
