"""The runs that folders hold.

FOLDER ... (a run, a ladder, a search) --> RecordedRun ..., search.json; what cannot be read --> a sentence each
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import InputError
from interlingua_loadtest.report.recorded_run import RecordedRun
from interlingua_loadtest.slo import Slo

_RUN_FILES = ("run.json", "*/run.json", "*/*/run.json")
_SEARCH = "search.json"


@dataclass(frozen=True)
class RecordedSearch:
    """What a search for the highest rate said of itself: search.json beside its runs.

    Attributes:
        rate, low, high: requests a second, with its interval; None where the file does not say.
    """

    folder: str
    slo: str | None
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RecordedRuns:
    """What folders hold.

    Attributes:
        runs: in the order of their rates, folder by folder.
        unreadable: why a run is left out, a sentence each.
    """

    runs: tuple[RecordedRun, ...]
    searches: tuple[RecordedSearch, ...]
    unreadable: tuple[str, ...]


def read_runs(folders: Iterable[Path]) -> RecordedRuns:
    """Every run in these folders, once.

    Raises:
        InputError: a folder holds no run that can be read.
    """
    folders = list(dict.fromkeys(folder.resolve() for folder in folders))
    runs: dict[Path, RecordedRun] = {}
    searches, unreadable = [], []
    for folder in folders:
        found, faults = _runs_in(folder, prefix=f"{folder.name}/" if len(folders) > 1 else "")
        if not found:
            raise InputError("; ".join(faults) or f"{folder} holds no run: there is no run.json in it or below it")
        runs |= {run.path: run for run in found if run.path not in runs}
        searches += _searches(folder)
        unreadable += [f"left out: {fault}" for fault in faults]
    return RecordedRuns(tuple(runs.values()), tuple(searches), tuple(unreadable))


def _runs_in(folder: Path, prefix: str) -> tuple[list[RecordedRun], list[str]]:
    runs, faults = [], []
    for path in [file.parent for pattern in _RUN_FILES for file in sorted(folder.glob(pattern))]:
        name = folder.name if path == folder else prefix + str(path.relative_to(folder))
        try:
            runs.append(RecordedRun.read(path, name))
        except InputError as error:
            faults.append(str(error))
    return sorted(runs, key=lambda run: (run.rate, run.name)), faults


def _searches(folder: Path) -> list[RecordedSearch]:
    """One, or none where there is no such file or it is something else."""
    try:
        content = json.loads((folder / _SEARCH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(content, Mapping):
        return []
    numbers = (_number(content.get(name)) for name in ("rate", "low", "high"))
    return [RecordedSearch(folder.name, _objective(content.get("slo")), *numbers)]


def _objective(value: Any) -> str | None:
    if isinstance(value, Mapping):
        percent, limit_s = _number(value.get("percent")), _number(value.get("limit_s"))
        return str(Slo(percent, limit_s)) if percent and limit_s else None
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
