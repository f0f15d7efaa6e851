"""What is wrong with a filter, as one message of bounded length.

faults, any number --the first twenty, how many more--> "filter.a is ...; filter.b is ...; and 99980 more"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TOLD = 20


def told(faults: Sequence[str]) -> str:
    """The faults, each once."""
    different = list(dict.fromkeys(faults))
    more = len(different) - MOST_TOLD
    return "; ".join([*different[:MOST_TOLD], *([f"and {more} more"] if more > 0 else [])])
