"""The highest value that holds, found by asking.

    guess --outwards by a factor--> one that holds, one that does not --geometric middles--> the same, close together

Shared by the simulated (capacity/simulate/highest_rate.py) and the measured search (search.py).
"""

from __future__ import annotations

from collections.abc import Callable

from interlingua.base.errors import InputError


class ImpossibleSloError(InputError):
    """No rate holds the objective."""


class NotEnclosedError(Exception):
    """Every value that was asked for answered alike.

    Attributes:
        low, high: the last two of them.
        held: they all held; otherwise none did.
    """

    def __init__(self, low: float, high: float, *, held: bool) -> None:
        super().__init__(f"no limit between {low:g} and {high:g}")
        self.low, self.high, self.held = low, high, held


def enclose(
    holds: Callable[[float], bool], guess: float, *, step: float, floor: float = 0.0, most_steps: int = 60
) -> tuple[float, float]:
    """From a guess outwards; a value that held, and `step` times it, which did not.

    Args:
        floor: nothing lower is asked for.

    Raises:
        NotEnclosedError: the floor, or so many steps, did not come to the limit.
    """
    low = high = guess
    held = holds(guess)
    for _ in range(most_steps):
        if not held and low / step < floor:
            break
        low, high = (high, high * step) if held else (low / step, low)
        if holds(high if held else low) != held:
            return low, high
    raise NotEnclosedError(low, high, held=held)


def bisect(holds: Callable[[float], bool], low: float, high: float, *, precision: float) -> tuple[float, float]:
    """Inwards until the values differ by the share `precision` at most; the lower one held, the higher one did not."""
    while high / low > 1 + precision:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high
