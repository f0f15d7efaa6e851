"""How many pairs can be reranked before a deadline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline

_PROBE = 8  # pairs tried under a deadline while the pace is unknown: one request
_NEW_WEIGHT = 0.3
_MARGIN = 0.15  # of the time left: the way home, and pairs longer than usual


class RerankPace:
    """A running measurement of the reranker's seconds a pair."""

    def __init__(self) -> None:
        self.seconds_per_pair: float | None = None

    def record(self, pairs: int, seconds: float) -> None:
        """Take one answer into account; a recent one weighs 0.3."""
        measured = seconds / pairs
        old = self.seconds_per_pair
        self.seconds_per_pair = measured if old is None else old + _NEW_WEIGHT * (measured - old)

    def depth(self, wanted: int, deadline: Deadline | None) -> int:
        """How many of the wanted pairs to send now; 0 when there is no time for any."""
        if deadline is None:
            return wanted
        left = (1 - _MARGIN) * deadline.remaining_s()
        if left <= 0:
            return 0
        if self.seconds_per_pair is None:
            return min(_PROBE, wanted)
        return min(wanted, math.floor(left / max(self.seconds_per_pair, 1e-9)))
