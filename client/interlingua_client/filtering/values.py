"""What a field may hold and what a filter may ask for: texts, numbers, true and false.

JSON value --scalars_of--> (kind, value) ...    {"a": [{"b": 1}, {"b": 2}]}, "a.b" --held_by--> 1, 2

Kinds are never mixed: 1 is neither "1" nor true. Texts are compared in Unicode's canonical form (NFC), letter by letter
otherwise. Numbers are compared exactly, whole ones of any length too.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Literal

Scalar = str | int | float | bool
Kind = Literal["true or false", "numbers", "texts"]

KINDS: tuple[Kind, ...] = ("true or false", "numbers", "texts")


def kind_of(value: object) -> Kind | None:
    """The kind of a scalar; None for null, for what is no finite number, and for anything made of parts."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return "numbers"
    return "texts" if isinstance(value, str) else None


def composed(text: str) -> str:
    """The one form in which canonically equal texts are equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def as_compared(value: Scalar) -> Scalar:
    """A scalar as it is compared."""
    return composed(value) if isinstance(value, str) else value


def held_by(document: object, field: str) -> Iterator[object]:
    """Every value that a dotted path leads to, through lists too; a key with a dot of its own is found as well."""
    if isinstance(document, list):
        for one in document:
            yield from held_by(one, field)
    if not isinstance(document, Mapping):
        return
    for key, value in document.items():
        name = composed(key)
        if name == field:
            yield value
        elif field.startswith(name + "."):
            yield from held_by(value, field[len(name) + 1 :])


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


def fields_of(document: object, before: str = "") -> Iterator[str]:
    """Every field that a filter can name, dotted."""
    if isinstance(document, list):
        for one in document:
            yield from fields_of(one, before)
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield before + composed(key)
            yield from fields_of(value, f"{before}{composed(key)}.")
