"""A traffic description, from a TOML file, from options, or from both: an option stands in a line's place.

traffic.toml, options --check, merge--> PlannedTraffic                  docs/capacity.md says what each key means
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from interlingua.base.errors import InputError
from interlingua_client.language_tag import normalize_tag
from interlingua_loadtest.capacity.plan.planned_traffic import Burst, Growth, PlannedCorpus, PlannedTraffic
from interlingua_loadtest.capacity.plan.traffic_keys import KEYS, SHARES, faults
from interlingua_loadtest.capacity.planner import peak_and_mean
from interlingua_loadtest.request_kinds import SEARCH

Sections = Mapping[str, Mapping[str, Any]]


def read_traffic(path: Path | None, options: Sections | None = None) -> PlannedTraffic:
    """The traffic of a file, of options, or of a file with options in some lines' place.

    Args:
        path: None where options say all of it.
        options: by section and key, as the file has them.

    Raises:
        InputError: naming the file, the key, and what is wrong, for all that is wrong.
    """
    source = str(path) if path else "the options"
    raw = _load(path) if path else {}
    _require(faults(raw), source)
    given = {section: dict(values) for section, values in (options or {}).items()}
    _require(faults(given), "the options")
    return _build(_merged(raw, given), source)


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


def _build(raw: Sections, source: str) -> PlannedTraffic:
    traffic = raw["traffic"]
    peak, mean = _rates(traffic, source)
    burst = {
        key: float(traffic[f"burst_{key}"]) for key in ("factor", "period_s", "share") if f"burst_{key}" in traffic
    }
    deadline = traffic.get("deadline_ms")
    kinds = {name: float(share) for name, share in raw["kinds"].items() if share > 0}
    depth = int(traffic.get("depth", 20))
    if depth == 0 and "rerank" in kinds:
        raise InputError(f"{source}: [traffic] depth is 0, but [kinds] has rerank, which needs pairs")
    return PlannedTraffic(
        source=source,
        peak_rate=peak,
        mean_rate=mean,
        arrivals=traffic.get("arrivals", "poisson"),
        burst=Burst(**burst),
        kinds=kinds or {SEARCH: 1.0},
        languages={normalize_tag(tag): float(share) for tag, share in raw["languages"].items() if share > 0},
        depth=depth,
        deadline_s=None if deadline is None else deadline / 1e3,
        dataset=traffic.get("dataset", "helpdesk12"),
        corpus=PlannedCorpus(**{key: int(value) for key, value in raw["corpus"].items()}),
        growth=Growth(**raw["growth"]),
    )


def _rates(traffic: Mapping[str, Any], source: str) -> tuple[float, float]:
    """Without a day or a mean, every hour is taken to be like the peak."""
    if "hourly_rates" in traffic:
        return peak_and_mean(dict(enumerate(traffic["hourly_rates"])))
    if "peak_rate" not in traffic:
        raise InputError(f"{source}: nothing says how much comes: give [traffic] peak_rate, or hourly_rates")
    peak = float(traffic["peak_rate"])
    mean = float(traffic.get("mean_rate", peak))
    if mean > peak:
        raise InputError(f"{source}: [traffic] mean_rate {mean:g} is above peak_rate {peak:g}")
    return peak, mean
