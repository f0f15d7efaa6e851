"""The serving retriever's vectors of a whole dataset, taken out once, so that every pool is a matrix product.

    documents --client.Indexer--> index/ --> vectors, language offsets   \\
                                                                          --> dot products, pool by pool
    queries   --embed_query-----> queries.npy                            /

The folder is named by what was embedded and by what, so it never goes stale; `queries.npy` is written last, so that
a folder which has it is whole. Offsets come from the index, as in serving: from the documents alone, never from the
queries that are asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError, ServerError
from interlingua.base.whole_file import whole
from interlingua.display.progress import progress
from interlingua_client.embedder import require_vectors
from interlingua_client.index.document_store import DocumentStore
from interlingua_client.index.indexer import Indexer, IndexSettings
from interlingua_client.index.language_offsets import LanguageOffsets, unit
from interlingua_client.index.manifest import SCHEMA_VERSION

if TYPE_CHECKING:
    from interlingua_client.embedder import Embedder, FloatArray, IntArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.serving import EmbeddingService
    from interlingua_evaluation.systems.first_stage import PoolScores

QUERIES_FILE = "queries.npy"


@dataclass(frozen=True)
class DenseVectors:
    """Vectors in the dataset's order.

    Attributes:
        documents: float32 [documents, D], as the network gave them.
        queries: float32 [queries, D].
        offsets: the index's.
    """

    documents: FloatArray
    queries: FloatArray
    offsets: LanguageOffsets

    def searched(
        self, dataset: Dataset, *, use_offsets: bool, asked_in: Sequence[str | None] | None = None
    ) -> DenseStage:
        """What exact search compares.

        Args:
            asked_in: the queries' languages as a detector sees them; None takes the dataset's word.
        """
        if not use_offsets:
            return DenseStage(unit(self.queries), unit(self.documents))
        languages = [document.language for document in dataset.documents]
        asked_in = [query.language for query in dataset.queries] if asked_in is None else asked_in
        pairs = zip(self.queries, asked_in, strict=True)
        queries = np.stack([self.offsets.remove_from_query(vector, language) for vector, language in pairs])
        return DenseStage(queries, self.offsets.remove_from_documents(self.documents, languages))


@dataclass(frozen=True)
class DenseStage:
    """Exact search: unit vectors, and their dot products.

    Attributes:
        queries: float32 [queries, D].
        documents: float32 [documents, D].
    """

    queries: FloatArray
    documents: FloatArray

    def pool(self, documents: IntArray) -> PoolScores:
        vectors = np.ascontiguousarray(self.documents[documents].T)
        return lambda queries: self.queries[queries] @ vectors


def dense_vectors(dataset: Dataset, root: Path, service: EmbeddingService) -> DenseVectors:
    """Read from the cache, or embed.

    Args:
        root: folder of the caches.
        service: connected to only if something has to be embedded.

    Raises:
        ServerError: the service is needed, and cannot be reached.
    """
    folder = folder_of(dataset, root, service)
    if not (folder / QUERIES_FILE).is_file():
        with service.connect() as embedder:
            embed_dataset(dataset, folder, embedder)
    return read_vectors(dataset, folder)


def folder_of(dataset: Dataset, root: Path, service: EmbeddingService) -> Path:
    """Where these vectors are, or will be."""
    embedded = f"{SCHEMA_VERSION} {service.digest} {service.language_vectors} {dataset.texts_digest}"
    key = hashlib.sha256(embedded.encode()).hexdigest()[:12]
    return root / f"{dataset.name}-{key}"


def embed_dataset(dataset: Dataset, folder: Path, embedder: Embedder) -> None:
    """Index the documents and embed the queries; what an earlier run committed is not embedded again."""
    documents = [document.indexed for document in dataset.documents]
    with Indexer.open(folder / "index", embedder, IndexSettings(passage_tokens=0)) as indexer:
        with progress(f"indexing {dataset.name}", unit="documents", total=len(documents)) as bar:
            indexer.add(documents, bar.advance, bar.skip)
        indexer.delete_missing((document.id for document in documents), at_most=1)
        indexer.finish(rebuild=True)
    vectors = embedder.embed([query.text for query in dataset.queries], "query").vectors
    require_vectors(vectors, len(dataset.queries), embedder.identity.dimension, lambda row: dataset.queries[row].id)
    with whole(folder / QUERIES_FILE) as partial, partial.open("wb") as file:
        np.save(file, vectors)


def read_vectors(dataset: Dataset, folder: Path) -> DenseVectors:
    """What `embed_dataset` left in the folder. Raises InputError: the queries' file is damaged."""
    with closing(DocumentStore.open(folder / "index")) as store:
        offsets = store.offsets()
        labels = np.sort(np.concatenate(list(store.labels_by_language().values())))
        ids = store.documents(labels.tolist())
        vectors = {
            ids[label].id: vector
            for block in store.vectors_of(labels)
            for label, vector in zip(block.labels.tolist(), block.vectors, strict=True)
        }
    if offsets is None:
        raise RuntimeError("an index that was finished has offsets")
    documents = np.stack([vectors[document.id] for document in dataset.documents])
    return DenseVectors(documents, _queries(folder / QUERIES_FILE, len(dataset.queries), documents.shape[1]), offsets)


def _queries(file: Path, count: int, dimension: int) -> FloatArray:
    try:
        vectors: FloatArray = np.load(file, allow_pickle=False)
        require_vectors(vectors, count, dimension, lambda row: f"query {row + 1}")
    except (OSError, ValueError, EOFError, ServerError) as error:
        raise InputError(f"{file} is damaged ({error}): remove it, and its queries are embedded again") from error
    return vectors
