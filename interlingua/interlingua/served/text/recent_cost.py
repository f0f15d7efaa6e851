"""What a call costs now: the calibrated cost, times how much longer recent calls took than it says.

    CallCost (calibrated) --observe: each real call--> factor of the last seconds --at--> CallCost as it is now

Other services at the same network, other processes on the machine and its own clock rate make calls longer; a deadline
is held against that, while the cut goes by the ratio of the two parts, which stays.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from interlingua.served.text.call_cost import CallCost

if TYPE_CHECKING:
    from collections.abc import Callable

_HALF_LIFE_S = 2.0  # a call counts half after this; without calls the calibrated cost comes back
_PRIOR_S = 0.1  # of calls that took what they should: what a few short calls are held against
_CAUTION = 1.15
_MOST = 4.0  # a call counts as this many times what it was expected to take at most: one stall is no trend


class RecentCost:
    """The cost of a service's calls, as its own recent calls show it; may be used from several threads."""

    def __init__(self, calibrated: CallCost, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._calibrated, self._clock = calibrated, clock
        self._taken_s = self._expected_s = 0.0
        self._updated = clock()
        self._lock = threading.Lock()

    def observe(self, padded_tokens: int, seconds: float) -> None:
        """A call of so many padded tokens took so long."""
        expected = self._calibrated.seconds(padded_tokens)
        with self._lock:
            counted = min(seconds, _MOST * self._factor() * expected)
            self._taken_s += counted
            self._expected_s += expected

    def now(self) -> CallCost:
        """What a call costs as recent ones did."""
        with self._lock:
            factor = self._factor()
        return CallCost(self._calibrated.call_s * factor, self._calibrated.token_s * factor)

    def at_worst(self) -> CallCost:
        """What a call costs with some caution: what is promised by it is mostly kept."""
        cost = self.now()
        return CallCost(_CAUTION * cost.call_s, _CAUTION * cost.token_s)

    def _factor(self) -> float:
        now = self._clock()
        faded = 0.5 ** ((now - self._updated) / _HALF_LIFE_S)
        self._taken_s, self._expected_s, self._updated = faded * self._taken_s, faded * self._expected_s, now
        return (self._taken_s + _PRIOR_S) / (self._expected_s + _PRIOR_S)
