"""Documents that are as near as their best passage, over a few made-up vectors."""

from __future__ import annotations

import numpy as np

from interlingua_client.index.language_offsets import unit
from interlingua_client.index.passages.passage_plan import PassagePlan
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.systems.dense_vectors import DenseStage
from interlingua_evaluation.systems.passage_search import PassageScorer, PassageSet, PassageStage
from interlingua_evaluation.systems.rerank.pair_scores import Pairs


def count_words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


SENTENCES = [" ".join([f"word{number}"] * 29 + ["ends."]) for number in range(6)]
DOCUMENTS = (
    JudgedDocument("short", "en", "Short", "one two three", "short"),
    JudgedDocument("long", "en", "Long", "# Part\n" + " ".join(SENTENCES[:4]), "long"),
    JudgedDocument("other", "de", "", " ".join(SENTENCES[4:]) + "\n\n" + SENTENCES[0], "other"),
)
QUERIES = (Query("q", "en", "what", "title", "long", "test"),)
DATASET = Dataset("made-up", DOCUMENTS, QUERIES, {"q": {"long": 1}}, {})
# Passages: short; two of long; two of other.
PARENTS = [0, 1, 1, 2, 2]


class LogitOfNumber:
    """Says which document of its dataset it was asked about."""

    digest, model_id, weight, how = "d", "m", 1.0, "h"

    def scores(self, dataset: Dataset, pairs: Pairs) -> np.ndarray:
        assert len(dataset.documents) == len(PARENTS)
        return pairs.documents.astype(np.float32)


def test_passages_are_embedded_with_title_and_heading_and_a_short_document_is_itself() -> None:
    made = PassageSet.of(DATASET, PassagePlan(size=64, overlap=0), count_words)
    assert made.parents.tolist() == PARENTS
    passages = [document.indexed.passage for document in made.dataset.documents]
    assert passages[0] == DOCUMENTS[0].indexed.passage
    assert passages[1].startswith("Long\n# Part\nword0")
    assert passages[2].startswith("Long\nPart\nword")
    assert passages[3].startswith("word4")
    assert {document.language for document in made.dataset.documents[3:]} == {"de"}


def test_a_document_has_its_best_passages_score_and_the_reranker_reads_that_passage() -> None:
    towards = np.array([[1, 0], [0, 1], [1, 1], [0, 1], [1, 0.5]], np.float32)
    query = np.array([[1.0, 0.2]], np.float32)
    stage = PassageStage(DenseStage(unit(query), unit(towards)), np.array(PARENTS))
    cosines = (unit(query) @ unit(towards).T)[0]
    everything = stage.pool(np.array([0, 1, 2]))(np.array([0]))
    np.testing.assert_allclose(everything, [[cosines[0], cosines[2], cosines[4]]])
    np.testing.assert_allclose(stage.pool(np.array([2]))(np.array([0])), [[cosines[4]]])
    assert stage.best(0, np.array([0, 2])).tolist() == [0, 4]

    passages = PassageSet.of(DATASET, PassagePlan(size=64, overlap=0), count_words)
    scorer = PassageScorer(LogitOfNumber(), passages, stage)
    pairs = Pairs(np.array([0, 0]), np.array([1, 2]))
    assert scorer.scores(DATASET, pairs).tolist() == [2, 4]
    assert len(scorer.scores(DATASET, Pairs(np.empty(0, np.int64), np.empty(0, np.int64)))) == 0
