"""BM25 (Robertson et al. 1994) over a pool, by bm25s: the baseline that shares no meaning, only words.

    a pool's documents --tokens, by language--> token numbers --bm25s--> index of that pool
    queries            --tokens, by the pool's language--> sums over the query's tokens [queries, documents]

Lucene's variant (Kamphuis et al. 2020, "Which BM25 do you mean?", table 1), over the N documents of the pool:

    sum over the query's tokens t of ln(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 (1 - b + b length / average))

with k1 = 0.9 and b = 0.4, the defaults of Anserini and Pyserini, with which their BEIR baselines are made (Kamalloo et
al. 2023). A token that a query has twice counts twice. Each pool has its own df and average length, as an index of
that pool would. In a pool of one language, that language's analysis reads the queries too, as an index's analyser
does; in the mixed pool each text is read by its own language, and the words as they are written count beside the stems.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.systems.lexical_tokens import tokens, tokens_of_any_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bm25s import BM25

    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.first_stage import PoolScores

K1 = 0.9
B = 0.4


@dataclass(frozen=True)
class Bm25Stage:
    """BM25 over any pool of a dataset; texts are cut into tokens when their pool is searched.

    What is indexed is the passage that is embedded: title and text. A document that shares no token with a query
    scores -inf: BM25 does not retrieve it.
    """

    dataset: Dataset
    _numbers: dict[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, dataset: Dataset) -> Bm25Stage:
        """The stage; nothing is read yet."""
        return cls(dataset)

    def pool(self, documents: IntArray) -> PoolScores:
        """An index of these documents; for n queries' numbers it gives float32 [n, documents]."""
        languages = {self.dataset.documents[number].language for number in documents.tolist()}
        pool = languages.pop() if len(languages) == 1 else None
        index = _PoolIndex.of([self._document(number, pool) for number in documents.tolist()])
        return lambda asked: index.scores([self._query(number, pool) for number in asked.tolist()])

    def _document(self, number: int, pool: str | None) -> IntArray:
        document = self.dataset.documents[number]
        return self._ids(document.indexed.passage, document.language, pool)

    def _query(self, number: int, pool: str | None) -> IntArray:
        query = self.dataset.queries[number]
        return self._ids(query.text, pool or query.language, pool)

    def _ids(self, text: str, language: str, pool: str | None) -> IntArray:
        """Numbers of the tokens; of a pool of several languages (None), written words beside their stems."""
        found = tokens(text, language) if pool else tokens_of_any_language(text, language)
        return np.array([self._numbers.setdefault(token, len(self._numbers)) for token in found], dtype=np.int64)


@dataclass(frozen=True)
class _PoolIndex:
    """bm25s over one pool.

    Attributes:
        bm25: None where no document has any token.
        known: the pool's token numbers, ascending; bm25s knows each by its place.
        documents: how many there are.
    """

    bm25: BM25 | None
    known: IntArray
    documents: int

    @classmethod
    def of(cls, documents: Sequence[IntArray]) -> _PoolIndex:
        from bm25s import BM25

        known, places = np.unique(np.concatenate(documents), return_inverse=True)
        if not len(known):
            return cls(None, known, len(documents))
        rows = np.split(places, np.cumsum([len(document) for document in documents])[:-1])
        bm25 = BM25(k1=K1, b=B, method="lucene")
        vocabulary = {place: place for place in range(len(known))}
        bm25.index(([row.tolist() for row in rows], vocabulary), create_empty_token=False, show_progress=False)
        return cls(bm25, known, len(documents))

    def scores(self, queries: Iterable[IntArray]) -> FloatArray:
        scores = np.stack([self._scores(query) for query in queries])
        scores[scores == 0] = -np.inf  # every token that is shared adds something: no idf of this variant is 0
        return scores

    def _scores(self, query: IntArray) -> FloatArray:
        if self.bm25 is None:
            return np.zeros(self.documents, dtype=np.float32)
        places = np.minimum(np.searchsorted(self.known, query), len(self.known) - 1)
        scores: FloatArray = self.bm25.get_scores_from_ids(places[self.known[places] == query])
        return scores
