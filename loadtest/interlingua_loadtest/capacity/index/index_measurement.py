"""What indexes cost on this machine: `python -m interlingua_loadtest.capacity.index.index_measurement [--out FILE]`.

    vectors like embeddings --VectorIndex, in a process of its own, on one core--> IndexMeasurement [R] --fit--> JSON

Each index has a process of its own, so that its memory is what the process grew by, and one core, so that its seconds
of processor time are those of one thread. Run it when nothing else does.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

from interlingua.display.progress import progress
from interlingua_client.index.exact_vectors import Block, ExactVectors
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.vector_index import VectorIndex
from interlingua_loadtest.capacity.index.index_cost import COMMAND, FILE, IndexCost, IndexMeasurement
from interlingua_loadtest.capacity.index.index_fit import fit
from interlingua_loadtest.capacity.profile.hardware_profile import this_hardware

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray

EF_SEARCHES = (16, 32, 64, 128, 256, 512)

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_QUERIES, _ROUNDS = 150, 3
_NEIGHBOURS = 10
_TOPIC = 12  # documents
_DECAY = 0.5


@dataclass(frozen=True)
class Size:
    """An index to measure."""

    count: int
    dimension: int = 384
    m: int = 16
    ef_construction: int = 200


# About one factor at a time, each at two counts, and the default at several: a full grid would take an hour.
SIZES = (
    *(Size(count) for count in (2_000, 5_000, 12_000, 25_000, 50_000)),
    *(Size(count, dimension=dimension) for count in (5_000, 25_000) for dimension in (128, 768)),
    Size(12_000, dimension=1024),
    *(Size(count, m=m) for count in (5_000, 25_000) for m in (8, 32)),
    Size(12_000, m=48),
    *(Size(count, ef_construction=ef) for count, ef in ((5_000, 100), (5_000, 400), (25_000, 100), (12_000, 400))),
    Size(25_000, dimension=128, m=8, ef_construction=100),
    Size(12_000, dimension=768, m=32),
)
QUICK = tuple(size for size in SIZES if size.count <= 5_000)


class LikeEmbeddings(NamedTuple):
    """Unit vectors that a graph treats like a text embedder's.

    Attributes:
        documents: float32 [count, D].
        queries: float32 [queries, D].
    """

    documents: FloatArray
    queries: FloatArray

    @classmethod
    def draw(cls, count: int, dimension: int, queries: int = _QUERIES, seed: int = 0) -> LikeEmbeddings:
        """Topics of a dozen documents, as much variance within them as between.

        Directions have variances that fall as 1 / rank, which is about how those of the default embedder's vectors of
        GNOME's help fall; the time of a query and its recall come out alike too.
        """
        random = np.random.default_rng(seed)
        scale = (np.arange(1, dimension + 1) ** -_DECAY).astype(np.float32)
        topics = random.standard_normal((max(count // _TOPIC, 1), dimension), dtype=np.float32) * scale

        def some(number: int) -> FloatArray:
            topic = random.integers(len(topics), size=number)
            return unit(topics[topic] + random.standard_normal((number, dimension), dtype=np.float32) * scale)

        return cls(some(count), some(queries))


def measure(size: Size, path: Path) -> IndexMeasurement:
    """Build one, save it at `path`, search it; called in a process of its own, its memory is another's.

    Seconds are of processor time: what other processes take is not in them, how they warm and fill caches is.
    """
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    vectors = LikeEmbeddings.draw(size.count, size.dimension)
    labels = np.arange(size.count)
    began = time.process_time()
    parameters = HnswParameters(m=size.m, ef_construction=size.ef_construction)
    graph = VectorIndex(size.dimension, parameters, size.count)
    graph.add(labels, vectors.documents)
    build_s = time.process_time() - began
    graph.save(path)
    del graph
    queries = tuple((ef, _searched(path, size, ef, vectors.queries)) for ef in EF_SEARCHES)
    exact = ExactVectors(lambda _: Block(labels, vectors.documents))
    exact_s = _query_s(vectors.queries, lambda query: exact.search(query, _NEIGHBOURS, ["all"]))
    return IndexMeasurement(
        **asdict(size),
        memory_bytes=0,
        file_bytes=path.stat().st_size,
        build_s=build_s,
        queries=queries,
        exact_s=exact_s,
    )


def memory_bytes(size: Size, path: Path) -> int:
    """By which a fresh process grows that loads a graph and searches it once."""
    import psutil

    process = psutil.Process()
    query = np.eye(1, size.dimension, dtype=np.float32)[0]
    VectorIndex(size.dimension, HnswParameters(m=size.m))  # what hnswlib takes once, whatever is in it
    before = process.memory_info().rss
    graph = VectorIndex.load(path, size.dimension, HnswParameters(m=size.m), deleted=0)
    graph.search(query, 1)
    return int(process.memory_info().rss - before)


def measure_all(sizes: tuple[Size, ...], advance: Callable[[int], None] = lambda _: None) -> list[IndexMeasurement]:
    """One after the other."""
    return list(_each(sizes, advance))


def _each(sizes: tuple[Size, ...], advance: Callable[[int], None]) -> Iterator[IndexMeasurement]:
    # Processor time must not have a second thread's waiting in it; the children inherit this before they load numpy.
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    context = multiprocessing.get_context("spawn")
    one_a_task = ProcessPoolExecutor(max_workers=1, mp_context=context, max_tasks_per_child=1)
    with tempfile.TemporaryDirectory() as folder, one_a_task as processes:
        path = Path(folder) / "graph"
        for size in sizes:
            measurement = processes.submit(measure, size, path).result()
            yield replace(measurement, memory_bytes=processes.submit(memory_bytes, size, path).result())
            advance(1)


def _searched(path: Path, size: Size, ef_search: int, queries: FloatArray) -> float:
    graph = VectorIndex.load(path, size.dimension, HnswParameters(m=size.m, ef_search=ef_search), deleted=0)
    return _query_s(queries, lambda query: graph.search(query, min(_NEIGHBOURS, size.count)))


def _query_s(queries: FloatArray, search: Callable[[FloatArray], object]) -> float:
    """Seconds of one query: the fastest round of several, after one that fills the caches."""
    rounds = []
    for _ in range(1 + _ROUNDS):
        began = time.process_time()
        for query in queries:
            search(query)
        rounds.append((time.process_time() - began) / len(queries))
    return min(rounds[1:])


def summary(cost: IndexCost) -> Iterator[str]:
    """What was found, in lines."""
    for name, found in cost.residuals.items():
        yield (
            f"{name}: {found.measured} measured, off by {100 * found.relative_p50:.1f}% (half of them), "
            f"{100 * found.relative_p90:.1f}% (nine in ten), {100 * found.worst:.1f}% (the worst)"
        )
    for name, law in (("build", cost.build), ("query", cost.query)):
        yield (
            f"{name}: dimension^{law.dimension:.2f} x M^{law.m:.2f} x ef^{law.ef:.2f}, "
            f"{1 + law.miss:.1f} times as long beyond {law.cache_bytes / 2**20:.0f} MiB"
        )
    yield f"memory beyond hnswlib's layout: {cost.element_bytes:.0f} bytes a vector, {cost.fixed_bytes / 2**20:.1f} MiB"


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=FILE, help="[default: the package's]")
@click.option("--quick", is_flag=True, help="Only the small ones: to see that it works.")
def main(out: Path, *, quick: bool) -> None:
    """Measure, fit, write."""
    sizes = QUICK if quick else SIZES
    with progress("measuring indexes", unit="indexes", total=len(sizes)) as bar:
        measurements = measure_all(sizes, bar.advance)
    today = datetime.now(UTC).date().isoformat()
    cost = fit(measurements, this_hardware(), today, f"{COMMAND} --quick" if quick else COMMAND)
    cost.write(out)
    print("\n".join(summary(cost)))
    print(f"written: {out}")


if __name__ == "__main__":
    main()
