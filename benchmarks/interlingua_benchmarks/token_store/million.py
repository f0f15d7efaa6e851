"""How long a search compares among a million documents: `python -m interlingua_benchmarks.token_store million`.

    random rows of real lengths --> an index's token file and tables (no texts, no first stage)
    random candidates --StoredTokens.compare--> CPU and wall-clock time, file in memory | read from the disk

Comparing does not depend on what a vector says, so random ones show what real ones cost.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import psutil

from interlingua.display.progress import progress
from interlingua.served.token_vectors import TokenVectors
from interlingua_client.document import Document
from interlingua_client.embedder import EmbedderIdentity
from interlingua_client.index.document_store import DocumentStore, new_manifest
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import FORMATS
from interlingua_client.index.token_store.stored_tokens import StoredTokens
from interlingua_client.index.token_store.token_facts import TokenFacts
from interlingua_client.index.token_store.token_file import make_token_file, write_rows
from interlingua_client.index.token_store.token_tables import TokenTables

DIMENSION = 384
QUERY_TOKENS = 16
_RERANKER = "synthetic"
_AT_ONCE = 5000
_SEED = 20260101
_SHORTEST, _LONGEST = 16, 509


class ComparingTimes(NamedTuple):
    """Seconds of each search's comparing, beyond the question's encoding."""

    cpu_s: list[float]
    wall_s: list[float]


def build(directory: Path, documents: int, mean_tokens: int, kind: str) -> None:
    """An index of so many documents, of log-normal lengths around the mean (spread 0.5, as GNOME's help has)."""
    directory.mkdir(parents=True)
    random = np.random.default_rng(_SEED)
    with closing(DocumentStore.create(directory, new_manifest(EmbedderIdentity("synthetic", "synthetic", 1)))) as store:
        tables = TokenTables(store)
        sample = random.normal(size=(2048, DIMENSION)).astype(np.float32)
        projection = TokenProjection.fit(sample, FORMATS[kind].values)
        facts = TokenFacts(
            reranker=_RERANKER, model_id=_RERANKER, dimension=DIMENSION, format=FORMATS[kind], projection=projection
        )
        facts = tables.begin(replace(facts, file=make_token_file(directory, facts.width)))
        rows = facts.format.quantized(projection.document(_units(random, 100_000)))
        with progress("writing", unit="documents", total=documents) as bar:
            for first in range(0, documents, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, documents))
                store.commit([Document(str(n), "en", "", "x") for n in numbers], np.ones((len(numbers), 1), np.float32))
                lengths = _lengths(random, len(numbers), mean_tokens)
                chosen = rows[random.integers(0, len(rows), int(lengths.sum()))]
                spans = write_rows(directory / facts.file, facts.tokens, chosen, lengths.tolist())
                facts = tables.add(facts, {n + 1: span for n, span in zip(numbers, spans, strict=True)})
                bar.advance(len(numbers))


def compare(directory: Path, searches: int, depth: int, *, cold: bool) -> ComparingTimes:
    """Random candidates against random questions; `cold` has the kernel forget the file before each."""
    random = np.random.default_rng(_SEED + 1)
    compared = ComparingTimes([], [])
    with closing(DocumentStore.open(directory)) as store:
        [facts] = TokenTables(store).sets()
        count = sum(map(len, store.labels_by_language().values()))
        stored = StoredTokens(store)
        for number in range(searches + 1):
            labels = random.choice(count, depth, replace=False) + 1
            question = TokenVectors(_units(random, QUERY_TOKENS), np.full(QUERY_TOKENS, 1 / QUERY_TOKENS, np.float32))
            if cold:
                _forget(directory / facts.file)
            began, used = time.perf_counter(), time.process_time()
            stored.compare(question, labels.tolist(), reranker=_RERANKER, empty=-1.0)
            if number:  # the first one opens the file
                compared.cpu_s.append(time.process_time() - used)
                compared.wall_s.append(time.perf_counter() - began)
    return compared


def opening_cost(directory: Path) -> dict[str, float]:
    """What the token vectors of an index add to opening it and to its first search, in a process that has it open.

    All else is opened before: the store, and what was imported.
    """
    with closing(DocumentStore.open(directory)) as store:
        process = psutil.Process()
        labels = store.labels_by_language()["en"][:100].tolist()
        resident, began = process.memory_info().rss, time.perf_counter()
        stored = StoredTokens(store)
        stored.why_not(_RERANKER)
        opened = time.perf_counter() - began
        question = TokenVectors(_units(np.random.default_rng(_SEED), QUERY_TOKENS), np.ones(QUERY_TOKENS, np.float32))
        stored.compare(question, labels, reranker=_RERANKER, empty=-1.0)
        return {
            "opening_ms": round(1e3 * opened, 2),
            "with_first_search_ms": round(1e3 * (time.perf_counter() - began), 2),
            "resident_mb": round((process.memory_info().rss - resident) / 1e6, 2),
        }


def warm(path: Path) -> None:
    """Read a file once, so that it is in memory as far as that has room."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _forget(path: Path) -> None:
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _units(random: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    vectors = random.normal(size=(count, DIMENSION)).astype(np.float32)
    units: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _lengths(random: np.random.Generator, count: int, mean: int) -> npt.NDArray[np.int64]:
    drawn = random.lognormal(np.log(mean) - 0.125, 0.5, count)
    return np.clip(np.rint(drawn), _SHORTEST, _LONGEST).astype(np.int64)
