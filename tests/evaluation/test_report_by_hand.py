"""One small case, every figure of which is worked out by hand.

Two pages, each in English and German: a.en, a.de, b.en, b.de (documents 0 to 3). Three queries:

    qa (English) asks for page a: a.en and a.de have grade 1
    qb (German)  asks for page b: b.en and b.de have grade 2, a.de has grade 1
    qc (German, jargon) asks for page b: b.de alone has grade 1

What the two systems find, as scores of the four documents:

                 qa                  qb                  qc
    dense        a.en b.en a.de b.de  a.de b.de a.en b.en  a.de a.en b.de b.en
    offsets      a.en a.de b.en b.de  b.de b.en a.de a.en  b.de a.de a.en b.en
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from interlingua_evaluation.datasets.dataset import Dataset, JudgedDocument, Query
from interlingua_evaluation.measures.relevance import MRR, NDCG, RECALL, Judge
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.report.build import Findings, judge_runs
from interlingua_evaluation.report.model import Breakdown, Figure
from interlingua_evaluation.report.rerank_figures import rerank_figures
from interlingua_evaluation.report.worst_queries import worst_queries
from interlingua_evaluation.systems.candidate_lists import Pair, candidate_lists
from interlingua_evaluation.systems.first_stage import Matrix
from interlingua_evaluation.systems.system_name import SystemName
from interlingua_evaluation.systems.system_runs import SystemRun
from tests.evaluation.small_dataset import small_dataset

DENSE = [[9, 7, 8, 6], [7, 9, 6, 8], [8, 9, 6, 7]]  # of a.en, a.de, b.en, b.de, a row a query
OFFSETS = [[9, 8, 7, 6], [6, 7, 8, 9], [7, 8, 6, 9]]

SECOND, THIRD = 1 / math.log2(3), 1 / math.log2(4)  # discounts of the ranks


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    documents = [
        JudgedDocument(f"{page}.{tag}", tag, "", f"{page} in {tag}", page)
        for page in ("a", "b")
        for tag in ("en", "de")
    ]
    queries = (
        Query("qa", "en", "where is a?", "plain", "a", "test"),
        Query("qb", "de", "wo ist b?", "plain", "b", "test"),
        Query("qc", "de", "b, rekursiv?", "jargon", "b", "test"),
    )
    qrels = {"qa": {"a.en": 1, "a.de": 1}, "qb": {"b.en": 2, "b.de": 2, "a.de": 1}, "qc": {"b.de": 1}}
    return Dataset("by hand", tuple(documents), queries, qrels, {})


@pytest.fixture(scope="module")
def findings(dataset: Dataset) -> Findings:
    runs = []
    for name, scores in (("dense", DENSE), ("dense+offsets", OFFSETS)):
        lists = candidate_lists(dataset, Matrix(np.array(scores, np.float32)), 100)
        runs.append(SystemRun(SystemName.parse(name), lists, lists))
    stages = {str(run.name): run.lists for run in runs}
    return judge_runs(runs, stages, "test", "dense", None)


def means(breakdown: Breakdown) -> list[float | None]:
    figures: list[Figure | None] = [breakdown.same, breakdown.across, breakdown.mixed]
    return [None if figure is None else figure.mean for figure in figures]


def test_ndcg_of_the_pairs(findings: Findings) -> None:
    dense, offsets = (system.measures[NDCG].pairs for system in findings.systems)
    # German pool of qb: b.de (grade 2) and a.de (grade 1); dense has a.de first
    exchanged = (1 + 2 * SECOND) / (2 + SECOND)
    assert {pair: figure.mean for pair, figure in dense.items()} == {
        Pair("en", "en"): pytest.approx(1),
        Pair("en", "de"): pytest.approx(1),  # a.de before b.de
        Pair("de", "en"): pytest.approx(SECOND),  # qb alone: a.en before b.en
        Pair("de", "de"): pytest.approx((exchanged + SECOND) / 2),  # qb, and qc with b.de second
        Pair("en", "mixed"): pytest.approx((1 + THIRD) / (1 + SECOND)),
        Pair("de", "mixed"): pytest.approx((_dense_qb() + THIRD) / 2),
    }
    assert [offsets[pair].mean for pair in sorted(offsets)] == [pytest.approx(1)] * 6


def _dense_qb() -> float:
    # a.de (1), b.de (2), a.en (0), b.en (2) of the ideal 2, 2, 1
    found = 1 + 2 * SECOND + 0 + 2 / math.log2(5)
    return found / (2 + 2 * SECOND + THIRD)


def test_averages_count_every_pair_the_same(findings: Findings) -> None:
    dense = findings.systems[0].measures
    exchanged = (1 + 2 * SECOND) / (2 + SECOND)
    same = (1 + (exchanged + SECOND) / 2) / 2
    across = (1 + SECOND) / 2
    mixed = ((1 + THIRD) / (1 + SECOND) + (_dense_qb() + THIRD) / 2) / 2
    assert means(dense[NDCG].all) == pytest.approx([same, across, mixed])
    # first relevant: qa 1, qb 1, qc 2 in German (so 3/4 there), b.en second in English; mixed: qa 1, qb 1, qc 3
    assert means(dense[MRR].all) == pytest.approx([(1 + 3 / 4) / 2, (1 + 1 / 2) / 2, (1 + (1 + 1 / 3) / 2) / 2])
    assert means(dense[RECALL].all) == [1, 1, 1]


def test_kinds_of_query_are_apart(findings: Findings) -> None:
    kinds = findings.systems[0].measures[NDCG].kinds
    assert set(kinds) == {"plain", "jargon"}
    assert means(kinds["jargon"]) == [pytest.approx(SECOND), None, pytest.approx(THIRD)]
    assert kinds["jargon"].mixed == replace(kinds["jargon"].mixed or Figure(0, 0, 0, 0, 0), lists=1, groups=1)


def test_own_language_share(findings: Findings) -> None:
    bias = findings.systems[0].bias
    assert bias is not None
    assert bias.own_share.mean == 0.5  # two of each four documents
    # of the relevant: qa 1/2; qb 2/3 and qc 1, so 5/6 for German
    assert bias.relevant_own_share == pytest.approx((1 / 2 + 5 / 6) / 2)
    # of all relevant: en a.en, b.en; de a.de, b.de, a.de, b.de
    assert bias.relevant_share_by_language == {"en": pytest.approx(2 / 6), "de": pytest.approx(4 / 6)}
    assert bias.first_share_by_language == {"en": 0.5, "de": 0.5}


def test_the_comparison_is_the_difference_list_by_list(findings: Findings) -> None:
    (comparison,) = findings.comparisons
    assert (comparison.system, comparison.baseline) == ("dense+offsets", "dense")
    before, after = (means(system.measures[NDCG].all) for system in findings.systems)
    expected = [new - old for old, new in zip(before, after, strict=True) if new is not None and old is not None]
    assert means(comparison.differences[NDCG].all) == pytest.approx(expected)
    assert any("too few" in warning for warning in comparison.warnings)


def test_the_best_system_and_every_lists_values(findings: Findings) -> None:
    assert findings.best == "dense+offsets"
    assert findings.worst.queries == ()  # it answers everything
    rows = findings.values
    chosen = (rows.query == "qc") & (rows.pool == "mixed")
    assert rows.values["dense"][NDCG][chosen] == pytest.approx(THIRD)
    assert len(rows.query) == 8  # qa and qb in en, de and mixed; qc in de and mixed


def test_the_worst_queries_with_what_came_instead(dataset: Dataset) -> None:
    lists = candidate_lists(dataset, Matrix(np.array(DENSE, np.float32)), 100)
    run = SystemRun(SystemName(first="dense"), lists, lists)
    averager = Averager(lists, lists.of_half("test"))
    worst = worst_queries(run, Judge(lists).ndcg(lists.documents), averager).queries
    assert [query.id for query in worst] == ["qc", "qb", "qa"]
    assert [(shown.rank, shown.id, shown.grade) for shown in worst[0].came] == [
        (1, "a.de", 0),
        (2, "a.en", 0),
        (3, "b.de", 1),
        (4, "b.en", 0),
    ]
    assert [(shown.rank, shown.id, shown.text) for shown in worst[0].wanted] == [(3, "b.de", "b in de")]


def test_reranking_its_ceiling_and_what_it_rescues(dataset: Dataset) -> None:
    before = candidate_lists(dataset, Matrix(np.array(DENSE, np.float32)), 100)
    after = candidate_lists(dataset, Matrix(np.array(OFFSETS, np.float32)), 100)
    run = SystemRun(SystemName(first="dense", depth=1), after, before.cut(1), weight=1.0)
    figures = rerank_figures(run, before, Judge(after), Averager(after, after.of_half("test")), pairs_per_second=2.0)
    assert figures is not None
    # the one candidate of the mixed pool is relevant to qa (1 of 2) and qb (1 of 3), not to qc (0 of 1)
    assert means(figures.ceiling)[2] == pytest.approx((1 / 2 + (1 / 3 + 0) / 2) / 2)
    assert (figures.pairs_per_query, figures.seconds_per_query) == (1, 0.5)
    assert figures.rescuable == 0
    assert figures.rescued == Breakdown(None, None, None)


def test_a_list_is_rescued_when_reranking_brings_an_answer_into_its_first_ten() -> None:
    # Mixed pool of 18 documents, 6 of them relevant to a query about cats: before, all of those are last (13 to 18).
    # Afterwards the English question has one first; the German and the Swedish one stay as they were.
    topics = small_dataset()
    about = np.array([document.group in ("cat", "dog") for document in topics.documents])
    hidden = np.tile(np.where(about, 0, 1) - np.arange(18) / 100, (18, 1))
    found = hidden.copy()
    asked = [number for number, query in enumerate(topics.queries) if query.group == "cat"]
    found[asked[0], 0] = 2
    before, after = (candidate_lists(topics, Matrix(scores.astype(np.float32)), 100) for scores in (hidden, found))
    of_cats = np.isin(before.queries, asked) & np.array([pool == "mixed" for pool in before.pools])
    run = SystemRun(SystemName(first="dense", depth=50), after, before, weight=1.0)
    figures = rerank_figures(run, before, Judge(after), Averager(after, of_cats), None)
    assert figures is not None
    assert figures.rescuable == 3
    assert means(figures.rescued) == [None, None, pytest.approx(1 / 3)]
    assert means(figures.best_ndcg)[2] == 1
    assert figures.seconds_per_query is None
