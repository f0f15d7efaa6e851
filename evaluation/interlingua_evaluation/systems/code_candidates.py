"""Candidates that a question's names and codes bring, beside those of the dense stage, as the client adds them.

    documents --words, FTS5--> WordTable      question --names, codes--> documents that hold them
    CandidateLists [R, depth] + at most ADDED of these that are in the row's pool --> [R, depth + ADDED], best first
    lists, ranked --those with the question's codes before the others--> as the client ranks them

The index of words has the whole dataset, as one index of all languages does; a pool of one language is a filter.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.words.exact_matches import ADDED, ExactMatches, exact_matches
from interlingua_client.index.words.word_table import WordedText, WordTable
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, numbers_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.first_stage import FirstStage


@dataclass(frozen=True)
class CodeLeg:
    """What names and codes do in one dataset."""

    dataset: Dataset

    def added(
        self, candidates: CandidateLists, stage: FirstStage, kept: npt.NDArray[np.bool_] | None = None
    ) -> CandidateLists:
        """The candidates and what the questions' names and codes add, ordered by the first stage's scores.

        Args:
            stage: that found the candidates.
            kept: bool [documents], those that are searched; None for all.
        """
        left_out = numbers_of(self.dataset, self.dataset.left_out)
        shape = (len(candidates.queries), candidates.documents.shape[1] + ADDED)
        documents, scores = np.full(shape, NOTHING, np.int64), np.zeros(shape, np.float32)
        for row, (query, pool) in enumerate(zip(candidates.queries.tolist(), candidates.pools, strict=True)):
            there = candidates.filled[row]
            found, similar = candidates.documents[row][there], candidates.scores[row][there]
            weights = self._within(query, pool, kept).weights
            new = np.setdiff1d(np.array(list(weights), np.int64), [*found, *left_out.get(query, ())])
            if len(new):
                new_scores = stage.pool(new)(np.array([query]))[0]
                of_new = np.array([weights[number] for number in new.tolist()])
                chosen = np.lexsort((new, -new_scores, -of_new))[:ADDED]
                found, similar = np.concatenate([found, new[chosen]]), np.concatenate([similar, new_scores[chosen]])
            order = np.argsort(-similar, kind="stable")
            documents[row, : len(found)], scores[row, : len(found)] = found[order], similar[order]
        return replace(candidates, documents=documents, scores=scores)

    def first(self, lists: CandidateLists, kept: npt.NDArray[np.bool_] | None = None) -> CandidateLists:
        """The lists with what holds the questions' codes before all others, in their order; its scores are raised."""
        documents, scores = lists.documents.copy(), lists.scores.copy()
        for row, (query, pool) in enumerate(zip(lists.queries.tolist(), lists.pools, strict=True)):
            there = lists.filled[row]
            coded = np.isin(documents[row][there], list(self._within(query, pool, kept).coded))
            if coded.any():
                order = np.argsort(~coded, kind="stable")
                raised = scores[row][there] + coded * (1 + np.ptp(scores[row][there]))
                documents[row][there], scores[row][there] = documents[row][there][order], raised[order]
        return replace(lists, documents=documents, scores=scores)

    def _within(self, query: int, pool: str, kept: npt.NDArray[np.bool_] | None) -> ExactMatches:
        """What matches in a pool."""
        languages = self._languages
        found = self._matches[query]
        return found.among(
            {
                number
                for number in found.weights
                if (pool == MIXED or languages[number] == pool) and (kept is None or kept[number])
            }
        )

    @cached_property
    def _languages(self) -> list[str]:
        return [document.language for document in self.dataset.documents]

    @cached_property
    def _matches(self) -> list[ExactMatches]:
        """Every query's."""
        tags = self._languages
        with closing(sqlite3.connect(":memory:")) as connection:
            table = WordTable(connection)
            table.clear()
            table.add(
                WordedText(number, document.language, document.indexed.passage)
                for number, document in enumerate(self.dataset.documents)
            )
            return [
                exact_matches(
                    query.text, table.holding, lambda labels: {label: tags[label] for label in labels}, len(tags)
                )
                for query in self.dataset.queries
            ]
