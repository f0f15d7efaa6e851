"""How long documents are cut into passages: one record for the command line, the index's manifest and evaluations."""

from __future__ import annotations

from dataclasses import dataclass, replace

from interlingua.base.errors import InputError
from interlingua.base.options import faults, option, options
from interlingua.base.plain import saved

LEAST_SIZE = 64


@saved
@dataclass(frozen=True, kw_only=True)
class PassagePlan:
    """What passages are to be like."""

    size: int = option(
        256,
        "Tokens of a passage at most, with the title and the headings in front of it.",
        low=LEAST_SIZE,
        high=8192,
    )
    overlap: float = option(
        0.1, "Share of a passage that may repeat the sentences before it, whole ones alone.", low=0, high=0.25
    )

    def checked(self) -> PassagePlan:
        """The same, its values of their own types. Raises InputError: one is out of its bounds, all of them named."""
        if wrong := faults(self):
            raise InputError("; ".join(wrong))
        return replace(self, **{one.name: one.kept(getattr(self, one.name)) for one in options(type(self))})

    def within(self, max_tokens: int) -> PassagePlan:
        """The same for a model that reads so many tokens: its prompt and special tokens need some of them."""
        return replace(self, size=max(min(self.size, max_tokens * 7 // 8), LEAST_SIZE))


DEFAULT_PLAN = PassagePlan()
