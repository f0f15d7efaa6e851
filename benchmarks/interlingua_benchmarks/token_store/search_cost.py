"""What a reranked search costs with and without stored token vectors: `... token_store search`.

    helpdesk12 --> two indexes, with and without token vectors: CPU seconds a document
    its questions --> without reranking | stored token vectors | pairs:
        one client: latency, in turn;   several clients, a process each, in a closed loop: searches a second, CPU each

The machine has nothing else to do meanwhile. CPU is that of the server's processes and of the clients'.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import psutil

from interlingua_benchmarks.indexing_benchmark import read_documents
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.token_store.quantization import NO_TOKENS
from interlingua_client.search.retriever import Retriever
from interlingua_client.triton.inference import InferenceClient
from interlingua_evaluation.data_folders import HELPDESK12

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Barrier

    from interlingua_client.search.results import SearchResult

_WARM_UP = 5
_START_WITHIN_S = 120.0


class Way(NamedTuple):
    """One way of searching."""

    name: str
    folder: Path
    rerank: bool


def index(address: str, folder: Path, tokens: str) -> dict[str, float]:
    """Index helpdesk12; CPU and wall-clock seconds a document."""
    documents = read_documents(HELPDESK12 / "corpus.jsonl", 1_000_000)
    used, began = cpu_s(), time.perf_counter()
    settings = IndexSettings(token_vectors=tokens)
    with InferenceClient.connect(address) as client, Indexer.open(folder, client, settings, encoder=client) as indexer:
        indexer.add(documents)
        kept = indexer.finish().tokens
    facts = {"cpu_ms": cpu_s() - used, "wall_ms": time.perf_counter() - began, "token_bytes": kept.bytes / 1e3}
    return {name: round(1e3 * value / len(documents), 2) for name, value in facts.items()}


def lone(address: str, ways: list[Way], candidates: int, searches: int) -> dict[str, dict[str, float]]:
    """Latency of a client alone; the ways take turns, question by question."""
    retrievers = [Retriever.open(way.folder, server=address) for way in ways]
    latencies: dict[str, list[float]] = {way.name: [] for way in ways}
    for number, question in enumerate(islice(questions(), searches + _WARM_UP)):
        for way, retriever in zip(ways, retrievers, strict=True):
            result = _search(retriever, question, candidates, rerank=way.rerank)
            if number >= _WARM_UP:
                latencies[way.name].append(result.times.total_s)
    for retriever in retrievers:
        retriever.close()
    return {
        name: {f"p{share}_ms": round(1e3 * float(np.percentile(seconds, share)), 1) for share in (50, 95)}
        for name, seconds in latencies.items()
    }


def crowd(address: str, way: Way, candidates: int, clients: int, seconds: float) -> dict[str, float]:
    """Searches a second of several clients, and CPU seconds of each search."""
    context = multiprocessing.get_context("spawn")
    barrier, counts = context.Barrier(clients + 1), context.Queue()
    processes = [
        context.Process(target=_client, args=(address, way, candidates, seconds, number, barrier, counts))
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    barrier.wait(_START_WITHIN_S)
    used, began = cpu_s(), time.perf_counter()
    done = sum(counts.get(timeout=seconds + _START_WITHIN_S) for _ in processes)
    elapsed, spent = time.perf_counter() - began, cpu_s() - used
    barrier.wait(_START_WITHIN_S)
    for process in processes:
        process.join()
    return {"searches_per_s": round(done / elapsed, 2), "cpu_ms": round(1e3 * spent / max(done, 1), 1)}


def _client(
    address: str, way: Way, candidates: int, seconds: float, number: int, barrier: Barrier, counts: Any
) -> None:
    asked = islice(questions(), 37 * number, None)
    with Retriever.open(way.folder, server=address) as retriever:
        _search(retriever, next(asked), candidates, rerank=way.rerank)
        barrier.wait(_START_WITHIN_S)
        until, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            _search(retriever, next(asked), candidates, rerank=way.rerank)
            done += 1
        counts.put(done)
        barrier.wait(_START_WITHIN_S)  # a process that has ended has no CPU time to be read


def _search(retriever: Retriever, question: str, candidates: int, *, rerank: bool) -> SearchResult:
    result = retriever.search(question, candidates=candidates, rerank=rerank)
    if rerank and result.reranking.depth < result.reranking.wanted:
        raise RuntimeError(f"not all candidates were reranked: {result.reranking.reason}")
    return result


def questions() -> Iterator[str]:
    """helpdesk12's, for ever."""
    lines = (HELPDESK12 / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return cycle([str(json.loads(line)["text"]) for line in lines])


def cpu_s() -> float:
    """CPU seconds of this process and of all below it."""
    this = psutil.Process()
    times = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return float(sum(spent.user + spent.system for spent in times))


def measure(
    address: str,
    folder: Path,
    *,
    tokens: str,
    candidates: int,
    searches: int,
    clients: int,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """All of it, in turn."""
    say("indexing, with and without token vectors")
    indexing = {form: index(address, folder / form, form) for form in (NO_TOKENS, tokens)}
    ways = [
        Way("no reranking", folder / NO_TOKENS, rerank=False),
        Way("stored token vectors", folder / tokens, rerank=True),
        Way("pairs", folder / NO_TOKENS, rerank=True),
    ]
    say("one client")
    alone = lone(address, ways, candidates, searches)
    together = {}
    for way in ways:
        say(f"{clients} clients, {way.name}")
        together[way.name] = crowd(address, way, candidates, clients, seconds)
    return {"indexing": indexing, "one client": alone, f"{clients} clients": together}
