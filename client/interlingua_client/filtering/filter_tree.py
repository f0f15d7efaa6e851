"""A filter that was read: frozen, without mistakes of form, and always in one spelling.

Condition(field, tests) | Every(parts) | Some(parts) | Negated(part)      filter.canonical: JSON, sorted
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from interlingua_client.filtering.values import Scalar

BoundName = Literal["gt", "gte", "lt", "lte"]
BOUNDS: tuple[BoundName, ...] = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True)
class AnyOf:
    """The value is one of these; of none where there are none."""

    values: tuple[Scalar, ...]

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {"any": sorted({json.dumps(value) for value in self.values})}


@dataclass(frozen=True)
class FieldBound:
    """The value lies on this side of a number, or of a date as ISO 8601 has it."""

    name: BoundName
    limit: str | int | float

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {self.name: self.limit}


@dataclass(frozen=True)
class Prefix:
    """The value is a text that begins so."""

    text: str

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {"prefix": self.text}


@dataclass(frozen=True)
class Exists:
    """The field has a value, or has none."""

    there: bool

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {"exists": self.there}


Test = AnyOf | FieldBound | Prefix | Exists


@dataclass(frozen=True)
class Condition:
    """One value of a field passes all tests; `Exists(False)`: the field has none."""

    field: str
    tests: tuple[Test, ...]

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {self.field: _sorted(test.spelled() for test in self.tests)}


@dataclass(frozen=True)
class Every:
    """All parts hold; of no parts, every document passes."""

    parts: tuple[Node, ...]

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {"and": _sorted(part.spelled() for part in self.parts)}


@dataclass(frozen=True)
class Some:
    """At least one part holds."""

    parts: tuple[Node, ...]

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {"or": _sorted(part.spelled() for part in self.parts)}


@dataclass(frozen=True)
class Negated:
    """The part does not hold."""

    part: Node

    def spelled(self) -> object:
        """Spells it as JSON."""
        return {"not": self.part.spelled()}


Node = Condition | Every | Some | Negated


@dataclass(frozen=True)
class DocumentFilter:
    """What documents have to meet.

    Attributes:
        root: its outermost part.
    """

    root: Node

    @cached_property
    def canonical(self) -> str:
        """One text for all ways to write the same parts in another order; what masks are kept under."""
        return json.dumps(self.root.spelled(), sort_keys=True)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing, and every document passes."""
        return self.root == Every(())

    def also(self, other: DocumentFilter | None) -> DocumentFilter:
        """Both, as parts of one `and`: nothing within either changes what the other lets through."""
        return self if other is None else DocumentFilter(Every((self.root, other.root)))

    def conditions(self) -> Iterator[Condition]:
        """Every condition in it."""
        yield from _conditions(self.root)


def _conditions(node: Node) -> Iterator[Condition]:
    if isinstance(node, Condition):
        yield node
    elif isinstance(node, Negated):
        yield from _conditions(node.part)
    else:
        for part in node.parts:
            yield from _conditions(part)


def _sorted(spelled: Iterator[object]) -> list[object]:
    return sorted(spelled, key=lambda one: json.dumps(one, sort_keys=True))
