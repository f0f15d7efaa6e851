"""The size of passages as a user gives it: a number of tokens, or off."""

from __future__ import annotations

from typing import Any

import click

_LONGEST = 10  # digits


class PassageTokens(click.ParamType[int]):
    """A whole number, or "off", which is 0."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if isinstance(value, int):
            return value
        if value == "off":
            return 0
        if not (value.isascii() and value.isdigit() and len(value) < _LONGEST and int(value)):
            self.fail(f"{value!r} is no whole number of tokens from 1 on, and not off", param, ctx)
        return int(value)
