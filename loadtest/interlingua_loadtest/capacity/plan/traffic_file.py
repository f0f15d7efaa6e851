"""A traffic description, from a TOML file, from options, or from both: an option stands in a line's place.

traffic.toml, options --check, merge--> PlannedTraffic                  docs/capacity.md says what each key means
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from interlingua.base.errors import InputError
from interlingua.base.options import Option, is_number, options
from interlingua.served.service import RERANK
from interlingua_client.language_tag import normalize_tag
from interlingua_loadtest.capacity.plan.planned_traffic import Burst, Growth, PlannedCorpus, PlannedTraffic
from interlingua_loadtest.capacity.plan.planner import peak_and_mean

Sections = Mapping[str, Mapping[str, Any]]
Named = Callable[[str, str], str]

KEYS: Mapping[str, Mapping[str, Option]] = {
    "traffic": {entry.key: entry for entry in options(PlannedTraffic) if not entry.shares}
    | {f"burst_{entry.key}": entry for entry in options(Burst)},
    "corpus": {entry.key: entry for entry in options(PlannedCorpus)},
    "growth": {entry.key: entry for entry in options(Growth)},
}
SHARES: Mapping[str, Option] = {entry.name: entry for entry in options(PlannedTraffic) if entry.shares}


def _in_file(section: str, key: str) -> str:
    return f"[{section}] {key}"


def read_traffic(path: Path | None, given: Sections | None = None, typed: Named = _in_file) -> PlannedTraffic:
    """The traffic of a file, of options, or of a file with options in some lines' place.

    Args:
        path: None where options say all of it.
        given: options, by section and key, as the file has them.
        typed: names a section's key as the user of the options typed it.

    Raises:
        InputError: naming the file, the key, and what is wrong, for all that is wrong.
    """
    source = str(path) if path else "the options"
    raw = _load(path) if path else {}
    _require(faults(raw), source)
    given = {section: dict(values) for section, values in (given or {}).items()}
    _require(faults(given, typed), "the options")

    def named(section: str, key: str) -> str:
        return (typed if path is None or key in given.get(section, ()) else _in_file)(section, key)

    return _build(_merged(raw, given), source, named)


def _load(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: not a readable traffic file ({error})") from error


def _require(faults: Iterator[str], source: str) -> None:
    if found := list(faults):
        raise InputError(f"{source}: {'; '.join(found)}")


def _merged(raw: Sections, given: Sections) -> dict[str, dict[str, Any]]:
    """Options in the place of lines; a peak puts the file's day away, a day its peak; shares are replaced whole."""
    merged = {section: dict(raw.get(section, {})) for section in (*KEYS, *SHARES)}
    traffic = given.get("traffic", {})
    away = {"hourly_rates": ("peak_rate", "mean_rate"), "peak_rate": ("hourly_rates",), "mean_rate": ("hourly_rates",)}
    for key in traffic.keys() & away.keys():
        for other in away[key]:
            merged["traffic"].pop(other, None)
    for section, values in given.items():
        merged[section] = dict(values) if section in SHARES and values else {**merged[section], **values}
    return merged


def _build(raw: Sections, source: str, named: Named) -> PlannedTraffic:
    traffic = raw["traffic"]
    peak, mean = _rates(traffic, source, named)
    own = {entry.name: entry.kept(traffic[key]) for key, entry in KEYS["traffic"].items() if key in traffic}
    burst = {entry.name: own.pop(entry.name) for entry in options(Burst) if entry.name in own}
    shares = {name: {key: share for key, share in raw[name].items() if share > 0} for name in SHARES}
    kinds = SHARES["kinds"].kept(shares["kinds"]) or dict(SHARES["kinds"].default)
    made = PlannedTraffic(
        **own | {"source": source, "peak_rate": peak, "mean_rate": mean, "burst": Burst(**burst), "kinds": kinds},
        languages={normalize_tag(tag): float(share) for tag, share in shares["languages"].items()},
        corpus=PlannedCorpus(**{key: KEYS["corpus"][key].kept(value) for key, value in raw["corpus"].items()}),
        growth=Growth(**{key: KEYS["growth"][key].kept(value) for key, value in raw["growth"].items()}),
    )
    if made.depth == 0 and RERANK in kinds:
        where = named("traffic", "depth"), named("kinds", RERANK).removesuffix(f" {RERANK}")
        raise InputError(f"{source}: {where[0]} is 0, but {where[1]} has rerank, which needs pairs")
    if made.token_vectors and (made.depth == 0 or RERANK in kinds):
        option, why = named("traffic", "token_vectors"), "depth is 0" if made.depth == 0 else "kinds have rerank"
        raise InputError(f"{source}: {option} is for searches that rerank, and for nothing else, but {why}")
    return made


def _rates(traffic: Mapping[str, Any], source: str, named: Named) -> tuple[float, float]:
    """Without a day or a mean, every hour is taken to be like the peak."""
    if "hourly_rates" in traffic:
        return peak_and_mean(dict(enumerate(traffic["hourly_rates"])))
    if "peak_rate" not in traffic:
        wanted = f"{named('traffic', 'peak_rate')}, or {named('traffic', 'hourly_rates')}"
        raise InputError(f"{source}: nothing says how much comes: give {wanted}")
    peak = float(traffic["peak_rate"])
    mean = float(traffic.get("mean_rate", peak))
    if mean > peak:
        where = named("traffic", "mean_rate"), named("traffic", "peak_rate")
        raise InputError(f"{source}: {where[0]} {mean:g} is above {where[1].removeprefix('[traffic] ')} {peak:g}")
    return peak, mean


def faults(raw: Mapping[str, Any], named: Named = _in_file) -> Iterator[str]:
    """Everything that is wrong with a description, naming section and key."""
    known = (*KEYS, *SHARES)
    for section, values in raw.items():
        if section not in known:
            yield f"[{section}] is not known, there are {', '.join(known)}"
        elif not isinstance(values, Mapping):
            yield f"{section} is no table: write [{section}] and its keys below"
        elif section in SHARES:
            yield from _share_faults(section, values, named)
        else:
            yield from _value_faults(section, values, named)


def _value_faults(section: str, values: Mapping[str, Any], named: Named) -> Iterator[str]:
    known = KEYS[section]
    for key, value in values.items():
        if key not in known:
            yield f"{named(section, key)} is not known, there are {', '.join(known)}"
        elif wrong := known[key].fault(value):
            yield f"{named(section, key)} is {value!r}, it must be {wrong}"
    if section == "traffic" and "hourly_rates" in values and values.keys() & {"peak_rate", "mean_rate"}:
        others = " and ".join(named(section, key).removeprefix("[traffic] ") for key in ("peak_rate", "mean_rate"))
        yield f"{named(section, 'hourly_rates')} gives the peak and the mean: leave {others} out"


def _share_faults(section: str, shares: Mapping[str, Any], named: Named) -> Iterator[str]:
    choices = SHARES[section].bounds.choices
    for name, share in shares.items():
        if not is_number(share, low=0):
            yield f"{named(section, name)} is {share!r}, a share must be a number, 0 or more"
        if choices and name not in choices:
            yield f"{named(section, name)} is not known, there are {', '.join(choices)}"
        if section == "languages" and not _is_tag(name):
            yield f"{named(section, name)} is no BCP 47 tag"
    if shares and all(is_number(share) and share == 0 for share in shares.values()):
        yield f"[{section}] all shares are 0, one must be above"


def _is_tag(name: str) -> bool:
    try:
        return bool(normalize_tag(name))
    except ValueError:
        return False
