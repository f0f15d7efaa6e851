"""Candidates that a question's names and codes bring, beside those of the dense stage, as the client adds them.

    documents --words, FTS5--> WordTable      question --names, codes--> documents that hold them
    CandidateLists [R, depth] + at most ADDED of these that are in the row's pool --> [R, depth + ADDED], best first

The index of words has the whole dataset, as one index of all languages does; a pool of one language is a filter.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.words.exact_matches import ADDED, ExactMatches, exact_matches
from interlingua_client.index.words.word_table import WordedText, WordTable
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, numbers_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.systems.first_stage import FirstStage


def with_codes(
    candidates: CandidateLists, stage: FirstStage, kept: npt.NDArray[np.bool_] | None = None
) -> CandidateLists:
    """The candidates and what the questions' names and codes add, ordered by the first stage's scores.

    Args:
        stage: that found the candidates.
        kept: bool [documents], those that are searched; None for all.
    """
    dataset = candidates.dataset
    languages = [document.language for document in dataset.documents]
    left_out = numbers_of(dataset, dataset.left_out)
    matches = _matches(dataset, sorted(set(candidates.queries.tolist())))
    shape = (len(candidates.queries), candidates.documents.shape[1] + ADDED)
    documents, scores = np.full(shape, NOTHING, np.int64), np.zeros(shape, np.float32)
    for row, (query, pool) in enumerate(zip(candidates.queries.tolist(), candidates.pools, strict=True)):
        there = candidates.filled[row]
        found, similar = candidates.documents[row][there], candidates.scores[row][there]
        wanted = [
            number
            for number in matches[query].weights
            if (pool == MIXED or languages[number] == pool) and (kept is None or kept[number])
        ]
        new = np.setdiff1d(np.array(wanted, np.int64), [*found, *left_out.get(query, ())])
        if len(new):
            new_scores = stage.pool(new)(np.array([query]))[0]
            weights = np.array([matches[query].weights[number] for number in new.tolist()])
            chosen = np.lexsort((new, -new_scores, -weights))[:ADDED]
            found, similar = np.concatenate([found, new[chosen]]), np.concatenate([similar, new_scores[chosen]])
        order = np.argsort(-similar, kind="stable")
        documents[row, : len(found)], scores[row, : len(found)] = found[order], similar[order]
    return replace(candidates, documents=documents, scores=scores)


def _matches(dataset: Dataset, queries: list[int]) -> dict[int, ExactMatches]:
    tags = [document.language for document in dataset.documents]
    with closing(sqlite3.connect(":memory:")) as connection:
        table = WordTable(connection)
        table.clear()
        table.add(
            WordedText(number, document.language, document.indexed.passage)
            for number, document in enumerate(dataset.documents)
        )
        return {
            query: exact_matches(
                dataset.queries[query].text,
                table.holding,
                lambda labels: {label: tags[label] for label in labels},
                len(tags),
            )
            for query in queries
        }
