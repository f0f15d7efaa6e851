"""Where the time goes: what each stage takes in the requests around a percentile.

Requests --kind, language, length--> a group --ranks around p50 or p99--> a band --mean of each stage--> Budget

A percentile of the whole is not the sum of its stages' percentiles, means are: so a budget is of the requests whose
latency ranks about the percentile, and its stages add up to their mean latency. The last stage, the client, is what the
others leave: it is found by subtraction, and shown where it is below zero (a stage that was counted twice, or clocks
that disagree).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_loadtest.record.request_columns import Floats, Ints, Mask, Requests

PERCENTS = (50.0, 99.0)
REST = "client"
LAG = "lag"
# In the order in which a request passes them; the client's part is spread between them.
SERVICE_STAGES = (LAG, "network", "queue", "tokenize", "compute")
SEARCH_STAGES = (LAG, "language", "network", "queue", "tokenize", "compute", "ann", "documents", "rerank")
STAGES = (*SEARCH_STAGES, REST)

_WIDEST = 5.0
_LEAST = 5
_BANDS = 4


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Mean times of the requests around a percentile of a group's latency.

    Attributes:
        kind: of request.
        group: "all", "language" or "tokens"; name: which of them, "" for all.
        percent: the percentile.
        requests: in the band; of: answered requests in the group.
        low_s, high_s: the band's least and greatest latency.
        latency_s: its mean; the stages add up to it.
        stages: seconds by name, in order, REST last; NaN: no request of the band has it.
        unknown: requests of the band that lack a stage, whose time is then in REST.
    """

    kind: str
    group: str
    name: str
    percent: float
    requests: int
    of: int
    low_s: float
    high_s: float
    latency_s: float
    stages: Mapping[str, float]
    unknown: int


def budgets(requests: Requests) -> list[Budget]:
    """The budget of every kind, and of its languages and lengths; of answered requests alone.

    Args:
        requests: the measured ones.
    """
    answered = requests.where(requests.answered)
    found = []
    for kind in np.unique(answered.kind).tolist():
        of_kind = answered.where(answered.kind == kind)
        groups = [("all", "", np.ones(len(of_kind), bool)), *_languages(of_kind)]
        groups += [("tokens", name, rows) for name, rows in length_bands(of_kind.tokens).items()]
        found += [
            budget(of_kind.where(rows), percent, kind, group, name)
            for group, name, rows in groups
            for percent in PERCENTS
        ]
    return found


def budget(requests: Requests, percent: float, kind: str, group: str = "all", name: str = "") -> Budget:
    """The budget of at least one answered request of one kind."""
    rows = band(requests.latency_s, percent)
    part = requests.where(rows)
    stages, unknown = _stages(part, SEARCH_STAGES if kind == "search" else SERVICE_STAGES)
    latency = part.latency_s
    mean = math.fsum(latency.tolist()) / len(part)
    rest = math.fsum([mean, *(-value for value in stages.values() if not math.isnan(value))])
    low, high = float(latency.min()), float(latency.max())
    stages[REST] = rest
    return Budget(
        kind=kind,
        group=group,
        name=name,
        percent=percent,
        requests=len(part),
        of=len(requests),
        low_s=low,
        high_s=high,
        latency_s=mean,
        stages=stages,
        unknown=unknown,
    )


def band(latency_s: Floats, percent: float) -> Ints:
    """Rows whose latency ranks about a percentile.

    The band reaches half as far from the percentile as the percentile is from 100, and 5 points at most: from 45 to
    55 about p50, from 98.5 to 99.5 about p99. Where that is fewer than 5 requests it is the 5 nearest in rank, or
    all where there are not so many.
    """
    number = len(latency_s)
    order = np.argsort(latency_s, kind="stable")
    reach = min(_WIDEST, (100 - percent) / 2) / 100 * number
    wanted = min(max(round(2 * reach), _LEAST), number)
    first = round(percent / 100 * number - wanted / 2)
    first = min(max(first, 0), number - wanted)
    chosen: Ints = order[first : first + wanted]
    return chosen


def length_bands(tokens: Ints) -> dict[str, Mask]:
    """Quarters of the lengths that occurred, by name as in "8-11"; unknown lengths are in none.

    Equal lengths stay together, so that there are fewer bands than four where lengths hardly differ.
    """
    known = tokens >= 0
    if not known.any():
        return {}
    cuts = np.quantile(tokens[known], np.arange(1, _BANDS) / _BANDS, method="inverted_cdf")
    place = np.searchsorted(np.unique(cuts), tokens, side="left")
    bands: dict[str, Mask] = {}
    for number in np.unique(place[known]).tolist():
        rows = known & (place == number)
        low, high = int(tokens[rows].min()), int(tokens[rows].max())
        bands[f"{low}-{high}" if low < high else str(low)] = rows
    return bands


def _languages(requests: Requests) -> Iterator[tuple[str, str, Mask]]:
    for language in np.unique(requests.language).tolist():
        yield "language", language, requests.language == language


def _stages(part: Requests, names: tuple[str, ...]) -> tuple[dict[str, float], int]:
    """Mean of each stage, where a request that lacks it counts as 0; and how many lack one."""
    values = np.array([getattr(part, f"{name}_s") for name in names])
    missing = np.isnan(values)
    means = {
        name: math.fsum(row[~gone].tolist()) / len(part) if not gone.all() else math.nan
        for name, row, gone in zip(names, values, missing, strict=True)
    }
    return means, int(missing.any(axis=0).sum())
