"""A run's record as arrays: what every figure is derived from.

RUN/requests.parquet -> Requests: one array a field of Outcome, in the order of the requests' numbers
RUN/processes.parquet -> Processes
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from interlingua_loadtest.record.record import (
    ANSWERED,
    GENERATOR,
    LATER_COLUMNS,
    OUTCOME_COLUMNS,
    PROCESS_COLUMNS,
    Outcome,
    ProcessSample,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]

_Columns = TypeVar("_Columns", bound="Requests | Processes")


@dataclass(frozen=True, eq=False, kw_only=True)
class Requests:
    """Outcomes; every attribute is an array [n], and named as in Outcome."""

    number: Ints
    kind: Strings
    language: Strings
    query_kind: Strings
    depth: Ints
    scheduled_s: Floats
    sent_s: Floats
    finished_s: Floats
    status: Strings
    detail: Strings
    tokens: Ints
    pairs: Ints
    queue_s: Floats
    tokenize_s: Floats
    compute_s: Floats
    network_s: Floats
    ann_s: Floats
    documents_s: Floats
    language_s: Floats
    rerank_s: Floats
    worker: Ints
    stored: Ints

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def read(cls, source: Path) -> Requests:
        """A folder of parts, or one Parquet file; raises InputError where it is neither."""
        from interlingua_loadtest.record.parquet_parts import read_parts

        requests = _from_table(cls, read_parts(source, OUTCOME_COLUMNS, LATER_COLUMNS))
        return requests.where(np.argsort(requests.number, kind="stable"))

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Requests:
        """Outcomes of this process, as given."""
        return _from_rows(cls, list(outcomes))

    def where(self, rows: Mask | Ints) -> Requests:
        """Some of them, by a mask or by their places."""
        return _chosen(self, rows)

    @property
    def latency_s(self) -> Floats:
        """From the scheduled moment to the answer."""
        return self.finished_s - self.scheduled_s

    @property
    def service_s(self) -> Floats:
        """From sending to the answer."""
        return self.finished_s - self.sent_s

    @property
    def lag_s(self) -> Floats:
        """From the scheduled moment to sending."""
        return self.sent_s - self.scheduled_s

    @property
    def answered(self) -> Mask:
        """The requests with an answer, if a degraded one."""
        return np.isin(self.status, ANSWERED)


@dataclass(frozen=True, eq=False, kw_only=True)
class Processes:
    """Samples; every attribute is an array [n], and named as in ProcessSample."""

    time_s: Floats
    pid: Ints
    name: Strings
    cpu_share: Floats
    rss_mb: Floats
    pss_mb: Floats

    def __len__(self) -> int:
        return len(self.time_s)

    @classmethod
    def read(cls, source: Path) -> Processes:
        """A folder of parts, or one Parquet file; empty where there is neither."""
        from interlingua_loadtest.record.parquet_parts import read_parts

        if not source.exists():
            return cls.of([])
        samples = _from_table(cls, read_parts(source, PROCESS_COLUMNS))
        return samples.where(np.argsort(samples.time_s, kind="stable"))

    @classmethod
    def of(cls, samples: Iterable[ProcessSample]) -> Processes:
        """Samples of this process, as given."""
        return _from_rows(cls, list(samples))

    def where(self, rows: Mask | Ints) -> Processes:
        """Some of them, by a mask or by their places."""
        return _chosen(self, rows)

    @property
    def generator(self) -> Processes:
        """The samples of the load's own processes."""
        return self.where(np.char.startswith(self.name, GENERATOR))


_DTYPES = {int: np.int64, float: np.float64, str: np.str_}
_COLUMNS: dict[type, Any] = {Requests: OUTCOME_COLUMNS, Processes: PROCESS_COLUMNS}


def _from_rows(type_: type[_Columns], rows: list[Any]) -> _Columns:
    columns = _COLUMNS[type_]
    return type_(
        **{name: np.array([getattr(row, name) for row in rows], _DTYPES[kind]) for name, kind in columns.items()}
    )


def _from_table(type_: type[_Columns], table: Any) -> _Columns:
    columns = _COLUMNS[type_]
    return type_(**{name: _array(table.column(name), _DTYPES[kind]) for name, kind in columns.items()})


def _array(column: Any, dtype: Any) -> Any:
    if dtype is not np.str_:
        return column.to_numpy().astype(dtype, copy=False)
    # A run has few different words, and very many rows.
    coded = column.combine_chunks().dictionary_encode()
    words = np.array(coded.dictionary.to_pylist(), np.str_)
    return words[coded.indices.to_numpy(zero_copy_only=False)] if len(words) else np.zeros(0, np.str_)


def _chosen(columns: _Columns, rows: Mask | Ints) -> _Columns:
    return type(columns)(**{entry.name: getattr(columns, entry.name)[rows] for entry in fields(columns)})
