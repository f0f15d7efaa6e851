"""Records to plain values, for JSON (interlingua/base/plain_json.py).

A language pair is written `de>en`; floats keep six decimals.
"""

from __future__ import annotations

from typing import Any

from interlingua.base import plain_json
from interlingua_evaluation.systems.candidate_lists import Pair

_DECIMALS = 6


def plain(value: Any) -> Any:
    """Dataclasses and NamedTuples as objects, tuples as lists; what is not finite is null."""
    return plain_json.plain(value, _DECIMALS, {Pair: pair_name})


def pair_name(pair: Pair) -> str:
    """The query's language and the pool: `de>en`."""
    return f"{pair.asked}>{pair.pool}"
