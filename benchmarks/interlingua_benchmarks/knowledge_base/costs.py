"""What an index of a knowledge base costs beside the network: making it, opening it, searching it.

pages --Indexer with ready vectors--> index, passages a second
index --another process--> opened, searched: times, memory that it holds then and did not hold before
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psutil

from interlingua.display.progress import progress
from interlingua_benchmarks.knowledge_base.pages import LANGUAGES, PASSAGE_TOKENS, pages, question
from interlingua_client.embedder import Embedded, ServiceTimes
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.search_index import SearchIndex
from interlingua_client.search.search_options import SearchOptions
from interlingua_client.search.search_request import SearchRequest
from interlingua_client.search.search_steps import Searcher

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_benchmarks.knowledge_base.pages import ReadyEmbedder
    from interlingua_client.embedder import FloatArray


@dataclass(frozen=True)
class MakingCost:
    """Putting pages into an index.

    Attributes:
        add_s: splitting, looking up and committing them.
        cpu_s: of it, on the processor.
        finish_s: offsets and graph.
    """

    documents: int
    passages: int
    add_s: float
    cpu_s: float
    finish_s: float


@dataclass(frozen=True)
class SearchingCost:
    """A process that searches.

    Attributes:
        open_s: opening the index.
        search_ms: each search but for embedding and reranking, sorted.
        resident_bytes: what the process holds after all searches and did not before it opened the index.
        vector_bytes: of the passages' vectors.
    """

    open_s: float
    search_ms: tuple[float, ...]
    resident_bytes: int
    vector_bytes: int


def make(directory: Path, documents: int, sections: int, embedder: ReadyEmbedder) -> MakingCost:
    """An index of synthetic pages."""
    with Indexer.open(directory, embedder, IndexSettings(passage_tokens=PASSAGE_TOKENS)) as indexer:
        began, used = time.perf_counter(), time.process_time()
        with progress("indexing", unit="documents", total=documents) as bar:
            indexer.add(pages(documents, sections), bar.advance, bar.skip)
        add_s, cpu_s = time.perf_counter() - began, time.process_time() - used
        indexer.finish()
        passages = indexer.store.count_passages()
    return MakingCost(documents, passages, add_s, cpu_s, time.perf_counter() - began - add_s)


def search(directory: Path, queries: FloatArray, k: int) -> SearchingCost:
    """Open and search; called in a process of its own, which has imported what it needs."""
    gc.collect()
    process = psutil.Process()
    resident, began = process.memory_info().rss, time.perf_counter()
    index = SearchIndex.open(directory)
    try:
        open_s = time.perf_counter() - began
        searcher = Searcher(index, has_reranker=False)
        took = [
            _searched(searcher, vector, question(number, len(index)), k, LANGUAGES[number % len(LANGUAGES)])
            for number, vector in enumerate(queries)
        ]
        held = process.memory_info().rss - resident
        return SearchingCost(open_s, tuple(sorted(took)), held, 4 * index.passages * index.manifest.embedder.dimension)
    finally:
        index.close()


def _searched(searcher: Searcher, vector: FloatArray, asked: str, k: int, language: str) -> float:
    """Milliseconds of one search; its vector is there at once."""
    steps = searcher.steps(SearchRequest(asked, SearchOptions(k=k, query_language=language)))
    began = time.perf_counter()
    next(steps)
    try:
        steps.send(Embedded(vector[None], np.ones(1, np.int64), np.zeros(1, bool), ServiceTimes(0.0)))
    except StopIteration:
        return 1e3 * (time.perf_counter() - began)
    raise AssertionError("without a reranker a search has one step")
