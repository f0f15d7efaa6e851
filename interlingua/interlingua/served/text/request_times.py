"""When a request was sent and when its answer has to be there, on the server's clock.

    deadline_ms, sent_us (the client's clock), now (the server's) --times_of--> RequestTimes

A request that was sent in the server's future, or further back than any queue reaches, was stamped by a clock that is
wrong: then only the time between its two stamps counts, from now on. A clock that is wrong by less shows nowhere; what
is late by it is told the server's clock (outcomes.py), from which our clients correct their stamps.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from interlingua.served.graph_names import DEADLINE, SENT

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_QUEUE_S = 60.0
_YEAR_10000 = 253_402_300_800  # Unix seconds; a clock that says more counts in another unit
_SHOWN = 40  # characters of a value, in a message


class RequestTimes(NamedTuple):
    """Unix seconds of the server's clock.

    Attributes:
        deadline: infinite where none is stated.
        wait_s: since it was sent, by both clocks; 0 where that is not known.
    """

    deadline: float = math.inf
    wait_s: float = 0.0


def times_of(stated: Mapping[str, object], now: float) -> RequestTimes:
    """The times that a request's parameters state. Raises ValueError: one is no such time."""
    deadline = _unix_time(stated, DEADLINE, "milliseconds", 1000)
    sent = _unix_time(stated, SENT, "microseconds", 1_000_000)
    if sent is None:
        return RequestTimes(math.inf if deadline is None else deadline)
    wrong = not now - LONGEST_QUEUE_S <= sent <= now
    wait_s = 0.0 if wrong else now - sent
    if deadline is None:
        return RequestTimes(wait_s=wait_s)
    return RequestTimes(deadline + now - sent if wrong and deadline > sent else deadline, wait_s)


def _unix_time(stated: Mapping[str, object], name: str, unit: str, per_second: int) -> float | None:
    if name not in stated:
        return None
    value, most = stated[name], _YEAR_10000 * per_second
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    else:
        number = math.nan
    if not 0 <= number < most:
        shown = f"{value!r:.{_SHOWN}}"
        raise ValueError(f"{name} is {shown}, not Unix {unit}: a number from 0 to {most - 1}")
    return number / per_second
