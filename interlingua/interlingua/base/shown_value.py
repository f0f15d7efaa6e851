"""A value that is wrong, as a message shows it: of bounded length, whatever it is.

value --repr--> "'tenant=acme'" | its beginning … | why it cannot be shown
"""

from __future__ import annotations

_LONGEST = 200


def shown(value: object, longest: int = _LONGEST) -> str:
    """The value's repr, cut where it is longer than so many characters."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        return "a number of too many digits" if isinstance(value, int) else "nested too deeply, or too large to show"
    return text if len(text) <= longest else text[: longest - 1] + "…"
