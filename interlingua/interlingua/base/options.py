"""Options as records: a field says its default, its bounds and what it is for, and no other place lists options.

option(default, help, low=, high=, choices=) --> field of a frozen, kw_only dataclass --options--> flags, keys, tables
                                                                                      --faults--> all that is wrong
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from numbers import Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from interlingua.base.shown_value import shown

_ONES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a JSON object"}


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What a value may be; the default is always allowed.

    Attributes:
        low, high: the least and the greatest.
        above, below: what it may come near to and not reach.
        choices: all there are; of shares, all that may have one.
        check: what it must be instead, in words; "" where it is right.
    """

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: Sequence[str] = ()
    check: Callable[[Any], str] | None = None

    def words(self) -> str:
        """The bounds of a number, to be read after it."""
        if self.low is not None:
            return f" from {self.low:g} to {self.high:g}" if self.high is not None else f" from {self.low:g} on"
        least = "" if self.above is None else f" above {self.above:g}"
        return least if self.below is None else f"{least} and below {self.below:g}"

    def hold(self, number: float) -> bool:
        """Whether a number is within them."""
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        above, below = (
            (-math.inf if self.above is None else self.above),
            (math.inf if self.below is None else self.below),
        )
        return math.isfinite(number) and low <= number <= high and above < number < below


@dataclass(frozen=True, kw_only=True)
class Option:
    """One field of a record of options.

    Attributes:
        kind: of the value, or of one of many; float of shares.
        many: there may be several.
        shares: they have names, as in {"de": 3, "sw": 1}.
        default: MISSING where it has to be given.
        help: a sentence.
        unset: what the default means, where its value does not say it.
        metavar: how a value looks.
        path: it names a file or a folder.
        milliseconds: it is kept in seconds under NAME_s, and given as NAME_ms.
        separated: many are given in one word, with commas; otherwise the flag is repeated.
        joined: the flag may be repeated, and the record keeps one text, with commas.
        json: it is a JSON object, and kept as it is.
    """

    name: str
    kind: type
    many: bool
    shares: bool
    default: Any
    help: str
    bounds: Allowed
    unset: str = ""
    metavar: str = ""
    path: bool = False
    milliseconds: bool = False
    separated: bool = False
    joined: bool = False
    json: bool = False

    @property
    def key(self) -> str:
        """Its name where people write it."""
        return self.name.removesuffix("_s") + "_ms" if self.milliseconds else self.name

    @property
    def repeats(self) -> bool:
        """Whether its flag may come several times."""
        return self.joined or self.json or (self.many and not self.separated)

    @property
    def shown_default(self) -> str:
        """For people; "" where there is nothing to say."""
        if self.unset or self.default is MISSING or self.default is None or self.default in ("", ()):
            return self.unset
        if isinstance(self.default, bool):
            return "yes" if self.default else "no"
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    def fault(self, value: Any) -> str:
        """What a value must be, in words; "" where it is right."""
        if self.default is not MISSING and _same(value, self.default):
            return ""
        if self.bounds.check is not None:
            return self.bounds.check(value)
        if self.many and not self.shares:
            is_right = isinstance(value, Sequence) and not isinstance(value, str) and all(map(self._is_one, value))
            return "" if is_right else f"a list, each {self.allowed}"
        return "" if self._is_one(value) else self.allowed

    @property
    def allowed(self) -> str:
        """What one value may be, in words."""
        choices = self.bounds.choices
        return f"one of {', '.join(choices)}" if choices else f"{_ONES[self.kind]}{self.bounds.words()}"

    def kept(self, value: Any) -> Any:
        """A right value as the record has it."""
        if self.json:
            return value
        if self.shares:
            return {name: float(share) for name, share in value.items()}
        if self.many:
            return tuple(map(self.kind, value))
        return value / 1e3 if self.milliseconds else self.kind(value)

    def _is_one(self, value: Any) -> bool:
        if self.bounds.choices:
            return value in self.bounds.choices
        if self.json:
            return isinstance(value, Mapping)
        if self.kind in (str, bool):
            return isinstance(value, self.kind)
        is_right = is_number(value) and self.bounds.hold(float(value))
        return is_right and (self.kind is float or float(value).is_integer())


def option(
    default: Any = MISSING,
    help: str = "",  # noqa: A002
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    choices: Sequence[str] = (),
    check: Callable[[Any], str] | None = None,
    **shown: Any,
) -> Any:
    """A dataclass field; `shown`: unset, metavar, path, milliseconds, separated, joined, json (`Option`)."""
    bounds = Allowed(low=low, high=high, above=above, below=below, choices=choices, check=check)
    facts = {"help": help, "bounds": bounds, **shown}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata={"option": {**facts, "default": default}})
    return field(default=default, metadata={"option": {**facts, "default": default}})


def options(record: Any) -> tuple[Option, ...]:
    """The options of a dataclass, in its order; fields that `option` did not make are none."""
    return _options(record)


@cache
def _options(record: Any) -> tuple[Option, ...]:
    hints = get_type_hints(record)
    return tuple(
        _option(entry.name, hints[entry.name], dict(entry.metadata["option"]))
        for entry in fields(record)
        if "option" in entry.metadata
    )


def faults(record: Any, named: Callable[[str], str] = str) -> list[str]:
    """Everything that is wrong with a record's values; `named` gives a field the name that its user knows."""
    found = []
    for entry in options(type(record)):
        value = getattr(record, entry.name)
        if wrong := entry.fault(value):
            found.append(f"{named(entry.name)} is {shown(value)}, it must be {wrong}")
    return found


def _option(name: str, hint: Any, facts: dict[str, Any]) -> Option:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if facts.get("json"):
        return Option(name=name, kind=dict, many=False, shares=False, **facts)
    if get_origin(hint) is Literal:
        bounds = facts.pop("bounds")
        facts["bounds"] = Allowed(choices=get_args(hint), check=bounds.check)
        hint = str
    shares = get_origin(hint) is Mapping
    many = shares or get_origin(hint) in (Sequence, tuple)
    kind = get_args(hint)[1 if shares else 0] if many else hint
    return Option(name=name, kind=kind, many=many, shares=shares, **facts)


def is_number(value: Any, low: float = -math.inf) -> bool:
    """Whether it is a finite number, and not below `low`."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value) and low <= float(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
