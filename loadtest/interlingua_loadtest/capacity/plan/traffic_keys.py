"""The keys of a traffic description, and what each may be.

sections of a TOML file --> what is wrong with them, in words
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from interlingua_client.language_tag import normalize_tag
from interlingua_loadtest.request_kinds import KINDS

Check = Callable[[Any], str | None]
_HOURS = 24


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _above(low: float) -> Check:
    return lambda value: None if _is_number(value) and value > low else f"it must be a number above {low:g}"


def _from(low: float) -> Check:
    return lambda value: None if _is_number(value) and value >= low else f"it must be a number, {low:g} or more"


def _whole(low: int) -> Check:
    return lambda value: (
        None if _is_number(value) and value == int(value) and value >= low else f"it must be a whole number from {low}"
    )


def _share(value: Any) -> str | None:
    return None if _is_number(value) and 0 < value < 1 else "it must be between 0 and 1"


def _hours(value: Any) -> str | None:
    is_day = isinstance(value, list) and len(value) == _HOURS and all(_is_number(rate) and rate >= 0 for rate in value)
    return None if is_day and max(value) > 0 else f"it must be {_HOURS} rates of 0 or more, one of them above 0"


def _process(value: Any) -> str | None:
    return None if value in ("poisson", "bursts") else "it must be poisson or bursts"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "it must be a name"


KEYS: Mapping[str, Mapping[str, Check]] = {
    "traffic": {
        "peak_rate": _above(0),
        "mean_rate": _above(0),
        "hourly_rates": _hours,
        "arrivals": _process,
        "burst_factor": _from(1),
        "burst_period_s": _above(0),
        "burst_share": _share,
        "depth": _whole(0),
        "deadline_ms": _above(0),
        "dataset": _text,
    },
    "corpus": {"documents": _whole(0), "m": _whole(2), "ef_construction": _whole(1), "ef_search": _whole(1)},
    "growth": {"traffic": _above(-1), "corpus": _above(-1), "months": _whole(1)},
}
SHARES = ("kinds", "languages")


def faults(raw: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a description, naming section and key."""
    known = (*KEYS, *SHARES)
    for section, values in raw.items():
        if section not in known:
            yield f"[{section}] is not known, there are {', '.join(known)}"
        elif not isinstance(values, Mapping):
            yield f"{section} is no table: write [{section}] and its keys below"
        elif section in SHARES:
            yield from _share_faults(section, values)
        else:
            yield from _value_faults(section, values)


def _value_faults(section: str, values: Mapping[str, Any]) -> Iterator[str]:
    checks = KEYS[section]
    for key, value in values.items():
        if key not in checks:
            yield f"[{section}] {key} is not known, there are {', '.join(checks)}"
        elif wrong := checks[key](value):
            yield f"[{section}] {key} is {value!r}, {wrong}"
    if section == "traffic" and "hourly_rates" in values and values.keys() & {"peak_rate", "mean_rate"}:
        yield "[traffic] hourly_rates gives the peak and the mean: leave peak_rate and mean_rate out"


def _share_faults(section: str, shares: Mapping[str, Any]) -> Iterator[str]:
    for name, share in shares.items():
        if not _is_number(share) or share < 0:
            yield f"[{section}] {name} is {share!r}, a share must be a number, 0 or more"
        if section == "kinds" and name not in KINDS:
            yield f"[kinds] {name} is not known, there are {', '.join(KINDS)}"
        if section == "languages" and not _is_tag(name):
            yield f"[languages] {name} is no BCP 47 tag"
    if shares and all(_is_number(share) and share == 0 for share in shares.values()):
        yield f"[{section}] all shares are 0, one must be above"


def _is_tag(name: str) -> bool:
    try:
        return bool(normalize_tag(name))
    except ValueError:
        return False
