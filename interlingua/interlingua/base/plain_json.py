"""Records to what JSON holds.

dataclasses, NamedTuples, mappings, sequences, arrays, paths --plain--> objects, lists, strings and numbers

JSON has neither NaN nor infinity: what is not finite is null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any


def plain(value: Any, decimals: int | None = None, written: Mapping[type, Callable[[Any], Any]] | None = None) -> Any:
    """Values of any depth; keys become strings.

    Args:
        decimals: that floats keep; None for all their digits.
        written: for some types, what stands for their values instead.
    """

    def inner(value: Any) -> Any:
        return plain(value, decimals, written)

    for kind, write in (written or {}).items():
        if isinstance(value, kind):
            return inner(write(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: inner(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: inner(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(inner(key)): inner(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [inner(item) for item in value]
    return _scalar(value, decimals, inner)


def _scalar(value: Any, decimals: int | None, inner: Callable[[Any], Any]) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return inner(value.tolist())
    if isinstance(value, float):
        finite = value if decimals is None else round(value, decimals)
        return finite if math.isfinite(value) else None
    return value
