"""Logits through the live rerank service, kept on the disk pair by pair.

    Pairs --those that SQLite does not have--> one request a query --> SQLite --> logits

What was answered is kept at once: an evaluation that is stopped goes on where it was. A file belongs to one reranker
and one set of texts, so it never goes stale.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError, RequestRejectedError
from interlingua.display.progress import progress
from interlingua_evaluation.systems.rerank.pair_scores import Pairs

if TYPE_CHECKING:
    from interlingua.served.service import ServiceSpec
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_evaluation.datasets.dataset import Dataset

_FOLDER = "served-logits"


@dataclass(frozen=True)
class ServedScorer:
    """A reranker behind its service; a PairScorer.

    Attributes:
        client: gives the connected client; called only if a pair is missing.
        root: folder of the caches.
    """

    spec: ServiceSpec
    client: Callable[[], InferenceClient]
    root: Path

    @property
    def digest(self) -> str:
        return self.spec.digest

    @property
    def model_id(self) -> str:
        return self.spec.model_id

    @property
    def weight(self) -> float:
        return self.spec.rerank_weight

    @property
    def how(self) -> str:
        return f"every pair through the rerank service ({self.spec.precision})"

    def scores(self, dataset: Dataset, pairs: Pairs) -> FloatArray:
        """Logits, float32 [n]; NaN for a query or a document that the service does not take.

        Raises:
            InputError: the server has another reranker than the one that is evaluated.
            ServerError: it is away.
        """
        key = hashlib.sha256(f"{self.digest} {dataset.texts_digest}".encode()).hexdigest()[:16]
        file = self.root / _FOLDER / f"{key}.sqlite"
        file.parent.mkdir(parents=True, exist_ok=True)
        codes = pairs.queries * len(dataset.documents) + pairs.documents
        with closing(sqlite3.connect(file)) as store:
            store.execute("CREATE TABLE IF NOT EXISTS logits (code INTEGER PRIMARY KEY, logit REAL)")
            missing = ~np.isin(codes, _known(store))
            if missing.any():
                self._ask(dataset, Pairs(pairs.queries[missing], pairs.documents[missing]), store)
            return _read(store, codes)

    def _ask(self, dataset: Dataset, pairs: Pairs, store: sqlite3.Connection) -> None:
        client = self.client()
        served = client.services.rerank
        if served is None or served.spec.digest != self.digest:
            raise InputError(
                f"the server reranks with {served.spec.model_id if served else 'nothing'}, not with {self.model_id} "
                f"({self.digest}): name its own repository with --model-repository"
            )
        with progress(f"reranking {dataset.name}", unit="pairs", total=len(pairs)) as bar:
            for query, documents in _by_query(pairs):
                passages = [dataset.documents[number].indexed.passage for number in documents.tolist()]
                logits = _answer(client, dataset.queries[query].text, passages)
                rows = zip((query * len(dataset.documents) + documents).tolist(), logits, strict=True)
                with store:
                    store.executemany("INSERT OR REPLACE INTO logits VALUES (?, ?)", rows)
                bar.advance(len(documents))


def _answer(client: InferenceClient, query: str, passages: list[str]) -> list[float | None]:
    """One query's logits; a text that the service refuses costs its own pairs only."""
    try:
        return [float(logit) for logit in client.rerank(query, passages).scores]
    except RequestRejectedError:
        if len(passages) == 1:
            return [None]
        half = len(passages) // 2
        return _answer(client, query, passages[:half]) + _answer(client, query, passages[half:])


def _by_query(pairs: Pairs) -> Iterator[tuple[int, IntArray]]:
    queries, starts = np.unique(pairs.queries, return_index=True)
    yield from zip(queries.tolist(), np.split(pairs.documents, starts[1:]), strict=True)


def _known(store: sqlite3.Connection) -> IntArray:
    return np.array([code for (code,) in store.execute("SELECT code FROM logits")], dtype=np.int64)


def _read(store: sqlite3.Connection, codes: IntArray) -> FloatArray:
    by_code = dict(store.execute("SELECT code, logit FROM logits"))
    logits = [by_code[code] for code in codes.tolist()]
    return np.array([np.nan if logit is None else logit for logit in logits], dtype=np.float32)
