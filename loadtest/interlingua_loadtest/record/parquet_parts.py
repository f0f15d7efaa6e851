"""Rows written while they come, as a folder of Parquet files that any reader of Parquet takes for one table.

    row, row, ... -- so many rows or seconds --> .partial -- renamed --> FOLDER/00-00000.parquet; then never touched

A process that is killed loses the rows of its unfinished part and no others. A part is not forced to the disk: it
survives its process, not the machine's power.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from interlingua.base.errors import InputError
from interlingua.base.extras import require
from interlingua.base.whole_file import whole

Row = TypeVar("Row")

PART_ROWS = 2000
PART_SECONDS = 5.0

# Readers of Parquet leave out files whose names begin with a dot.


class PartWriter(Generic[Row]):
    """Appends one process's rows to a folder; a context manager. Not for several threads at once.

    Attributes:
        written: rows in finished parts.
    """

    def __init__(
        self,
        folder: Path,
        columns: Mapping[str, type],
        values: Callable[[Row], tuple[Any, ...]],
        *,
        worker: int = 0,
        part_rows: int = PART_ROWS,
        part_seconds: float = PART_SECONDS,
    ) -> None:
        """Make the folder, unless it is there.

        Args:
            columns: name and type (int, float or str) of each column.
            values: of a row, in the columns' order.
            worker: number of this process: no two of one run have the same.
            part_rows, part_seconds: a part is finished with its last row, or with the first row after so long.

        Raises:
            InputError: the folder cannot be made.
        """
        self.written = 0
        self._folder, self._columns, self._values, self._worker = folder, columns, values, worker
        self._part_rows, self._part_seconds = part_rows, part_seconds
        self._rows: list[tuple[Any, ...]] = []
        self._part, self._began = 0, 0.0
        # The first table takes a third of a second, which is not to be spent when the first part is due.
        _write(None, columns, [])
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def __enter__(self) -> PartWriter[Row]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, row: Row) -> None:
        """Take one row in; raises InputError where a part that it finishes cannot be written."""
        now = time.monotonic()
        if not self._rows:
            self._began = now
        self._rows.append(self._values(row))
        if len(self._rows) >= self._part_rows or now - self._began >= self._part_seconds:
            self.flush()

    def flush(self) -> None:
        """Finish a part now; its rows are kept for another try where that fails.

        Raises:
            InputError: the disk is full, or the folder is gone.
        """
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        target = self._next_target()
        try:
            with whole(target) as partial:
                _write(partial, self._columns, rows)
        except OSError as error:
            self._rows = rows + self._rows
            reason = os.strerror(error.errno) if error.errno else error
            raise InputError(f"cannot write {target}: {reason}") from error
        self.written += len(rows)
        self._part += 1

    close = flush

    def _next_target(self) -> Path:
        while (target := self._folder / f"{self._worker:02d}-{self._part:05d}.parquet").exists():
            self._part += 1
        return target


def read_parts(source: Path, columns: Mapping[str, type], later: Mapping[str, int] | None = None) -> Any:
    """The rows of all finished parts, or of one Parquet file, as a pyarrow.Table with these columns.

    Args:
        later: columns that a file of before lacks, and what they hold then.

    Raises:
        InputError: there is no such folder or file, it is no Parquet, or it lacks a column.
    """
    schema = _schema(columns)
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(source.glob("[!.]*.parquet")) if source.is_dir() else [source]
    if not source.exists():
        raise InputError(f"there is no {source}: a run writes it with its first requests")
    try:
        tables = [_with_later(pq.ParquetFile(file).read(columns=list(columns)), later or {}) for file in files]
        return pa.concat_tables([schema.empty_table(), *(table.select(schema.names).cast(schema) for table in tables)])
    except (pa.ArrowException, KeyError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{source} is not of a load test: {reason}") from error


def _with_later(table: Any, later: Mapping[str, int]) -> Any:
    import pyarrow as pa

    for name, value in later.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * len(table), pa.int64()))
    return table


def _write(file: Path | None, columns: Mapping[str, type], rows: Sequence[tuple[Any, ...]]) -> None:
    """To a file; to nowhere without one."""
    schema = _schema(columns)
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [pa.array(column, type=entry.type) for column, entry in zip(values, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), pa.BufferOutputStream() if file is None else file)


def _schema(columns: Mapping[str, type]) -> Any:
    require("loadtest", "pyarrow", used_for="a load test")
    import pyarrow as pa
    import pyarrow.parquet

    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
