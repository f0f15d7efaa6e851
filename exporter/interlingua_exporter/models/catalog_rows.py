"""Rows of a TOML file to records: every key known, every value of its kind, all faults of a row in one message.

{"id": ..., "network": {...}} --build(ModelSpec)--> ModelSpec
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from interlingua.base.errors import InputError

T = TypeVar("T")


def build(kind: type[T], row: Mapping[str, Any], within: str = "") -> T:
    """A record from a table.

    Args:
        kind: a dataclass of texts, numbers, truths, and tuples and records of those.
        within: the table's key, for messages.

    Raises:
        InputError: an unknown or missing key, or a value of the wrong kind; the message names all of them.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    faults = [f"unknown field {within}{key}" for key in sorted(row.keys() - hints.keys())]
    for key in (name for name in row if name in hints):
        try:
            values[key] = _value(hints[key], row[key], f"{within}{key}")
        except InputError as error:
            faults.append(str(error))
    faults += [f"{within}{name} is missing" for name in _required(kind) if name not in row]
    if faults:
        raise InputError("; ".join(faults))
    return kind(**values)


def _required(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]


def _value(hint: Any, value: object, key: str) -> Any:
    """A value as its field wants it; numbers and choices are checked by the record itself."""
    if is_dataclass(value):
        return value
    if get_origin(hint) in (Union, types.UnionType):
        return _value(next(kind for kind in get_args(hint) if kind is not type(None)), value, key)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{key} is {value!r}, not a list")
        return tuple(_value(get_args(hint)[0], item, f"{key}[{place}]") for place, item in enumerate(value, start=1))
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise InputError(f"{key} is {value!r}, not a table")
        return build(hint, value, f"{key}.")  # type: ignore[arg-type]
    if hint in _KINDS and type(value) is not hint:
        raise InputError(f"{key} is {value!r}, not {_KINDS[hint]}")
    return value


_KINDS: dict[Any, str] = {str: "a text", bool: "true or false", int: "a whole number"}
