"""Collections in which languages write about different things, drawn from one that is translated throughout.

dataset, vectors --topics; of each topic, the one language that owns it, and the others with probability 1 - skew-->
    Part: the documents that are left, their judgments, their vectors, what stands in for queries about them

At skew 0 every topic is in every language, at skew 1 each language has topics of its own. The queries stay: all
languages ask about everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.datasets.dataset import half_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.gap.offset_variants import SampledVectors
    from interlingua_evaluation.systems.dense_vectors import DenseVectors


@dataclass(frozen=True)
class Part:
    """What is searched.

    Attributes:
        vectors: its offsets are the whole collection's, and are to be replaced.
        sample: what an index of these documents estimates offsets from.
    """

    dataset: Dataset
    vectors: DenseVectors
    sample: SampledVectors


@dataclass(frozen=True)
class Collection:
    """One half of a dataset, its vectors, and what stands in for queries about each of its documents.

    Attributes:
        sample: one row a document, in their order.
    """

    dataset: Dataset
    vectors: DenseVectors
    sample: SampledVectors

    def of_half(self, half: Half) -> Collection:
        """The documents and queries of the groups of one half."""
        rows = np.array([half_of(document.group) == half for document in self.dataset.documents])
        asked = np.array([half_of(query.group) == half for query in self.dataset.queries])
        part = self._part(rows)
        queries = tuple(query for query, is_kept in zip(self.dataset.queries, asked, strict=True) if is_kept)
        qrels = {query.id: part.dataset.qrels[query.id] for query in queries}
        return Collection(
            replace(part.dataset, queries=queries, qrels=qrels),
            replace(part.vectors, queries=part.vectors.queries[asked]),
            part.sample,
        )

    def skewed(self, skew: float, topics: int | None, seed: int) -> Part:
        """So many topics (None: all), drawn and dealt to the languages at random."""
        random = np.random.default_rng(seed)
        names = sorted({document.group for document in self.dataset.documents})
        languages = random.permutation(self.dataset.languages).tolist()
        owners = {name: languages[at % len(languages)] for at, name in enumerate(random.permutation(names)[:topics])}
        kept = [
            document.group in owners and (owners[document.group] == document.language or random.random() >= skew)
            for document in self.dataset.documents
        ]
        return self._part(np.array(kept))

    def _part(self, kept: npt.NDArray[np.bool_]) -> Part:
        documents = tuple(document for document, is_kept in zip(self.dataset.documents, kept, strict=True) if is_kept)
        there = {document.id for document in documents}
        qrels = {
            query: {document: grade for document, grade in grades.items() if document in there}
            for query, grades in self.dataset.qrels.items()
        }
        sample = replace(
            self.sample,
            documents=self.sample.documents[kept],
            queries=self.sample.queries[kept],
            languages=self.sample.languages[kept],
        )
        return Part(
            replace(self.dataset, documents=documents, qrels=qrels),
            replace(self.vectors, documents=self.vectors.documents[kept]),
            sample,
        )
