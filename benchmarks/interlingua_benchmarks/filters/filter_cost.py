"""What filters of several shares cost, and whether they find what is to be found.

questions, without a filter and with filters --in turn--> ms a search, ratio, recall

A search is all that one does but for the network: filter, nearest passages, reading what was found. Recall is against
comparing all that passes.
"""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from interlingua.display.grid import Cell, Grid, row
from interlingua_client.embedder import Embedded, ServiceTimes
from interlingua_client.filtering.filter_parsing import parse
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.exact_vectors import Block, join, nearest_of
from interlingua_client.index.language_offsets import unit
from interlingua_client.index.vector_repair import derived_blocks
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import SearchRequest
from interlingua_client.search.search_steps import Searcher

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.search_index import SearchIndex

_CANDIDATES = 50
_SHARES = (0.001, 0.01, 0.1, 0.5, 0.9)


class Filtered(NamedTuple):
    """What was found of one filter.

    Attributes:
        ms: the median search.
        first_ms: the first search with this filter, before anything of it was kept.
        recall: share of the nearest that was found.
        fewest: passages that the poorest search found.
        exact: every passage that passes was compared.
    """

    ms: float
    first_ms: float
    recall: float
    fewest: int
    exact: bool


def table(index: SearchIndex, questions: FloatArray, embedding_ms: float | None) -> Grid:
    """A row a share: what filters cost beside no filter."""
    searcher = Searcher(index, has_reranker=False)
    with closing(DocumentStore.open(index.directory)) as store:
        labels, _ = store.passage_documents()
        everything = join(list(derived_blocks(store, None, labels)), index.manifest.embedder.dimension)
    plain = _filtered(searcher, questions, everything, None)
    columns = ("share", "passages", "way", "recall", "fewest", "first, ms", "ms", "ratio", "ratio with embedding")
    rows = [_row("no filter", index.passages, plain, plain, embedding_ms)]
    for share in _SHARES:
        wanted = {"draw": {"lt": share}}
        found = _filtered(searcher, questions, everything, wanted)
        rows.append(_row(f"{share:g}", len(index.scope(parse(wanted))), found, plain, embedding_ms))
    return Grid(
        f"{index.passages:,} passages of {len(index):,} documents, {_CANDIDATES} candidates", columns, tuple(rows)
    )


def _row(name: str, passages: int, found: Filtered, plain: Filtered, embedding_ms: float | None) -> tuple[Cell, ...]:
    added = embedding_ms or 0.0
    with_embedding = f"{(found.ms + added) / (plain.ms + added):.2f}" if added else ""
    numbers = (f"{found.recall:.3f}", f"{found.fewest}", f"{found.first_ms:.1f}", f"{found.ms:.2f}")
    way = "exact" if found.exact else "graph"
    return row(name, f"{passages:,}", way, *numbers, f"{found.ms / plain.ms:.2f}", with_embedding)


def _filtered(searcher: Searcher, questions: FloatArray, everything: Block, wanted: dict[str, Any] | None) -> Filtered:
    index, options = searcher.index, SearchOptions(candidates=_CANDIDATES, filter=wanted)
    seconds = []
    for question in questions:
        began = time.perf_counter()
        _carried_out(searcher, SearchRequest("question", options), question)
        seconds.append(time.perf_counter() - began)
    scope = index.scope(parse(wanted)) if wanted else index.scope()
    rows = np.flatnonzero(scope.allows(everything.labels))
    passing = Block(everything.labels[rows], everything.vectors[rows])
    shared, possible, fewest, exact = 0, 0, _CANDIDATES, True
    for question in questions:
        found = index.nearest(question, None, _CANDIDATES, scope=scope)
        truth = nearest_of(passing, unit(question), _CANDIDATES).labels
        shared, possible = shared + len(np.intersect1d(found.labels, truth)), possible + len(truth)
        fewest, exact = min(fewest, len(found.labels)), exact and found.exact
    recall = shared / possible if possible else 1.0
    return Filtered(1e3 * float(np.median(seconds)), 1e3 * seconds[0], recall, fewest, exact)


def _carried_out(searcher: Searcher, request: SearchRequest, question: FloatArray) -> None:
    """A search whose question is embedded at once."""
    steps = searcher.steps(request)
    next(steps)
    with suppress(StopIteration):
        steps.send(Embedded(question[None], np.array([1]), np.array([False]), ServiceTimes(0.0)))
