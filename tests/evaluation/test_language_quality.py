"""How a language fares, worked out by hand: averages, what a step changes, the others, who comes first."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua_evaluation.bias.relevant_documents import RelevantDocuments
from interlingua_evaluation.datasets.dataset import Dataset, Half, JudgedDocument, Query
from interlingua_evaluation.languages.exposure import exposures, own_shares
from interlingua_evaluation.languages.judged_systems import DENSE, OFFSETS, RERANKED, JudgedSystems
from interlingua_evaluation.languages.quality import LanguageQuality, language_quality
from interlingua_evaluation.measures.relevance import NDCG, Judge
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.report.bias_figures import bias_figures
from interlingua_evaluation.report.list_values import ListValues
from interlingua_evaluation.significance.bootstrap import Interval
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists, candidate_lists
from interlingua_evaluation.systems.first_stage import PoolScores
from tests.evaluation.small_dataset import LANGUAGES, TOPICS, small_dataset

ASKED = {"en": 0.0, "de": -0.1, "sv": -0.2}
SOUGHT = {"en": 0.0, "de": 0.0, "sv": -0.3, MIXED: 0.0}


class Shuffled:
    """A first stage that knows nothing."""

    def pool(self, documents: np.ndarray) -> PoolScores:
        scores = np.random.default_rng(4).random((18, 18), dtype=np.float32)
        return lambda queries: scores[np.ix_(queries, documents)]


def lists() -> CandidateLists:
    dataset = small_dataset()
    queries = tuple(query._replace(half="test") for query in dataset.queries)
    whole = Dataset("unsplit", dataset.documents, queries, dataset.qrels, dataset.facts)
    return candidate_lists(whole, Shuffled(), 18)


def judged() -> JudgedSystems:
    """nDCG@10 = 0.5 + topic + query language + pool; offsets give 0.05 in the mixed pool, reranking 0.02 anywhere."""
    found = lists()
    pairs, groups = found.pairs, found.groups
    value = np.array(
        [
            0.5 + 0.03 * TOPICS.index(group) + ASKED[pair.asked] + SOUGHT[pair.pool]
            for pair, group in zip(pairs, groups, strict=True)
        ]
    )
    mixed = 0.05 * np.array([pair.pool == MIXED for pair in pairs])
    names = (DENSE, OFFSETS, RERANKED)
    values = dict(zip(names, ({NDCG: value}, {NDCG: value + mixed}, {NDCG: value + mixed + 0.02}), strict=True))
    queries = [found.dataset.queries[number] for number in found.queries.tolist()]
    of_lists = ListValues(
        query=np.array([query.id for query in queries]),
        pool=np.array(found.pools),
        language=np.array([query.language for query in queries]),
        kind=np.array([query.kind for query in queries]),
        group=np.array(groups),
        values=values,
    )
    return JudgedSystems("test", of_lists, dict.fromkeys(names, found))


@pytest.fixture(scope="module")
def quality() -> dict[str, LanguageQuality]:
    return language_quality(judged(), (*LANGUAGES, "fr"))


def exactly(value: float) -> Interval:
    return Interval(*[pytest.approx(value)] * 3)


def test_averages_by_hand(quality: dict[str, LanguageQuality]) -> None:
    # The six topics add 0.075 on average.
    means = {role: figures.systems[DENSE].mean for role, figures in quality["sv"].roles.items()}
    assert means == {
        "mixed": pytest.approx(0.575 - 0.2),
        "across": pytest.approx(0.575 - 0.2),
        "same": pytest.approx(0.575 - 0.2 - 0.3),
        "sought": pytest.approx(0.575 - 0.05 - 0.3),  # asked in English and German
    }
    assert quality["en"].roles["across"].systems[DENSE].mean == pytest.approx(0.575 - 0.15)  # German and Swedish


def test_what_figures_are_of(quality: dict[str, LanguageQuality]) -> None:
    found = quality["de"]
    assert (found.queries, found.groups) == (6, 6)
    counts = {role: (figures.last.lists, figures.last.groups) for role, figures in found.roles.items()}
    assert counts == {"mixed": (6, 6), "across": (12, 6), "same": (6, 6), "sought": (12, 6)}


def test_what_a_step_changes_is_taken_list_by_list(quality: dict[str, LanguageQuality]) -> None:
    # The same in every list: no width, however much topics differ.
    roles = quality["de"].roles
    assert roles["mixed"].gains == {"offsets": exactly(0.05), "reranking": exactly(0.02)}
    assert roles["sought"].gains == {"offsets": exactly(0.0), "reranking": exactly(0.02)}
    figure = roles["mixed"].last
    assert figure.mean == pytest.approx(0.575 - 0.1 + 0.07)
    assert figure.high - figure.low > 0.03


def test_against_others_by_hand(quality: dict[str, LanguageQuality]) -> None:
    # Draw by draw, so that easy and hard topics cancel: no width.
    mixed = {tag: quality[tag].roles["mixed"].against_others for tag in LANGUAGES}
    assert mixed == {"en": exactly(0.15), "de": exactly(0.0), "sv": exactly(-0.15)}
    # sought: en -0.15, de -0.1, sv -0.35; against the average of the other two
    sought = {tag: quality[tag].roles["sought"].against_others for tag in LANGUAGES}
    assert sought == {"en": exactly(-0.15 + 0.225), "de": exactly(-0.1 + 0.25), "sv": exactly(-0.35 + 0.125)}


def test_a_language_without_lists_has_no_figures(quality: dict[str, LanguageQuality]) -> None:
    assert quality["fr"] == LanguageQuality(0, 0, {}, {}, {})


def tiny(*queries: Query) -> Dataset:
    documents = [JudgedDocument(f"{group}.{tag}", tag, "", group, group) for group in "ab" for tag in ("en", "de")]
    qrels = {query.id: {f"{query.group}.en": 1, f"{query.group}.de": 1} for query in queries}
    return Dataset("tiny", tuple(documents), queries, qrels, {})


def mixed_lists(dataset: Dataset, found: list[list[int]]) -> CandidateLists:
    documents = np.full((len(found), 4), NOTHING)
    for row, numbers in enumerate(found):
        documents[row, : len(numbers)] = numbers
    rows, none = np.arange(len(found)), np.zeros(len(found), dtype=np.int64)
    return CandidateLists(
        dataset=dataset,
        queries=rows,
        pools=(MIXED,) * len(found),
        documents=documents,
        scores=np.zeros(documents.shape, dtype=np.float32),
        not_a_number=none,
    )


def query(name: str, language: str, group: str, half: Half = "test") -> Query:
    return Query(name, language, name, "plain", group, half)


@pytest.fixture(scope="module")
def ranked() -> CandidateLists:
    """Documents 0 to 3 are a.en, a.de, b.en, b.de."""
    queries = query("q1", "en", "a"), query("q2", "de", "b"), query("q3", "en", "a", "development")
    return mixed_lists(tiny(*queries), [[0, 2, 1], [3, 1], [1, 3]])


def test_own_shares_by_hand(ranked: CandidateLists) -> None:
    own = own_shares(ranked, "test")
    assert own["en"].first == exactly(2 / 3)
    assert own["en"].relevant == 0.5
    assert own["en"].excess == exactly(2 / 3 - 1 / 2)
    assert (own["de"].first, own["de"].excess) == (exactly(1.0), exactly(0.5))


def test_exposure_by_hand(ranked: CandidateLists) -> None:
    # Of five documents shown two are English, and half of what is relevant: 2/5 over 1/2. Two groups
    # are drawn: q1 twice (a quarter of all draws) 2/3 over 1/2, q2 twice 0, else as it is.
    found = exposures(ranked, "test")
    assert found["en"] == Interval(pytest.approx(0.8), 0.0, pytest.approx(4 / 3))
    assert found["de"] == Interval(pytest.approx(1.2), pytest.approx(2 / 3), pytest.approx(2.0))


def test_a_list_that_finds_nothing_prefers_nothing() -> None:
    dataset = tiny(query("q1", "en", "a"), query("q2", "en", "b"))
    lists = mixed_lists(dataset, [[0], []])
    assert own_shares(lists, "test")["en"].first == exactly(1.0)
    assert exposures(mixed_lists(dataset, [[], []]), "test") == {}


def test_the_reports_own_figures_agree() -> None:
    found = lists()
    averager = Averager(found, found.of_half("test"))
    bias = bias_figures(found, RelevantDocuments.of(found), Judge(found), averager)
    assert bias is not None
    own, shown = own_shares(found, "test"), exposures(found, "test")
    for tag in LANGUAGES:
        theirs = bias.own_share_by_language[tag]
        assert own[tag].first == pytest.approx((theirs.mean, theirs.low, theirs.high))
        expected = bias.first_share_by_language[tag] / bias.relevant_share_by_language[tag]
        assert shown[tag].mean == pytest.approx(expected)


def test_one_language_has_no_bias() -> None:
    dataset = small_dataset(("en",))
    found = candidate_lists(dataset, Shuffled(), 6)
    assert (own_shares(found, "test"), exposures(found, "test")) == ({}, {})
