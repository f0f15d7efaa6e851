"""Which version of a service answers those who ask for none, and which did before.

It stands in the `parameters` of the services' config.pbtxt, beside those of the versions, and without a version's
number: Triton hands it to every client, and it changes when the service is loaded again.

    interlingua promote -- to_parameters() --> config.pbtxt --> Triton --> from_parameters() --> client
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CURRENT = "current"
PREVIOUS = "previous"
PRUNED = "pruned"
KEYS = (CURRENT, PREVIOUS, PRUNED)


@dataclass(frozen=True)
class Promotion:
    """What was promoted; empty as long as nothing was.

    Attributes:
        current: the version for clients that name none; None: the highest that is ready.
        previous: what `interlingua rollback` goes back to.
        pruned: numbers that were taken away and are never given again, ascending.
    """

    current: int | None = None
    previous: int | None = None
    pruned: tuple[int, ...] = ()

    def to_parameters(self) -> dict[str, str]:
        """The config.pbtxt parameters; what is not known has none."""
        values = {
            CURRENT: str(self.current or ""),
            PREVIOUS: str(self.previous or ""),
            PRUNED: ",".join(str(number) for number in self.pruned),
        }
        return {key: value for key, value in values.items() if value}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Promotion:
        """Read it back; a number that is none counts as not stated."""
        pruned = (number for number in parameters.get(PRUNED, "").split(",") if number.isdecimal())
        return cls(
            _number(parameters.get(CURRENT, "")),
            _number(parameters.get(PREVIOUS, "")),
            tuple(sorted(int(number) for number in pruned)),
        )


def _number(value: str) -> int | None:
    return int(value) if value.isdecimal() else None
