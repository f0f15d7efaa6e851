"""What an index takes for queries while nobody has asked: read back, to learn offsets from.

the index's store --documents, vectors of their titles or first sentences--> SampledVectors, of one half's groups
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_client.index.document_store import DocumentStore
from interlingua_evaluation.gap.offset_variants import SampledVectors
from interlingua_evaluation.systems.dense_vectors import DenseVectors, dense_vectors, folder_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlingua_client.embedder import FloatArray
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.serving import EmbeddingService


def stand_ins(dataset: Dataset, root: Path, service: EmbeddingService, *, of_half: Half) -> SampledVectors:
    """Documents and what the index takes for queries about them, of the groups that are not asked about in a half."""
    vectors = dense_vectors(dataset, root, service)
    asked = {query.group for query in dataset.queries if query.half == of_half}
    rows = _vectors(dataset, root, service)
    return _sampled(dataset, vectors, rows, [row for row in sorted(rows) if dataset.documents[row].group not in asked])


def every_stand_in(dataset: Dataset, root: Path, service: EmbeddingService, vectors: DenseVectors) -> SampledVectors:
    """The same of all documents, one row each, in their order.

    Raises:
        InputError: the index has embedded a sample of them alone.
    """
    rows = _vectors(dataset, root, service)
    if len(rows) < len(dataset.documents):
        raise InputError(
            f"{dataset.name} has {len(dataset.documents)} documents, and {len(rows)} of them have something that "
            "stands in for queries: it is too large for this study"
        )
    return _sampled(dataset, vectors, rows, range(len(dataset.documents)))


def _vectors(dataset: Dataset, root: Path, service: EmbeddingService) -> dict[int, FloatArray]:
    """By the documents' numbers."""
    numbers = {document.id: number for number, document in enumerate(dataset.documents)}
    with closing(DocumentStore.open(folder_of(dataset, root, service) / "index")) as store:
        labels = np.concatenate(list(store.labels_by_language().values()))
        ids = store.documents(labels.tolist())
        known = store.stand_in_vectors(labels.tolist())
    return {numbers[ids[label].id]: vector for label, vector in known.items()}


def _sampled(
    dataset: Dataset, vectors: DenseVectors, rows: Mapping[int, FloatArray], chosen: Sequence[int]
) -> SampledVectors:
    return SampledVectors(
        vectors.documents[chosen],
        np.stack([rows[number] for number in chosen]),
        np.array([dataset.documents[number].language for number in chosen]),
    )
