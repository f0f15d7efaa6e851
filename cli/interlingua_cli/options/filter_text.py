"""A filter as it is typed: JSON, or FIELD=VALUE for what is asked for most; several have to hold together.

'{"date": {"gte": "2024"}}'  tenant=acme  year=2024  -->  {"and": [..., {"tenant": "acme"}, {"year": ["2024", 2024]}]}
"""

from __future__ import annotations

import json
import math
from typing import Any

import click


def read_filters(ctx: click.Context, param: click.Parameter, value: Any) -> dict[str, Any] | None:
    """One filter of all that were given; None without any."""
    filters = [_read(text, ctx, param) for text in value]
    if len(filters) > 1:
        return {"and": filters}
    return filters[0] if filters else None


def _read(text: str, ctx: click.Context, param: click.Parameter) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise click.BadParameter(f"{text!r:.80} is no JSON: {error}", ctx, param) from None
    field, equals, wanted = text.partition("=")
    if not field or not equals:
        raise click.BadParameter(f"{text!r:.80} is neither a JSON object nor FIELD=VALUE", ctx, param)
    return {field: _values(wanted)}


def _values(text: str) -> Any:
    """The text, and what it may stand for besides: "2024" is a text or a number, whichever the field holds."""
    try:
        other = json.loads(text)
    except (ValueError, RecursionError):
        return text
    is_number = isinstance(other, int) or (isinstance(other, float) and math.isfinite(other))
    return [text, other] if is_number else text
