"""The runs that folders hold.

FOLDER ... (a run, a ladder, a search) --> RecordedRun ..., search.json; what cannot be read --> a sentence each
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua_loadtest.rate_search.found_rate import FoundRate
from interlingua_loadtest.report.recorded_run import RecordedRun

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
        found = FoundRate.read(folder / _SEARCH)
    except InputError:
        return []
    return [RecordedSearch(folder.name, found.slo, found.rate, found.low, found.high)]
