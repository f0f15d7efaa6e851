"""A range of finite numbers: click's own lets nan through every bound, since no comparison with it is true."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click import Context, Parameter


class NumberRange(click.FloatRange):
    """click's range, without nan and the infinities."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """The number; fails as click's types do."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number
