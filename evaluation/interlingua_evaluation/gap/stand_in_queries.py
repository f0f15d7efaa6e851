"""What an index takes for queries while nobody has asked: read back, to learn offsets from.

the index's store --documents, vectors of their titles or first sentences--> SampledVectors, of one half's groups
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.document_store import DocumentStore
from interlingua_evaluation.gap.offset_variants import SampledVectors
from interlingua_evaluation.systems.dense_vectors import dense_vectors, folder_of

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.serving import EmbeddingService


def stand_ins(dataset: Dataset, root: Path, service: EmbeddingService, *, of_half: Half) -> SampledVectors:
    """Documents and what the index takes for queries about them, of the groups that are not asked about in a half."""
    vectors = dense_vectors(dataset, root, service)
    asked = {query.group for query in dataset.queries if query.half == of_half}
    numbers = {document.id: number for number, document in enumerate(dataset.documents)}
    with closing(DocumentStore.open(folder_of(dataset, root, service) / "index")) as store:
        labels = np.concatenate(list(store.labels_by_language().values()))
        ids = store.documents(labels.tolist())
        known = store.stand_in_vectors(labels.tolist())
    rows = {numbers[ids[label].id]: vector for label, vector in known.items()}
    chosen = [number for number in sorted(rows) if dataset.documents[number].group not in asked]
    return SampledVectors(
        vectors.documents[chosen],
        np.stack([rows[number] for number in chosen]),
        np.array([dataset.documents[number].language for number in chosen]),
    )
