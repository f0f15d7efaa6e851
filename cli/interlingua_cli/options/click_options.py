"""A record's options as a command's: flags, bounds and help come from its fields.

record --click_options--> decorator ... what was given, by field --chosen--> record
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import click

from interlingua.base.options import Option, options
from interlingua_cli.options.filter_text import read_filters
from interlingua_cli.options.number_range import NumberRange

T = TypeVar("T")
_KINDS: Mapping[type, Any] = {int: click.INT, float: click.FLOAT, str: click.STRING}


def click_options(
    record: type, rename: Mapping[str, str] | None = None, *, leave_out: Collection[str] = (), prefix: str = ""
) -> Callable[[Any], Any]:
    """A decorator that gives a command the record's options; one that is not given is None.

    Args:
        rename: flags of fields that are not called --NAME-OF-THE-FIELD.
        leave_out: fields that the command asks for in a way of its own.
        prefix: of the parameters' names, where two records have a field of one name.
    """
    made = [
        _click_option(entry, flag(entry, rename), prefix) for entry in options(record) if entry.name not in leave_out
    ]

    def add(command: Any) -> Any:
        for one in reversed(made):
            command = one(command)
        return command

    return add


def flag(entry: Option, rename: Mapping[str, str] | None = None) -> str:
    """What a user types."""
    return (rename or {}).get(entry.name, "--" + entry.key.replace("_", "-"))


def chosen(record: type[T], given: dict[str, Any]) -> T:
    """The record of what was given; its fields are taken out of the mapping."""
    return record(**given_of(record, given))


def given_of(record: type, given: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The options of a record that were given, by their keys; taken out of the mapping."""
    values = {entry.key: given.pop(prefix + entry.key, None) for entry in options(record)}
    return {key: value for key, value in values.items() if value not in (None, (), {})}


def _click_option(entry: Option, name: str, prefix: str) -> Any:
    shown = f"  [default: {entry.shown_default}]" if entry.shown_default else ""
    several = "; may be repeated." if entry.repeats else "."
    text = entry.help.removesuffix(".") + several + shown
    declared = prefix + entry.key
    if entry.kind is bool:
        return click.option(f"{name}/{name.replace('--', '--no-', 1)}", declared, default=None, help=text)
    return click.option(
        name,
        declared,
        type=_type(entry),
        multiple=entry.repeats,
        default=None,
        metavar=entry.metavar or None,
        callback=_reader(entry),
        help=text,
    )


def _reader(entry: Option) -> Callable[..., Any] | None:
    if entry.joined:
        return _joined
    if entry.json:
        return read_filters
    return named_numbers if entry.shares else listed_numbers if entry.separated else None


def _type(entry: Option) -> Any:
    bounds = entry.bounds
    if entry.shares or entry.separated or entry.json:
        return click.STRING
    if entry.path:
        return click.Path(resolve_path=True)
    if bounds.choices and not entry.repeats:
        return click.Choice(bounds.choices)
    return _range(entry) if bounds.words() else _KINDS[entry.kind]


def _range(entry: Option) -> Any:
    bounds = entry.bounds
    low, high = (
        next((one for one in ends if one is not None), None)
        for ends in ((bounds.low, bounds.above), (bounds.high, bounds.below))
    )
    is_open = {"min_open": bounds.above is not None, "max_open": bounds.below is not None}
    if entry.kind is float:
        return NumberRange(low, high, **is_open)
    return click.IntRange(None if low is None else int(low), None if high is None else int(high), **is_open)


def _joined(ctx: click.Context, param: click.Parameter, value: Any) -> str | None:  # noqa: ARG001
    return ",".join(value) or None


def named_numbers(ctx: click.Context, param: click.Parameter, value: Any) -> dict[str, float]:
    """NAME=NUMBER ..."""
    found = {}
    for text in value:
        name, _, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not as in {param.metavar}", ctx, param) from None
        if not name or not 0 <= found[name] < float("inf"):
            raise click.BadParameter(f"{text!r} is not as in {param.metavar}, with a number of 0 or more", ctx, param)
    return found


def listed_numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """Parses 4,3,2,..."""
    try:
        return None if value is None else tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers", ctx, param) from None
