"""How long to wait for a server that is away."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline

_FIRST_S = 0.05
_LONGEST_S = 1.0


@dataclass
class Backoff:
    """Pauses of one call: doubling from 50 ms to 1 s, with jitter, until patience or the deadline is used up.

    Attributes:
        patience: after this instant the call gives up.
    """

    patience: Deadline
    attempts: int = field(default=0, init=False)

    def pause_s(self, least: float = 0.0) -> float | None:
        """Seconds to wait before the next attempt, about as long as the server asked for; None: there is no time."""
        longest = max(min(_LONGEST_S, _FIRST_S * 2.0 ** min(self.attempts, 10)), least)
        # Jitter keeps the clients of one server from coming back all at once.
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311
        self.attempts += 1
        return pause if pause < self.patience.remaining_s() else None
