"""Values of JSON, as a document's further fields hold them.

fields of a line --what can be stored and written again--> dict --one text for equal fields--> '{"date": ...}'
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


_WRITABLE = 10**4300  # digits that Python reads and writes, unless told otherwise (sys.get_int_max_str_digits)


def is_writable(whole: int) -> bool:
    """Whether a whole number has few enough digits to be written as JSON and read again."""
    return -_WRITABLE < whole < _WRITABLE


def json_value(value: object, name: str) -> JsonValue:
    """The value, as one that can be stored; lists and objects are copied.

    Args:
        name: of the field, for the message.

    Raises:
        ValueError: it is none of JSON's, or holds a number that is not finite or has too many digits, a NUL character
            or half of a surrogate pair, or is nested too deeply.
    """
    try:
        _text(name, ascii(name))
        return _checked(value, name)
    except RecursionError:
        raise ValueError(f"`{name}` is nested too deeply") from None


def canonical_json(fields: Mapping[str, JsonValue]) -> str:
    """The text of an object: the same for equal objects, whatever the order of their keys."""
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _checked(value: object, name: str) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        if value is not None and not is_writable(value):
            raise ValueError(f"`{name}` holds a number of too many digits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"`{name}` holds {value}, which is no finite number")
        return value
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, Mapping):
        return {_key(key, name): json_value(item, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_checked(item, name) for item in value]
    raise ValueError(f"`{name}` holds {value!r:.80}, it must be what JSON can hold")


def _key(key: object, name: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"`{name}` has the key {key!r:.80}, it must be a text")
    return key


def _text(value: str, name: str) -> str:
    if "\0" in value:
        raise ValueError(f"`{name}` holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"`{name}` holds half of a surrogate pair") from None
    return value
