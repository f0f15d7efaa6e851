"""Mistakes of one input, told at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from interlingua.base.errors import InputError

_SHOWN = 10


@dataclass
class Faults:
    """What was found to be wrong, each with its file and line."""

    where: str
    found: list[str] = field(default_factory=list)

    def raise_any(self) -> None:
        """Raises InputError with the first ten, if there are any."""
        if not self.found:
            return
        shown = [f"  {fault}" for fault in self.found[:_SHOWN]]
        if len(self.found) > _SHOWN:
            shown.append(f"  ... and {len(self.found) - _SHOWN} more")
        mistakes = "1 mistake" if len(self.found) == 1 else f"{len(self.found)} mistakes"
        raise InputError("\n".join([f"{self.where} has {mistakes}:", *shown]))
