"""Documents searched by their passages, as an index does it: a document is as near as its best passage.

documents --split--> PassageSet: passages as documents of a dataset of their own, the document of each
its vectors --PassageStage--> scores of documents
pairs of a query and a document --PassageScorer--> the logit of the passage that the first stage found
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.passages.splitter import LongText, split_all
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument
from interlingua_evaluation.systems.rerank.pair_scores import Pairs

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_client.index.passages.passage_plan import PassagePlan
    from interlingua_client.index.passages.token_counts import Count
    from interlingua_evaluation.systems.dense_vectors import DenseVectors
    from interlingua_evaluation.systems.first_stage import FirstStage, PoolScores
    from interlingua_evaluation.systems.rerank.pair_scores import PairScorer


@dataclass(frozen=True)
class PassageSet:
    """A dataset's passages.

    Attributes:
        dataset: passages as documents, of the same queries; nothing is judged in it.
        parents: int64 [passages], the document that each is of, ascending.
    """

    dataset: Dataset
    parents: IntArray

    @classmethod
    def of(cls, dataset: Dataset, plan: PassagePlan, count: Count) -> PassageSet:
        """The passages of all documents; a document that fits into one is itself."""
        documents = dataset.documents
        split = split_all([LongText(one.text, one.title, one.language) for one in documents], plan, count)
        passages, parents = [], []
        for number, (document, (own, front)) in enumerate(zip(documents, split, strict=True)):
            parents += [number] * len(own)
            if len(own) == 1:
                passages.append(document)
                continue
            for place, span in enumerate(own):
                title = "\n".join(filter(None, (front, span.heading)))
                text = document.text[span.start : span.end]
                passages.append(
                    JudgedDocument(f"{document.id}#{place}", document.language, title, text, document.group)
                )
        made = Dataset(f"{dataset.name}-passages", tuple(passages), dataset.queries, {}, {})
        return cls(made, np.array(parents, dtype=np.int64))


@dataclass(frozen=True)
class PassageStage:
    """A first stage over passages that scores documents.

    Attributes:
        parents: int64 [passages], ascending.
    """

    stage: FirstStage
    parents: IntArray

    def pool(self, documents: IntArray) -> PoolScores:
        columns, starts = self._passages(documents)
        score = self.stage.pool(columns)
        return lambda queries: np.maximum.reduceat(score(queries), starts, axis=1)

    def best(self, query: int, documents: IntArray) -> IntArray:
        """The passage of each document (ascending) that the query is nearest to."""
        columns, starts = self._passages(documents)
        scores = self.stage.pool(columns)(np.array([query]))[0]
        parts = zip(np.split(scores, starts[1:]), starts.tolist(), strict=True)
        return columns[[start + int(np.argmax(part)) for part, start in parts]]

    def _passages(self, documents: IntArray) -> tuple[IntArray, IntArray]:
        """The documents' passages, and where each document's begin."""
        columns = np.flatnonzero(np.isin(self.parents, documents))
        return columns, np.flatnonzero(np.diff(self.parents[columns], prepend=-1))


@dataclass(frozen=True)
class PassageScorer:
    """A reranker that reads a document's nearest passage; a PairScorer."""

    scorer: PairScorer
    passages: PassageSet
    stage: PassageStage

    @property
    def digest(self) -> str:
        return self.scorer.digest

    @property
    def model_id(self) -> str:
        return self.scorer.model_id

    @property
    def weight(self) -> float:
        return self.scorer.weight

    @property
    def how(self) -> str:
        return self.scorer.how

    def scores(self, dataset: Dataset, pairs: Pairs) -> FloatArray:  # noqa: ARG002
        """Logits, float32 [n], in the order of the pairs, which are by query and then by document."""
        if not len(pairs):
            return np.empty(0, np.float32)
        queries, starts = np.unique(pairs.queries, return_index=True)
        parts = zip(queries.tolist(), np.split(pairs.documents, starts[1:]), strict=True)
        found = np.concatenate([self.stage.best(query, documents) for query, documents in parts])
        return self.scorer.scores(self.passages.dataset, Pairs(pairs.queries, found))


@dataclass(frozen=True)
class PassageSearch:
    """What searches by passages need.

    Attributes:
        make: the passages; called only if a system needs them.
        embed: vectors of a dataset.
    """

    make: Callable[[], PassageSet]
    embed: Callable[[Dataset], DenseVectors]

    @cached_property
    def passages(self) -> PassageSet:
        return self.make()

    @cached_property
    def vectors(self) -> DenseVectors:
        return self.embed(self.passages.dataset)

    def stage(self, *, use_offsets: bool, asked_in: Sequence[str | None]) -> PassageStage:
        """The passages' own first stage, documents scored by the best."""
        found = self.vectors.searched(self.passages.dataset, use_offsets=use_offsets, asked_in=asked_in)
        return PassageStage(found, self.passages.parents)
