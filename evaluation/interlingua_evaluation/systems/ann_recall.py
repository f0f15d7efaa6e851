"""What the HNSW graph would miss, apart from relevance: its neighbours against those of exact search.

    unit vectors --VectorIndex--> a graph, saved once --loaded for each ef_search--> k neighbours a query
                 --dot products--> the k nearest ----------------------------------> recall@k

The client searches small indexes exactly (interlingua_client/index/search_index.py: below some 20,000 vectors of 384
dimensions), so for those nothing of this is lost in serving; it says what the graph alone would lose, and what
ef_search buys.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.vector_index import VectorIndex

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray

EF_SEARCHES = (16, 32, 64, 128, 256)
NEIGHBOURS = 10

_QUERIES_AT_ONCE = 256
_SAME = 1e-6  # a neighbour as near as the k-th is as good: duplicates have no order


@dataclass(frozen=True, kw_only=True)
class AnnRecall:
    """One setting.

    Attributes:
        ef_search: as asked for; hnswlib looks at k candidates where that is more.
        k: neighbours asked for.
        recall: mean over the queries.
        worst: the lowest of them.
        unreached: queries for which the graph did not lead to k vectors; their recall counts as 0.
        p50_us: median time of a query on one thread, in microseconds.
    """

    ef_search: int
    k: int
    recall: float
    worst: float
    unreached: int
    p50_us: float


def ann_recall(
    documents: FloatArray,
    queries: FloatArray,
    k: int = NEIGHBOURS,
    ef_searches: Sequence[int] = EF_SEARCHES,
    parameters: HnswParameters | None = None,
) -> tuple[AnnRecall, ...]:
    """Measure each `ef_search` on one and the same graph.

    Args:
        documents: float32 [n, D], of unit length.
        queries: float32 [q, D], of unit length.
        k: at most so many; fewer where there are fewer documents.
        parameters: of the graph; None: the client's defaults.

    Raises:
        InputError: there are no documents, no queries, or k is below 1.
    """
    if min(len(documents), len(queries), k) < 1:
        raise InputError(
            f"the recall of approximate search needs documents, queries and k of at least 1: there are "
            f"{len(documents)} documents and {len(queries)} queries, k is {k}"
        )
    k, parameters = min(k, len(documents)), parameters or HnswParameters()
    floors = _kth_cosines(documents, queries, k)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph"
        graph = VectorIndex(documents.shape[1], parameters, len(documents))
        graph.add(np.arange(len(documents)), documents)
        graph.save(path)
        settings = [replace(parameters, ef_search=ef_search) for ef_search in ef_searches]
        graphs = (VectorIndex.load(path, documents.shape[1], setting, deleted=0) for setting in settings)
        return tuple(_measured(graph, documents, queries, floors, k) for graph in graphs)


class _Answer(NamedTuple):
    recall: float
    reached: bool
    seconds: float


def _measured(
    graph: VectorIndex, documents: FloatArray, queries: FloatArray, floors: npt.NDArray[np.float32], k: int
) -> AnnRecall:
    answers = [_answer(graph, documents, *asked, k) for asked in zip(queries, floors.tolist(), strict=True)]
    recalls = [answer.recall for answer in answers]
    return AnnRecall(
        ef_search=graph.parameters.ef_search,
        k=k,
        recall=float(np.mean(recalls)),
        worst=min(recalls),
        unreached=sum(not answer.reached for answer in answers),
        p50_us=float(np.median([answer.seconds for answer in answers])) * 1e6,
    )


def _answer(graph: VectorIndex, documents: FloatArray, query: FloatArray, floor: float, k: int) -> _Answer:
    start = time.perf_counter()
    found = graph.search(query, k)
    seconds = time.perf_counter() - start
    if found is None:
        return _Answer(0.0, False, seconds)
    near = documents[found.labels] @ query >= floor - _SAME
    return _Answer(float(near.mean()), True, seconds)


def _kth_cosines(documents: FloatArray, queries: FloatArray, k: int) -> npt.NDArray[np.float32]:
    """The cosine of each query's k-th nearest document, [q]."""
    blocks = [queries[first : first + _QUERIES_AT_ONCE] for first in range(0, len(queries), _QUERIES_AT_ONCE)]
    kth = [-np.partition(-(block @ documents.T), k - 1, axis=1)[:, k - 1] for block in blocks]
    return np.concatenate(kth)
