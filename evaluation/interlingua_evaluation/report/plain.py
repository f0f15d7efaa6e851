"""What a report's records are in JSON: floats keep six decimals (interlingua/base/plain.py)."""

from __future__ import annotations

from typing import Any

from interlingua.base import plain as base

_DECIMALS = 6


def plain(value: Any) -> Any:
    """Records as objects, language pairs as `de>en`; what is not finite is null."""
    return base.plain(value, _DECIMALS)
