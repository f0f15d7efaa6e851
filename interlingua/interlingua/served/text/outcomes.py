"""What became of a request, for its client (the message) and for the counters (the outcome).

Outcome --status by OUTCOMES--> gRPC's status, interlingua_requests_total{outcome}
"""

from __future__ import annotations

from typing import Literal, get_args

Outcome = Literal["answered", "invalid", "shed", "overloaded", "late", "cancelled", "failed"]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""answered; invalid: the caller's mistake; shed: its deadline could not be met; overloaded: too many wait; late: its
deadline passed; cancelled: its client was gone; failed: the network's or the service's fault."""

BY_DEADLINE: tuple[Outcome, ...] = ("shed", "late")


def late_message(what: str, now: float) -> str:
    """What a request is told that failed by its deadline, and `now` (Unix seconds)."""
    return f"deadline: {what} (server's clock: {1e3 * now:.0f})"
