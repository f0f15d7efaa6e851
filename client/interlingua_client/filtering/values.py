"""What a field may hold and what a filter may ask for: texts, numbers, true and false.

JSON value --scalars_of--> (kind, value) ...    {"a": [{"b": 1}, {"b": 2}]} --fields_of--> a: [...], a.b: 1, a.b: 2

Kinds are never mixed: 1 is neither "1" nor true. Texts are compared in Unicode's canonical form (NFC), letter by letter
otherwise. Numbers are compared exactly, whole ones of any length that JSON is read with.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Literal

from interlingua.base.json_value import is_writable

Scalar = str | int | float | bool
Kind = Literal["true or false", "numbers", "texts"]

KINDS: tuple[Kind, ...] = ("true or false", "numbers", "texts")


def kind_of(value: object) -> Kind | None:
    """The kind of a scalar; None for null, for what is no number of JSON's, and for anything made of parts."""
    if isinstance(value, bool):
        return "true or false"
    if (isinstance(value, int) and is_writable(value)) or (isinstance(value, float) and math.isfinite(value)):
        return "numbers"
    return "texts" if isinstance(value, str) else None


def composed(text: str) -> str:
    """The one form in which canonically equal texts are equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def as_compared(value: Scalar) -> Scalar:
    """A scalar as it is compared."""
    return composed(value) if isinstance(value, str) else value


def scalars_of(value: object) -> Iterator[Scalar]:
    """The scalars of a field's value: of a list each, of a null or an object none."""
    if isinstance(value, list):
        for one in value:
            yield from scalars_of(one)
    elif isinstance(value, str | int | float) and kind_of(value) is not None:
        yield as_compared(value)


def is_there(value: object) -> bool:
    """Whether a field that holds this exists: null is no value, nor is a list of none."""
    return any(map(is_there, value)) if isinstance(value, list) else value is not None


def fields_of(document: object, before: str = "") -> Iterator[tuple[str, object]]:
    """Every field that a filter can name, dotted, and each value there; lists are walked through."""
    if isinstance(document, list):
        for one in document:
            yield from fields_of(one, before)
    if isinstance(document, Mapping):
        for key, value in document.items():
            name = before + composed(key)
            yield name, value
            if isinstance(value, list | Mapping):
                yield from fields_of(value, name + ".")
