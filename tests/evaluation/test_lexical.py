"""BM25: by hand, against the formula written down once more, and on the twelve languages of helpdesk12."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.systems.candidate_lists import MIXED, candidate_lists
from interlingua_evaluation.systems.lexical import Bm25Stage
from interlingua_evaluation.systems.lexical_tokens import tokens


def dataset_of(documents: list[tuple[str, str, str]], queries: list[tuple[str, str]]) -> Dataset:
    """Documents (language, title, text), queries (language, text); every query is answered by everything."""
    judged = tuple(JudgedDocument(f"d{row}", *document, f"g{row}") for row, document in enumerate(documents))
    asked = tuple(Query(f"q{row}", tag, text, "plain", f"q{row}", "test") for row, (tag, text) in enumerate(queries))
    return Dataset("lexical", judged, asked, {query.id: {item.id: 1 for item in judged} for query in asked}, {})


@pytest.fixture(scope="module")
def animals() -> Dataset:
    """Four texts about cats (paka), dogs (mbwa) and fish, in Swahili and Somali: Snowball stems neither."""
    return dataset_of(
        [("sw", "Paka", "paka mbwa"), ("sw", "", "PAKA"), ("sw", "samaki", "mbwa"), ("so", "", "paka paka paka")],
        [("sw", "paka"), ("sw", "paka paka"), ("sw", "paka, mbwa?"), ("sw", "simba"), ("sw", "...")],
    )


def test_scores_worked_out_by_hand(animals: Dataset) -> None:
    """Lengths 3, 1, 2: the average is 2. Paka and mbwa are in 2 of 3 documents: idf ln(1 + 1.5 / 2.5) = 0.470004."""
    scores = Bm25Stage.of(animals).pool(np.array([0, 1, 2]))(np.arange(5))
    norms = 0.9 * (0.6 + 0.4 * 1.5), 0.9 * (0.6 + 0.4 * 0.5), 0.9 * (0.6 + 0.4 * 1.0)  # 1.08, 0.72, 0.9
    paka = np.array([0.470004 * 2 / (2 + norms[0]), 0.470004 * 1 / (1 + norms[1]), 0])
    mbwa = np.array([0.470004 * 1 / (1 + norms[0]), 0, 0.470004 * 1 / (1 + norms[2])])
    nothing = -np.inf
    assert paka[:2] == pytest.approx([0.305197, 0.273258], abs=1e-6)
    assert scores.dtype == np.float32
    assert scores[0] == pytest.approx([paka[0], paka[1], nothing], abs=1e-6)
    assert scores[1] == pytest.approx([2 * paka[0], 2 * paka[1], nothing], abs=1e-6)
    assert scores[2] == pytest.approx(paka + mbwa, abs=1e-6)
    assert np.isneginf(scores[3:]).all()


def test_a_pool_has_its_own_statistics(animals: Dataset) -> None:
    """With the Somali text paka is in 3 of 4 documents: ln(1 + 1.5 / 3.5) = 0.356675; the average length is 18 / 4.

    In a pool of two languages a word counts as it is written and as its stem, which here are the same: twice.
    """
    scores = Bm25Stage.of(animals).pool(np.array([0, 1, 2, 3]))(np.array([0]))
    lengths, counts = np.array([6, 2, 6]), np.array([4, 2, 6])
    expected = 2 * 0.356675 * counts / (counts + 0.9 * (0.6 + 0.4 * lengths / 4.5))
    assert scores[0, [0, 1, 3]] == pytest.approx(expected, abs=1e-6)
    assert np.isneginf(scores[0, 2])


def test_queries_and_documents_may_come_in_any_number_and_order(animals: Dataset) -> None:
    stage = Bm25Stage.of(animals)
    whole = stage.pool(np.array([0, 1, 2]))(np.arange(5))
    assert np.array_equal(stage.pool(np.array([0, 1, 2]))(np.array([2, 0])), whole[[2, 0]])


def test_the_formula_written_down_once_more_on_every_pool_of_helpdesk12() -> None:
    dataset = read_beir_folder(HELPDESK12)
    stage = Bm25Stage.of(dataset)
    languages = np.array([document.language for document in dataset.documents])
    asked = np.arange(0, len(dataset.queries), 7)
    for pool in (*dataset.languages, MIXED):
        documents = np.flatnonzero((languages == pool) | (pool == MIXED))
        expected = formula(dataset, documents.tolist(), asked.tolist(), pool)
        assert stage.pool(documents)(asked) == pytest.approx(expected, rel=1e-4), pool


def formula(dataset: Dataset, documents: list[int], asked: list[int], pool: str) -> np.ndarray:
    """BM25 of Lucene's kind, k1 = 0.9 and b = 0.4, one document after the other."""
    items = [dataset.documents[number] for number in documents]
    counts = [Counter(read_in(pool, f"{item.title}\n{item.text}", item.language)) for item in items]
    average = sum(count.total() for count in counts) / len(counts)
    holders = Counter(token for count in counts for token in count)
    scores = np.full((len(asked), len(items)), -np.inf)
    for row, number in enumerate(asked):
        query = dataset.queries[number]
        read = read_in(pool, query.text, query.language if pool == MIXED else pool)
        for column, count in enumerate(counts):
            norm = 0.9 * (1 - 0.4 + 0.4 * count.total() / average)
            parts = [
                math.log(1 + (len(items) - holders[token] + 0.5) / (holders[token] + 0.5))
                * count[token]
                / (count[token] + norm)
                for token in read
                if count[token]
            ]
            if parts:
                scores[row, column] = sum(parts)
    return scores


def read_in(pool: str, text: str, language: str) -> list[str]:
    """Stems, and in the mixed pool written words beside them."""
    return [*(tokens(text, "und") if pool == MIXED else ()), *tokens(text, language)]


@pytest.mark.parametrize("name", ["Norvella", "iPhones", "Kubernetes", "WIFI"])
def test_a_name_is_found_in_a_pool_of_all_languages(name: str) -> None:
    """Every stemmer makes another token of it; as it is written it is the same in all languages."""
    tags = ("en", "es", "fr", "de", "pt", "ru", "tr", "fi", "hu")
    assert len({tuple(tokens(name, tag)) for tag in tags}) > 1
    documents = [(tag, "", f"{name} {tag}a") for tag in tags] + [("en", "", "other words")]
    dataset = dataset_of(documents, [(tag, name) for tag in tags])
    scores = Bm25Stage.of(dataset).pool(np.arange(len(documents)))(np.arange(len(tags)))
    assert np.isfinite(scores[:, :-1]).all()
    assert np.isneginf(scores[:, -1]).all()


def test_a_title_finds_its_document_in_every_language_of_helpdesk12() -> None:
    """In the language's own pool, and among the first three of forty; a document with its words all there can win."""
    helpdesk = read_beir_folder(HELPDESK12)
    documents = helpdesk.documents
    queries = tuple(
        Query(item.id, item.language, item.title, "title", item.group, "test") for item in documents if item.title
    )
    titles = replace(helpdesk, queries=queries, qrels={query.id: {query.id: 1} for query in queries})
    lists = candidate_lists(titles, Bm25Stage.of(titles), 3)
    found: dict[str, list[bool]] = {}
    for number, pool, best in zip(lists.queries, lists.pools, lists.documents, strict=True):
        if pool != MIXED:
            found.setdefault(pool, []).append(titles.queries[number].id in {documents[row].id for row in best})
    hits_of = {language: (sum(hits), len(hits)) for language, hits in found.items()}
    assert hits_of == dict.fromkeys(helpdesk.languages, (40, 40))


def test_a_pool_of_one_language_is_asked_in_its_analysis_and_the_mixed_pool_in_the_querys() -> None:
    """English "running" is stemmed to run, as the document's "run"; German does not, nor is it written so."""
    dataset = dataset_of([("en", "", "run"), ("de", "", "laufen")], [("de", "running"), ("en", "running")])
    stage = Bm25Stage.of(dataset)
    assert np.isfinite(stage.pool(np.array([0]))(np.array([0, 1]))).tolist() == [[True], [True]]
    assert np.isfinite(stage.pool(np.array([0, 1]))(np.array([0, 1]))).tolist() == [[False, False], [True, False]]


def test_a_pool_without_any_token_finds_nothing() -> None:
    dataset = dataset_of([("en", "", "?!"), ("de", "", "..."), ("de", "", "Haus")], [("en", "house"), ("de", "Haus")])
    scores = Bm25Stage.of(dataset).pool(np.array([0, 1]))(np.array([0, 1]))
    assert np.isneginf(scores).all()
    lists = candidate_lists(dataset, Bm25Stage.of(dataset), 2)
    found = dict(zip(zip(lists.queries.tolist(), lists.pools, strict=True), lists.filled.sum(axis=1), strict=True))
    assert found == {(0, "en"): 0, (1, "en"): 0, (0, "de"): 0, (1, "de"): 1, (0, MIXED): 0, (1, MIXED): 1}
