"""Token vectors as the reranker's services give them, kept on the disk text by text.

    texts --those that SQLite does not have--> encode_query_tokens, encode_document_tokens --> SQLite --> TokenVectors

What was answered is kept at once: an evaluation that is stopped goes on where it was. A file belongs to one reranker
and one set of texts, so it never goes stale. Vectors are kept in float16, 2 bytes a value.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError, RequestRejectedError
from interlingua.display.progress import progress
from interlingua.served.token_vectors import TokenVectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from interlingua.served.service import ServiceSpec
    from interlingua_client.embedder import Role
    from interlingua_client.token_encoder import EncoderIdentity
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_evaluation.datasets.dataset import Dataset

_FOLDER = "served-tokens"
_BATCH = 16
_AT_ONCE = 256
_TABLE = "CREATE TABLE IF NOT EXISTS {role} (number INTEGER PRIMARY KEY, tokens INTEGER, weights BLOB, vectors BLOB)"


@dataclass(frozen=True)
class ServedSides:
    """A late-interaction reranker's sides behind its services.

    Attributes:
        spec: of its pair service, whose version's the others are.
        client: gives the connected client.
        root: folder of the caches.
    """

    spec: ServiceSpec
    client: Callable[[], InferenceClient]
    root: Path

    def identity(self) -> EncoderIdentity:
        """Whose token vectors they are. Raises InputError: the server has another reranker, or none of this kind."""
        client = self.client()
        served = client.services.rerank
        if served is None or served.spec.digest != self.spec.digest:
            raise InputError(
                f"the server reranks with {served.spec.model_id if served else 'nothing'}, not with "
                f"{self.spec.model_id} ({self.spec.digest}): name its own repository with --model-repository"
            )
        if client.encoder is None:
            raise InputError(
                f"{self.spec.model_id} is no late-interaction reranker: it has no token vectors that could be stored. "
                "Evaluate it with pairs (rerank@50)"
            )
        return client.encoder

    def of(self, dataset: Dataset, role: Role, numbers: Sequence[int]) -> Iterator[tuple[int, TokenVectors | None]]:
        """The token vectors of some queries or documents, by their numbers, in this order; None where it is refused.

        Raises:
            InputError: as `identity`.
            ServerError: the server is away.
        """
        dimension = self.identity().dimension
        with self._opened(dataset) as store:
            self._encode(dataset, role, numbers, store)
            for start in range(0, len(numbers), _AT_ONCE):
                part = numbers[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT number, tokens, weights, vectors FROM {role} WHERE number IN ({marks})"  # noqa: S608
                rows = {row[0]: row[1:] for row in store.execute(query, part)}
                yield from ((number, _read(rows[number], dimension)) for number in part)

    @contextmanager
    def _opened(self, dataset: Dataset) -> Iterator[sqlite3.Connection]:
        key = hashlib.sha256(f"{self.spec.digest} {dataset.texts_digest}".encode()).hexdigest()[:16]
        file = self.root / _FOLDER / f"{key}.sqlite"
        file.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(file)
        try:
            for role in ("query", "document"):
                store.execute(_TABLE.format(role=role))
            yield store
        finally:
            store.close()

    def _encode(self, dataset: Dataset, role: Role, numbers: Sequence[int], store: sqlite3.Connection) -> None:
        known = {number for (number,) in store.execute(f"SELECT number FROM {role}")}  # noqa: S608
        missing = [number for number in numbers if number not in known]
        if not missing:
            return
        client, kind = self.client(), "queries" if role == "query" else "documents"
        with progress(f"encoding {dataset.name}'s {kind}", unit=kind, total=len(missing)) as bar:
            for start in range(0, len(missing), _BATCH):
                part = missing[start : start + _BATCH]
                encoded = _answer(client, role, [_text(dataset, role, number) for number in part])
                rows = [(number, *_row(text)) for number, text in zip(part, encoded, strict=True)]
                with store:
                    store.executemany(f"INSERT OR REPLACE INTO {role} VALUES (?, ?, ?, ?)", rows)  # noqa: S608
                bar.advance(len(part))


def _text(dataset: Dataset, role: Role, number: int) -> str:
    return dataset.queries[number].text if role == "query" else dataset.documents[number].indexed.passage


def _answer(client: InferenceClient, role: Role, texts: list[str]) -> list[TokenVectors | None]:
    """One batch's; a text that the service refuses costs itself only."""
    try:
        return list(client.encode(texts, role).texts)
    except RequestRejectedError:
        if len(texts) == 1:
            return [None]
        half = len(texts) // 2
        return _answer(client, role, texts[:half]) + _answer(client, role, texts[half:])


def _row(text: TokenVectors | None) -> tuple[int | None, bytes | None, bytes | None]:
    if text is None:
        return None, None, None
    return len(text.weights), text.weights.astype("<f4").tobytes(), text.vectors.astype("<f2").tobytes()


def _read(row: tuple[int | None, bytes, bytes], dimension: int) -> TokenVectors | None:
    tokens, weights, vectors = row
    if tokens is None:
        return None
    values = np.frombuffer(vectors, "<f2").astype(np.float32).reshape(tokens, dimension)
    return TokenVectors(values, np.frombuffer(weights, "<f4"))
