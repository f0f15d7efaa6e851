"""JSON into a filter, or into everything that is wrong with it.

{"tenant": "acme", "date": {"gte": "2024-01-01"}} --parse--> DocumentFilter | InputError: all mistakes
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from interlingua.base.errors import InputError
from interlingua.base.shown_value import shown
from interlingua_client.filtering.filter_tree import (
    BOUNDS,
    AnyOf,
    Condition,
    DocumentFilter,
    Every,
    Exists,
    FieldBound,
    Negated,
    Node,
    Prefix,
    Some,
    Test,
)
from interlingua_client.filtering.instants import Period
from interlingua_client.filtering.told_faults import told
from interlingua_client.filtering.values import as_compared, composed, kind_of

OPERATORS = (*BOUNDS, "prefix", "exists")
_COMBINED = ("and", "or", "not")
_DEEPEST = 32
_MOST_SHOWN = 60
_NOTHING = Every(())


def parse(given: object) -> DocumentFilter:
    """Read a filter.

    Args:
        given: a JSON object (docs/filters.md); {} passes every document.

    Raises:
        InputError: it is none; names every mistake with its path.
    """
    reading = _Reading()
    root = reading.node(given, "filter", 0) if given != {} else _NOTHING
    if reading.wrong:
        raise InputError(told(reading.wrong))
    return DocumentFilter(root)


class _Reading:
    """One filter being read; mistakes are gathered on the way."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def node(self, given: object, path: str, depth: int) -> Node:
        if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
            return self._fault(path, given, 'a JSON object, as in {"tenant": "acme"}')
        if not given:
            return self._fault(path, given, "a filter with a condition")
        if depth > _DEEPEST:
            self.wrong.append(f"filter is nested more than {_DEEPEST} deep")
            return _NOTHING
        parts = [self._part(key, value, f"{path}.{key}", depth + 1) for key, value in given.items()]
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _part(self, key: str, value: object, path: str, depth: int) -> Node:
        if key == "not":
            return Negated(self.node(value, path, depth))
        if key not in _COMBINED:
            return Condition(composed(key), self._tests(value, path))
        if not isinstance(value, list | tuple) or not value:
            return self._fault(path, value, "a list of filters, one or more")
        parts = tuple(self.node(one, f"{path}[{row}]", depth) for row, one in enumerate(value))
        return Every(parts) if key == "and" else Some(parts)

    def _tests(self, value: object, path: str) -> tuple[Test, ...]:
        if isinstance(value, Mapping):
            if not value:
                self._fault(path, value, f"a value, a list of values, or an object of {', '.join(OPERATORS)}")
            return tuple(self._test(name, operand, path) for name, operand in value.items())
        values = value if isinstance(value, list | tuple) else [value]
        for one in values:
            if kind_of(one) is None:
                hint = ' ({"exists": false} asks for documents without the field)' if one is None else ""
                self._fault(path, one, f"a text, a number, true, false, or a list of these{hint}")
        return (AnyOf(tuple(as_compared(one) for one in values if isinstance(one, str | int | float))),)

    def _test(self, name: object, operand: object, path: str) -> Test:
        path = f"{path}.{name}"
        for bound in BOUNDS:
            if name == bound:
                if isinstance(operand, str | int | float) and _is_limit(operand):
                    return FieldBound(bound, operand)
                self._fault(path, operand, "a number, or a date or time as ISO 8601 has it")
                return Exists(True)
        if name == "prefix":
            if isinstance(operand, str):
                return Prefix(composed(operand))
            self._fault(path, operand, "a text")
        elif name == "exists":
            if isinstance(operand, bool):
                return Exists(operand)
            self._fault(path, operand, "true or false")
        else:
            near = get_close_matches(str(name), OPERATORS, 1)
            said = f", did you mean {near[0]!r}?" if near else ""
            self.wrong.append(
                f"{_short(path)}: {_short(name)} is no operator{said} There are {', '.join(OPERATORS)}; "
                'a field within a field is named "outer.inner"'
            )
        return Exists(True)

    def _fault(self, path: str, given: object, wanted: str) -> Node:
        self.wrong.append(f"{_short(path, bare=True)} is {_short(given)}, it must be {wanted}")
        return _NOTHING


def _is_limit(operand: object) -> bool:
    if isinstance(operand, str):
        return Period.read(operand) is not None
    return kind_of(operand) == "numbers"


def _short(given: object, *, bare: bool = False) -> str:
    if not (bare and isinstance(given, str)):
        return shown(given, _MOST_SHOWN)
    return given if len(given) <= _MOST_SHOWN else given[: _MOST_SHOWN - 1] + "…"
