"""What a late-interaction reranker's scores come to where an index stores its documents' token vectors.

    documents' token vectors --projection fitted on a sample, quantized, and back--> as an index would give them
    for each document: the queries that have it as a candidate, one matrix product --MaxSim--> PairScores

The arithmetic of a search (interlingua_client/index/token_store/stored_tokens.py), a document at a time in place of a
query at a time. What a pair scores is beside it where the same systems are evaluated without a form.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.display.progress import progress
from interlingua.served.token_vectors import dot_products
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.token_indexing import sampled_of_each

if TYPE_CHECKING:
    from interlingua.served.token_vectors import TokenVectors
    from interlingua_client.embedder import FloatArray
    from interlingua_client.index.token_store.quantization import TokenFormat
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.rerank.pair_scores import Pairs
    from interlingua_evaluation.systems.rerank.served_sides import ServedSides


@dataclass(frozen=True)
class StoredScorer:
    """A reranker by stored token vectors of one form; a PairScorer."""

    sides: ServedSides
    form: TokenFormat

    @property
    def digest(self) -> str:
        return f"{self.sides.spec.digest}+{self.form.name}"

    @property
    def model_id(self) -> str:
        return self.sides.spec.model_id

    @property
    def weight(self) -> float:
        return self.sides.spec.rerank_weight

    @property
    def how(self) -> str:
        return f"{self.form.name}: token vectors through the encoding services, as an index stores them"

    def scores(self, dataset: Dataset, pairs: Pairs) -> FloatArray:
        """Scores, float32 [n]; NaN for a query or a document that the services do not take.

        Raises:
            InputError: the server has another reranker, or one of another kind.
            ServerError: it is away.
        """
        empty = self.sides.identity().empty
        projection = self._projection(dataset)
        asked = np.unique(pairs.queries).tolist()
        queries = {
            number: _Question(text, projection) if text else None
            for number, text in self.sides.of(dataset, "query", asked)
        }
        found = np.full(len(pairs), np.nan, np.float32)
        places = _by_document(pairs)
        with progress("comparing", unit="documents", total=len(places)) as bar:
            for number, text in self.sides.of(dataset, "document", sorted(places)):
                bar.advance(1)
                rows = [row for row in places[number] if queries[int(pairs.queries[row])] is not None]
                if text is not None and rows:
                    questions = [queries[int(pairs.queries[row])] for row in rows]
                    found[rows] = _compared(self._stored(text, projection), questions, empty)  # type: ignore[arg-type]
        return found

    def _projection(self, dataset: Dataset) -> TokenProjection:
        sample = (text for _, text in self.sides.of(dataset, "document", sampled(dataset)))
        vectors = [text.vectors for text in sample if text is not None]
        dimension = self.sides.identity().dimension
        return TokenProjection.fit(np.concatenate([np.empty((0, dimension), np.float32), *vectors]), self.form.values)

    def _stored(self, text: TokenVectors, projection: TokenProjection) -> FloatArray:
        rows = self.form.quantized(projection.document(text.vectors))
        return self.form.restored(rows, projection.dimension)


class _Question:
    """A query as it is compared: rows float32 [m, k], their weights, and what a document's mean adds to its score."""

    def __init__(self, text: TokenVectors, projection: TokenProjection) -> None:
        self.rows, lacking = projection.query(text.vectors)
        self.weights = text.weights
        self.of_mean = float(lacking @ text.weights)


def _compared(document: FloatArray, questions: list[_Question], empty: float) -> list[float]:
    """The scores of one document's stored rows float32 [t, k] with some questions."""
    if not len(document):
        return [empty * float(question.weights.sum()) for question in questions]
    rows = np.concatenate([question.rows for question in questions])
    closest = dot_products(document, rows).max(axis=0)
    ends = np.cumsum([len(question.rows) for question in questions])
    parts = np.split(closest, ends[:-1])
    return [float(part @ question.weights) + question.of_mean for part, question in zip(parts, questions, strict=True)]


def _by_document(pairs: Pairs) -> dict[int, list[int]]:
    """The places of a document's pairs."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(pairs.documents.tolist()):
        places[number].append(place)
    return places


def sampled(dataset: Dataset) -> list[int]:
    """The numbers of the documents that an index would fit its projection to, ascending."""
    languages: dict[str, list[int]] = defaultdict(list)
    for number in sorted(range(len(dataset.documents)), key=lambda row: dataset.documents[row].indexed.digest):
        languages[dataset.documents[number].language].append(number)
    each = sampled_of_each(len(languages))
    return sorted(number for numbers in languages.values() for number in numbers[:each])
