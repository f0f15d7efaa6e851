"""Records to what JSON holds, and back.

dataclasses, NamedTuples, mappings, sequences, arrays, paths --plain--> objects, lists, strings and numbers
                                                             <--build--

JSON has neither NaN nor infinity: what is not finite is null, and null in the place of a number is NaN. Properties that
a record names in DERIVED are written too, for who reads the file. A class that JSON holds otherwise than by its fields
has `to_plain`, and `from_plain`, which takes it back (ValueError where it is none).
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from interlingua.base.errors import InputError

T = TypeVar("T")
Record = TypeVar("Record", bound=type)

SAVED: list[type] = []
"""Records that are written and read again."""


def saved(kind: Record) -> Record:
    """Mark a record for `build`: the types of its fields are imported at run time where it is defined."""
    SAVED.append(kind)
    return kind


def plain(value: Any, decimals: int | None = None) -> Any:
    """Values of any depth; keys become strings.

    Args:
        decimals: that floats keep; None for all their digits.
    """

    def inner(value: Any) -> Any:
        return plain(value, decimals)

    if hasattr(value, "to_plain"):
        return inner(value.to_plain())
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)] + [*getattr(value, "DERIVED", ())]
        return {name: inner(getattr(value, name)) for name in names}
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


def build(kind: type[T], raw: object, within: str = "") -> T:
    """A record from what `plain` made of it, from a table of a TOML file, or from options.

    Args:
        kind: a dataclass or NamedTuple of texts, numbers, truths, paths, choices, and of records, tuples, lists and
            mappings of those. A field that is a record already stays what it is.
        within: the table's key, for messages.

    Raises:
        InputError: a missing or an unknown field, a value of the wrong kind, or a derived one that the others
            contradict; the message names all of them.
    """
    faults: list[str] = []
    record: T = _Reader(faults).record(kind, raw, within)
    if faults:
        raise InputError("; ".join(faults))
    return record


class _Fields(NamedTuple):
    """The fields of a record: their types, those that have no default, and what is written beside them."""

    hints: Mapping[str, Any]
    required: tuple[str, ...]
    derived: tuple[str, ...]


@cache
def _fields(kind: Any) -> _Fields:
    hints = get_type_hints(kind)
    if not is_dataclass(kind):
        return _Fields(hints, tuple(name for name in kind._fields if name not in kind._field_defaults), ())
    taken = [field for field in fields(kind) if field.init]
    required = (field.name for field in taken if field.default is MISSING and field.default_factory is MISSING)
    return _Fields({field.name: hints[field.name] for field in taken}, tuple(required), getattr(kind, "DERIVED", ()))


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")))


class _Reader:
    """Takes values as their fields want them; what does not fit is noted among the faults."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    def record(self, kind: Any, raw: object, within: str) -> Any:
        """None where there is a fault."""
        if not isinstance(raw, Mapping):
            return self._fault(f"{within.rstrip('.') or 'it'} is {raw!r}, not a table")
        known, before, checks_itself = _fields(kind), len(self._faults), hasattr(kind, "__post_init__")
        unknown = raw.keys() - known.hints.keys() - set(known.derived)
        self._faults += [f"unknown field {within}{key}" for key in sorted(unknown)]
        values = {
            # A record that checks itself names a wrong choice beside its other faults.
            key: raw[key] if get_origin(hint) is Literal and checks_itself else self.value(hint, raw[key], within + key)
            for key, hint in known.hints.items()
            if key in raw
        }
        self._faults += [f"{within}{name} is missing" for name in known.required if name not in raw]
        if len(self._faults) > before:
            return None
        record = kind(**values)
        self._faults += [
            f"{within}{name} is {raw[name]!r}, which the rest contradicts: it was changed by hand"
            for name in known.derived
            if type(raw.get(name)) in (str, bool, int) and plain(getattr(record, name)) != raw[name]
        ]
        return record

    def value(self, hint: Any, raw: Any, key: str) -> Any:
        """A value of any kind that a field may have."""
        kind, inner = get_origin(hint) or hint, get_args(hint)
        if kind in (Any, object) or (is_dataclass(raw) and not isinstance(raw, type)):
            return raw
        if kind in (Union, types.UnionType):
            return self._one_of(inner, raw, key)
        if kind is Literal:
            return raw if raw in inner else self._fault(f"{key} is {raw!r}, not one of {', '.join(map(str, inner))}")
        if hasattr(kind, "from_plain"):
            return self._own(kind, raw, key)
        if _is_record(kind):
            return self.record(kind, raw, f"{key}.")
        if issubclass(kind, Mapping):
            return self._mapping(inner, raw, key)
        if issubclass(kind, tuple | Sequence | Set) and kind is not str:
            return self._sequence(kind, inner, raw, key)
        return self._plain(kind, raw, key)

    def _fault(self, message: str) -> None:
        self._faults.append(message)

    def _own(self, kind: Any, raw: object, key: str) -> Any:
        try:
            return kind.from_plain(raw)
        except (ValueError, TypeError, InputError) as error:
            return self._fault(f"{key} is {raw!r}: {error}")

    def _one_of(self, kinds: Iterable[Any], raw: Any, key: str) -> Any:
        """The first kind that takes it; with null for none, that is the kind of the others."""
        if raw is None and type(None) in kinds:
            return None
        found: list[str] = []
        for kind in (kind for kind in kinds if kind is not type(None)):
            found = []
            value = _Reader(found).value(kind, raw, key)
            if not found:
                return value
        self._faults += found
        return None

    def _mapping(self, inner: tuple[Any, ...], raw: object, key: str) -> Any:
        if not isinstance(raw, Mapping):
            return self._fault(f"{key} is {raw!r}, not a table")
        names, values = inner or (str, Any)
        return {
            self.value(names, _number(names, name), f"a key of {key}"): self.value(values, item, f"{key}.{name}")
            for name, item in raw.items()
        }

    def _sequence(self, kind: Any, inner: tuple[Any, ...], raw: object, key: str) -> Any:
        if not isinstance(raw, list | tuple):
            return self._fault(f"{key} is {raw!r}, not a list")
        if kind is tuple and inner and inner[-1] is not Ellipsis:
            if len(raw) != len(inner):
                return self._fault(f"{key} has {len(raw)} entries, not {len(inner)}")
            hints: tuple[Any, ...] = inner
        else:
            hints = (inner[0] if inner else Any,) * len(raw)
        values = [
            self.value(hint, item, f"{key}[{place}]")
            for place, (hint, item) in enumerate(zip(hints, raw, strict=True), start=1)
        ]
        return kind(values) if kind in (list, set, frozenset) else tuple(values)

    def _plain(self, kind: Any, raw: Any, key: str) -> Any:
        if kind is float:
            if raw is None:
                return math.nan
            return float(raw) if type(raw) in (int, float) else self._fault(f"{key} is {raw!r}, not a number")
        if kind is Path and isinstance(raw, str | Path):
            return Path(raw)
        if type(raw) is not kind:
            return self._fault(f"{key} is {raw!r}, not {_KINDS.get(kind, kind)}")
        return raw


def _number(kind: Any, name: Any) -> Any:
    """JSON has texts for keys."""
    try:
        return kind(name) if kind in (int, float) else name
    except ValueError:
        return name


_KINDS: dict[Any, str] = {str: "a text", bool: "true or false", int: "a whole number", Path: "a path"}
