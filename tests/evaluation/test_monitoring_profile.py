"""One language's profile, on a log small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua_client.search.results import Reranking
from interlingua_evaluation.monitoring.language_profile import LanguageProfile, find_low_scores, profiles
from interlingua_evaluation.monitoring.log_columns import LogColumns
from interlingua_evaluation.monitoring.log_records import LogReading
from tests.evaluation.monitoring_logs import hit, result, traffic, write, write_failures


def columns(path: Path) -> LogColumns:
    return LogColumns.of(LogReading(paths=[path]))


@pytest.fixture
def by_hand(tmp_path: Path) -> LogColumns:
    """Eight searches: five in German (one failed, one empty, three with hits), two in French, one unsure."""
    path = tmp_path / "search.log"
    late = Reranking(1, 4, "the deadline left time for 1 of 4 candidates", 0.8)
    off = Reranking(0, 2, "reranking was switched off")
    german = [
        result("de", [hit("de", 0.9, 3.0), hit("de", 0.8, 2.0, rank=2)], total_s=0.010),
        result("de", [hit("en", 0.7, 1.0), hit("de", 0.6, rank=2)], total_s=0.020, reranking=late),
        result("de", [hit("en", 0.5), hit("fr", 0.4, rank=2)], total_s=0.030, reranking=off),
        result("de", [], total_s=0.040, reranking=Reranking(0, 0, "there was nothing to rerank")),
    ]
    french = [result("fr", [hit("fr", 0.8, 2.0)], truncated=True), result("fr", [hit("fr-CA", 0.6, 2.0)])]
    write(path, [*german, *french, result(None, [hit("en", 0.3, 0.0)], source="unsure")])
    write_failures(path, "de", 1)
    return columns(path)


def profile_of(log: LogColumns, language: str, low: dict[str, float] | None = None) -> LanguageProfile:
    return next(profile for profile in profiles(log, low or {}) if profile.language == language)


def test_rates(by_hand: LogColumns) -> None:
    german = profile_of(by_hand, "de", {"de": 0.7})
    assert (german.searches, german.share) == (5, 5 / 8)
    assert german.rates == {
        "errors": (1, 5),
        "empty": (1, 4),
        "low_confidence": (1, 3),  # 0.5 is below 0.7, and 0.7 is not
        "unsure": (0, 5),
        "truncated": (0, 4),
        "degraded": (1, 2),  # two were to be reranked, one was so in part
    }
    assert german.error_kinds == {"away": 1}
    assert german.reranking == {"": 1, "deadline": 1, "no candidates": 1, "not asked": 1}
    french = profile_of(by_hand, "fr")
    assert french.rates["truncated"] == (1, 2)
    assert french.rates["low_confidence"] is None


def test_all_languages_as_one(by_hand: LogColumns) -> None:
    whole = profiles(by_hand, {"de": 0.7, "fr": 0.7})[0]
    assert (whole.language, whole.searches, whole.share) == ("all", 8, 1.0)
    assert whole.rates["unsure"] == (1, 8)
    assert whole.rates["low_confidence"] == (1 + 1, 3 + 2)  # the unsure one has no threshold
    assert whole.sources == {"detected": 7, "unsure": 1}
    assert [profile.language for profile in profiles(by_hand, {})] == ["all", "de", "fr", "(unsure)"]


def test_hits_and_their_languages(by_hand: LogColumns) -> None:
    german = profile_of(by_hand, "de")
    assert german.hit_languages == {"de": 3 / 6, "en": 2 / 6, "fr": 1 / 6}
    assert german.mean_own_share == pytest.approx((1 + 0.5 + 0) / 3)
    assert profile_of(by_hand, "fr").mean_own_share == 1.0  # fr-CA is French
    assert profile_of(by_hand, "(unsure)").mean_own_share is None


def test_distributions(by_hand: LogColumns) -> None:
    german = profile_of(by_hand, "de")
    # Of 0.5, 0.7, 0.9: between the first two at p5 lies 0.1 of the way, at p25 half of it.
    assert german.scores["dense_score"] == pytest.approx((0.52, 0.6, 0.7, 0.8, 0.88, 3), abs=1e-6)
    assert german.scores["rerank_logit"] == pytest.approx((1.1, 1.5, 2.0, 2.5, 2.9, 2), abs=1e-6)
    # 0.9 - 0.8 and 0.5 - 0.4; the other one compares a mixed score with a cosine.
    assert german.scores["margin"] == pytest.approx((0.1, 0.1, 0.1, 0.1, 0.1, 2), abs=1e-6)
    assert german.stage_times["total_s"] == pytest.approx((0.025, 0.0385), abs=1e-6)
    assert "queue_s" not in german.stage_times
    assert profile_of(by_hand, "fr").scores["dense_score"] is not None
    assert "NaN" not in str(german.to_dict())


def test_a_language_filter_says_nothing_about_preference(tmp_path: Path) -> None:
    from interlingua_client.search.search_log import SearchLog
    from interlingua_client.search.search_options import SearchOptions
    from interlingua_client.search.search_request import SearchRequest
    from tests.evaluation.monitoring_logs import SETTING

    log = SearchLog(tmp_path / "a.log")
    log.found(SETTING, SearchRequest("q", SearchOptions(languages=("en",))), result("de", [hit("en", 0.9)]))
    profile = profile_of(columns(tmp_path / "a.log"), "de")
    assert profile.hit_languages == {}
    assert profile.mean_own_share is None
    assert profile.rates["empty"] == (0, 1)


def test_low_scores_come_from_the_baseline(tmp_path: Path) -> None:
    # 41 cosines 0.50, 0.51 ... 0.90: the 5th percentile is the third, 0.52. French has too few for one.
    german = [result("de", [hit("de", 0.5 + 0.01 * row)]) for row in range(41)]
    french = [result("fr", [hit("fr", 0.5)])] * 29
    baseline = columns(write(tmp_path / "a.log", [*german, *french]))
    assert find_low_scores(baseline, baseline, None) == {"de": pytest.approx(0.52)}
    assert find_low_scores(baseline, baseline, 0.7) == {"de": 0.7, "fr": 0.7}
    assert find_low_scores(baseline, None, None) == {}


def test_a_log_of_failures_alone(tmp_path: Path) -> None:
    write_failures(tmp_path / "a.log", "de", 3)
    german = profile_of(columns(tmp_path / "a.log"), "de")
    assert german.rates["errors"] == (3, 3)
    assert german.rates["empty"] == (0, 0)
    assert german.to_dict()["rates"]["empty"]["share"] is None
    assert german.scores == {"dense_score": None, "rerank_logit": None, "margin": None, "own_share": None}


def test_merging_keeps_all(tmp_path: Path) -> None:
    log = columns(write(tmp_path / "a.log", traffic(0, {"de": 20, "fr": 30})))
    whole = log.merged()
    assert (log.searches, whole.searches, whole.answered) == (50, 50, 50)
    assert len(whole.score("dense_score")) == 50
    assert whole.hit_languages.total() == 150
    assert len(whole.stage_times()["total_s"]) == 50
