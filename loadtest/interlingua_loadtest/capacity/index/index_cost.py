"""What an index of so many documents costs: memory, disk, time to build, time of a search.

    IndexMeasurement [R] (index_measurement.py) --index_fit.py--> IndexCost <--JSON--> index_cost.json, beside this file

Memory is hnswlib's own layout (index_layout.py); beyond it a process keeps locks, a table of labels and list heads, and
what these take is measured. Times follow index_time.py. All of it holds within what was measured, and says less and
less beyond: `outside` names what is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import InputError
from interlingua.base.plain import saved
from interlingua.base.record_file import read_record, write_record
from interlingua_loadtest.capacity.index.index_layout import graph_bytes
from interlingua_loadtest.capacity.index.index_time import ScanTime, VisitTime

FILE = Path(__file__).with_name("index_cost.json")
COMMAND = "python -m interlingua_loadtest.capacity.index.index_measurement"

_FORMAT = 1
_MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class IndexMeasurement:
    """One graph that was built and searched, on one core.

    Attributes:
        memory_bytes: by which the process grew.
        file_bytes: of the graph, saved.
        build_s: to insert all vectors.
        queries: (ef_search, seconds of one query).
        exact_s: of one query compared with every vector, without a graph.
    """

    count: int
    dimension: int
    m: int
    ef_construction: int
    memory_bytes: int
    file_bytes: int
    build_s: float
    queries: tuple[tuple[int, float], ...]
    exact_s: float


@dataclass(frozen=True)
class IndexResiduals:
    """How far a fit is from what it was fitted to: quantiles of |fit - measured| / measured."""

    measured: int
    relative_p50: float
    relative_p90: float
    worst: float


@saved
@dataclass(frozen=True, kw_only=True)
class IndexCost:
    """The cost of an index, by its size.

    Attributes:
        hardware: that it was measured on, by name.
        measured: day, ISO 8601.
        command: that measured it.
        fixed_bytes: of a process with an index, whatever its size.
        element_bytes: of each vector, beyond hnswlib's layout in the file.
        build, query: seconds of one core; `build` of each vector.
        exact: seconds of one core, without a graph.
        residuals: of `memory`, `build`, `query` and `exact`.
        measurements: what all of it was fitted to.
    """

    hardware: Mapping[str, str]
    measured: str
    command: str
    fixed_bytes: float
    element_bytes: float
    build: VisitTime
    query: VisitTime
    exact: ScanTime
    residuals: Mapping[str, IndexResiduals]
    measurements: tuple[IndexMeasurement, ...]

    def memory_mib(self, count: int, dimension: int, m: int) -> float:
        """The memory of the graph with its vectors, in the searching process; the documents' texts stay on the disk."""
        _check(count=count, dimension=dimension, m=m)
        return (graph_bytes(count, dimension, m) + self.fixed_bytes + self.element_bytes * count) / _MIB

    def build_s(self, count: int, dimension: int, m: int, ef_construction: int) -> float:
        """Seconds of one core to insert all vectors; c cores need about a c-th. Embedding them is not in it."""
        _check(count=count, dimension=dimension, m=m, ef_construction=ef_construction)
        return count * self.build.seconds(count, dimension, m, min(ef_construction, count))

    def query_s(self, count: int, dimension: int, m: int, ef_search: int) -> float:
        """One query, one thread, through the graph; a search for k documents looks at k at least, as at an ef of k."""
        _check(count=count, dimension=dimension, m=m, ef_search=ef_search)
        # More candidates than there are vectors cannot be looked at.
        return self.query.seconds(count, dimension, m, min(ef_search, count))

    def exact_s(self, count: int, dimension: int) -> float:
        """One query, one thread, compared with every vector: what the client does where the corpus is small."""
        _check(count=count, dimension=dimension)
        return self.exact.seconds(count, dimension)

    def outside(self, count: int, dimension: int, m: int) -> str:
        """What of it lies beyond the measurements, in words; "" for nothing."""
        parts = []
        for name, value in (("count", count), ("dimension", dimension), ("m", m)):
            known = [getattr(measurement, name) for measurement in self.measurements]
            if not min(known) <= value <= max(known):
                parts.append(f"{name} {value:,} (measured: {min(known):,} to {max(known):,})")
        return ", ".join(parts)

    def write(self, path: Path) -> None:
        """Writes it as JSON, whole or not at all. Raises InputError: it cannot be written."""
        write_record(path, self, made_format=_FORMAT)

    @classmethod
    def load(cls, path: Path = FILE) -> IndexCost:
        """Read a file; without a path the one that comes with Interlingua. Raises InputError: it cannot be read."""
        return read_record(cls, path, what="index cost", made_format=_FORMAT, remedy=f"measure again with `{COMMAND}`")


def _check(**values: float) -> None:
    faults = [
        f"{name} is {value:g}, it must be at least {least}"
        for name, value in values.items()
        if not value >= (least := 2 if name in ("count", "m") else 1)
    ]
    if faults:
        raise InputError(f"index: {'; '.join(faults)}")
