"""A run's folder: raw, written once, never rewritten.

settings, environment -> RUN/run.json, when the run begins
Outcome, ... -> RUN/requests.parquet/00-00000.parquet, ...    request_columns.py reads them as one
ProcessSample, ... -> RUN/processes.parquet/...
Triton's statistics -> RUN/triton-before.json, RUN/triton-after.json
histograms -> RUN/histograms.hdr; verdict -> RUN/validity.json, when it ends
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import InputError
from interlingua.base.plain import plain
from interlingua.base.whole_file import whole
from interlingua_loadtest.record.parquet_parts import PartWriter
from interlingua_loadtest.record.percentiles import LatencyHistogram, read_log, to_log
from interlingua_loadtest.record.record import OUTCOME_COLUMNS, PROCESS_COLUMNS, Outcome, ProcessSample
from interlingua_loadtest.record.request_columns import Processes, Requests

if TYPE_CHECKING:
    from interlingua_loadtest.record.validity import Validity

_RUN, _VALIDITY, _REQUESTS, _PROCESSES = "run.json", "validity.json", "requests.parquet", "processes.parquet"
_HISTOGRAMS = "histograms.hdr"


class RunFolder:
    """A run's folder; nothing in it is written twice."""

    def __init__(self, path: Path) -> None:
        """A folder that holds a run; raises InputError where it does not."""
        if not (path / _RUN).is_file():
            raise InputError(f"{path} holds no run: there is no {_RUN} in it")
        self.path = path

    @classmethod
    def create(cls, path: Path, settings: Mapping[str, Any], environment: Mapping[str, Any]) -> RunFolder:
        """Begin a run: make the folder, write what is known beforehand.

        Raises:
            InputError: the folder holds a run or anything else already, or cannot be made.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise InputError(f"{path} is not empty: a run is written once, name another folder")
        except OSError as error:
            raise InputError(f"cannot make the folder {path}: {error.strerror or error}") from error
        _write_once(path / _RUN, _json({"settings": settings, "environment": environment}))
        return cls(path)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that `create` was given."""
        return dict(self.read_json("run")["settings"])

    @property
    def environment(self) -> dict[str, Any]:
        """The environment that `create` was given."""
        return dict(self.read_json("run")["environment"])

    @property
    def requests_folder(self) -> Path:
        """Where outcomes are written to."""
        return self.path / _REQUESTS

    def outcomes(self, worker: int = 0) -> PartWriter[Outcome]:
        """What one process of the generator writes its outcomes with."""
        return outcome_writer(self.requests_folder, worker)

    def process_samples(self, worker: int = 0) -> PartWriter[ProcessSample]:
        """What samples of processes are written with."""
        values = attrgetter(*PROCESS_COLUMNS)
        return PartWriter(self.path / _PROCESSES, PROCESS_COLUMNS, values, worker=worker)

    def requests(self) -> Requests:
        """All outcomes of finished parts, as columns; raises InputError where there are none."""
        return Requests.read(self.requests_folder)

    def processes(self) -> Processes:
        """All samples of finished parts, as columns; none where no process was sampled."""
        return Processes.read(self.path / _PROCESSES)

    def write_json(self, name: str, content: object) -> None:
        """NAME.json, once; what is not finite becomes null. Raises InputError where it is there already."""
        _write_once(self.path / f"{name}.json", _json(content))

    def read_json(self, name: str) -> Any:
        """What `write_json` wrote; raises InputError where there is none."""
        file = self.path / f"{name}.json"
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {file}: {error}") from error

    def write_validity(self, validity: Validity) -> None:
        """validity.json: the verdict of the run's end."""
        _write_once(self.path / _VALIDITY, _json(validity))

    def write_histograms(self, histograms: Mapping[str, LatencyHistogram]) -> None:
        """histograms.hdr, in HdrHistogram's own log format."""
        _write_once(self.path / _HISTOGRAMS, to_log(histograms))

    def histograms(self) -> dict[str, LatencyHistogram]:
        """What `write_histograms` wrote, by tag."""
        return read_log(self.path / _HISTOGRAMS)


def outcome_writer(folder: Path, worker: int = 0) -> PartWriter[Outcome]:
    """For processes that are told a folder alone: RunFolder.requests_folder."""
    return PartWriter(folder, OUTCOME_COLUMNS, attrgetter(*OUTCOME_COLUMNS), worker=worker)


def _json(content: object) -> str:
    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _write_once(file: Path, content: str) -> None:
    if file.exists():
        raise InputError(f"{file} is there already: a run's record is written once")
    try:
        with whole(file) as partial:
            partial.write_text(content, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
