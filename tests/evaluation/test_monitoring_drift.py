"""Drift: figures against scipy and against hand, findings against traffic that is known to have changed or not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from interlingua.base.errors import InputError
from interlingua_client.search.results import SearchResult
from interlingua_client.search.search_log import FORMAT, Setting
from interlingua_evaluation.monitoring.alerts import Alert, AlertLimits, find_alerts
from interlingua_evaluation.monitoring.drift import KINDS, Drift, compare
from interlingua_evaluation.monitoring.drift_tests import DriftTest, pooled, psi
from interlingua_evaluation.monitoring.language_profile import find_low_scores, profiles
from interlingua_evaluation.monitoring.log_columns import LogColumns
from interlingua_evaluation.monitoring.log_records import LogReading, LogRecord, parse_line
from tests.evaluation.monitoring_logs import SETTING, hit, result, traffic, write, write_failures

USUAL = {"de": 300, "fr": 200, "ja": 150}


def log_of(path: Path, results: list[SearchResult], setting: Setting = SETTING) -> LogColumns:
    return LogColumns.of(LogReading(paths=[write(path, results, setting=setting)]))


def test_of(drift: Drift, kind: str, language: str) -> DriftTest:
    return next(test for test in drift.tests if (test.kind, test.language) == (kind, language))


test_of.__test__ = False  # type: ignore[attr-defined]


def alerts(baseline: LogColumns, current: LogColumns, limits: AlertLimits | None = None) -> list[Alert]:
    low = find_low_scores(current, baseline, None)
    return find_alerts(profiles(current, low), compare(baseline, current, low), limits or AlertLimits())


def test_figures_are_scipys(tmp_path: Path) -> None:
    before, after = traffic(1, USUAL), traffic(2, USUAL, shift={"ja": -0.01})
    drift = compare(log_of(tmp_path / "a", before), log_of(tmp_path / "b", after), {})
    for name, score in (("dense-score", "dense_score"), ("rerank-logit", "rerank_score")):
        values = [
            [getattr(item.hits[0], score) for item in items if item.language.tag == "ja"] for items in (before, after)
        ]
        expected = stats.ks_2samp(*values)
        found = test_of(drift, name, "ja")
        assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
        assert found.effect == pytest.approx(expected.statistic, abs=1e-9)
        assert (found.before, found.after) == pytest.approx([np.median(part) for part in values], abs=1e-6)
    first = [Counter(item.hits[0].language for item in items if item.language.tag == "de") for items in (before, after)]
    table = [[counts["de"], counts["en"]] for counts in first]
    expected_p = stats.chi2_contingency(table, correction=False).pvalue
    assert test_of(drift, "hit-languages", "de").p == pytest.approx(expected_p)


def test_q_is_benjaminis_and_hochbergs(tmp_path: Path) -> None:
    before, after = traffic(1, USUAL), traffic(2, USUAL, shift={"ja": -0.02})
    tests = compare(log_of(tmp_path / "a", before), log_of(tmp_path / "b", after), {}).tests
    by_p = sorted(tests, key=lambda test: test.p)
    least = 1.0
    # From the largest p down: q is the least of p * m / rank so far.
    for rank in range(len(by_p), 0, -1):
        least = min(least, by_p[rank - 1].p * len(by_p) / rank)
        assert by_p[rank - 1].q == pytest.approx(least)


def test_psi_by_hand() -> None:
    # Half a count each: shares 30.5/101 and 70.5/101 become 50.5/101 and 50.5/101.
    # (50.5 - 30.5)/101 * ln(50.5/30.5) + (50.5 - 70.5)/101 * ln(50.5/70.5) = 0.19802 * (0.50424 + 0.33364) = 0.16592
    assert psi(np.array([30.0, 70.0]), np.array([50.0, 50.0])) == pytest.approx(0.16592, abs=1e-5)
    assert psi(np.array([30.0, 70.0]), np.array([30.0, 70.0])) == 0
    assert np.isfinite(psi(np.array([0.0, 70.0]), np.array([30.0, 0.0])))


def test_rare_languages_are_taken_together() -> None:
    before, after = Counter(de=80, fr=10, sv=6, cs=4), Counter(de=180, fr=15, sv=3, cs=2)
    # The smaller log has a third of all: 5 of its searches are expected of a language that has 15 in both.
    assert pooled(before, after) == {"de": (80, 180), "fr": (10, 15), "(other)": (10, 5)}
    # sv alone (3 expected in each) is too rare for a category: it joins the smallest that is one.
    assert pooled(Counter(de=80, fr=10, sv=4), Counter(de=83, fr=9, sv=2)) == {"de": (80, 83), "fr": (14, 11)}
    assert pooled(Counter(de=40), Counter(de=50)) == {"de": (40, 50)}


def test_a_shift_in_one_language_is_found_there_and_nowhere_else(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    current = log_of(tmp_path / "b", traffic(2, USUAL, shift={"fr": -0.03}))
    found = alerts(baseline, current)
    assert {alert.language for alert in found} == {"fr"}
    assert {"dense-score", "rerank-logit", "low-confidence"} == {alert.kind for alert in found}
    low = compare(baseline, current, find_low_scores(current, baseline, None))
    shifted = test_of(low, "dense-score", "fr")
    # One standard deviation down: 2 * Phi(1 / 2) - 1 = 0.383.
    assert shifted.effect == pytest.approx(0.383, abs=0.1)
    assert shifted.after is not None
    assert shifted.before is not None
    assert shifted.after < shifted.before
    # And Phi(-1.645 + 1) = 26% of the searches below the baseline's 5th percentile.
    assert test_of(low, "low-confidence", "fr").after == pytest.approx(0.26, abs=0.08)


def test_hits_that_change_their_language_are_found(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    current = log_of(tmp_path / "b", traffic(2, USUAL, own={"ja": 0.95}))
    found = alerts(baseline, current)
    assert {(alert.kind, alert.language) for alert in found} == {("hit-languages", "ja"), ("own-language", "ja")}
    assert any("most of all ja 5" in alert.message for alert in found)


def test_another_mix_of_queries_is_found(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    current = log_of(tmp_path / "b", traffic(2, {"de": 100, "fr": 200, "ja": 350}))
    assert [(alert.kind, alert.language) for alert in alerts(baseline, current)] == [("query-languages", "all")]


def test_failures_and_empty_answers_are_found(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    write(tmp_path / "b", [*traffic(2, USUAL), *[result("fr", [])] * 40])
    write_failures(tmp_path / "b", "de", 60)
    current = LogColumns.of(LogReading(paths=[tmp_path / "b"]))
    found = {(alert.kind, alert.language): alert.message for alert in alerts(baseline, current)}
    assert found.keys() == {("errors", "de"), ("empty", "fr")}
    assert found["errors", "de"].startswith("0.0% to 16.7%")
    # The other way round nothing got worse.
    assert alerts(current, baseline) == []


def test_without_a_change_there_are_few_alarms() -> None:
    logs = [LogColumns.of(_records(seed)) for seed in range(400)]
    alarmed = significant = 0
    for before, after in zip(logs[::2], logs[1::2], strict=True):
        low = find_low_scores(after, before, None)
        drift = compare(before, after, low)
        significant += any(test.q < 0.05 for test in drift.tests)
        alarmed += bool(find_alerts(profiles(after, low), drift, AlertLimits()))
    # Of 200 at most 5% in the long run; 5% and twice the standard deviation of 200 draws are 16.
    assert significant <= 16
    assert alarmed <= 10


def _records(seed: int) -> list[LogRecord]:
    lines = []
    draw = np.random.default_rng(seed)
    for language in ("de", "fr"):
        dense, logit, own = draw.normal(0.85, 0.03, 40), draw.normal(2, 1, 40), draw.random((40, 3)) < 0.5
        for row in range(40):
            tags = [language if is_own else "en" for is_own in own[row]]
            lines.append(_line(language, tags, dense[row], logit[row]))
    return lines


TEMPLATE = parse_line(
    (
        f'{{"format":{FORMAT},"time":"2026-01-01","embedder":"e","reranker":"r","offsets":true,"languages":[],'
        '"language":{"tag":"de","source":"detected"},"query_truncated":false,"hits":[],"reranking":{"reason":""},'
        '"times":{}}'
    ).encode()
)


def _line(language: str, tags: list[str], dense: float, logit: float) -> LogRecord:
    assert TEMPLATE.answer is not None
    answer = TEMPLATE.answer._replace(hit_languages=tuple(tags), dense=dense, logit=logit)
    return TEMPLATE._replace(group=language, answer=answer)


def test_a_tiny_change_in_a_big_log_is_significant_and_no_alert() -> None:
    draw = np.random.default_rng(1)
    logs = [
        LogColumns.of(_line("de", ["de"], dense, 0.0) for dense in draw.normal(mean, 0.03, 20_000))
        for mean in (0.85, 0.852)
    ]
    drift = compare(*logs, {})
    shifted = test_of(drift, "dense-score", "de")
    assert shifted.q < 1e-4
    assert shifted.effect < 0.05
    assert find_alerts([], drift, AlertLimits()) == []
    assert [alert.kind for alert in find_alerts([], drift, AlertLimits(ks=0.02))] == ["dense-score"]


def test_scores_of_another_embedder_are_not_compared(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    for number, setting in enumerate([Setting("embedder-2", "reranker-1", True), SETTING._replace(offsets=False)]):
        current = log_of(tmp_path / f"b{number}", traffic(2, USUAL, shift={"fr": -0.3}, own={"ja": 0.95}), setting)
        drift = compare(baseline, current, {"de": 0.8, "fr": 0.8})
        assert drift.notes[0].startswith("SCORES DO NOT COMPARE")
        assert not {"dense-score", "rerank-logit", "low-confidence"} & {test.kind for test in drift.tests}
        found = {alert.kind for alert in find_alerts([], drift, AlertLimits())}
        assert found == {"hit-languages", "own-language"}
    both = LogColumns.of(LogReading(paths=[tmp_path / "a", tmp_path / "b0"]))
    assert "embedder-1 with language offsets on and embedder embedder-2" in compare(both, both, {}).notes[0]


def test_logits_of_another_reranker_are_not_compared(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    current = log_of(tmp_path / "b", traffic(2, USUAL, shift={"fr": -0.3}), SETTING._replace(reranker="reranker-2"))
    drift = compare(baseline, current, {})
    assert drift.notes[0].startswith("LOGITS DO NOT COMPARE")
    assert {test.kind for test in drift.tests} >= {"dense-score"}
    assert "rerank-logit" not in {test.kind for test in drift.tests}


def test_too_few_searches_are_said_and_not_tested(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, {"de": 100, "fr": 29, "cs": 50}))
    current = log_of(tmp_path / "b", traffic(2, {"de": 100, "fr": 100, "el": 5}, shift={"fr": -0.3}))
    drift = compare(baseline, current, {})
    assert {test.language for test in drift.tests} == {"all", "de"}
    reasons = {untested.language: untested.reason for untested in drift.untested}
    assert reasons["fr"].startswith("29 searches in the baseline, 100 now; at least 30")
    assert reasons["cs"].startswith("50 searches in the baseline, 0 now")
    assert reasons["el"].startswith("0 searches in the baseline, 5 now")


def test_what_neither_log_has_is_not_mentioned(tmp_path: Path) -> None:
    results = [result("de", [hit("de", 0.8 + 0.001 * row)]) for row in range(50)]
    log = log_of(tmp_path / "a", results)
    drift = compare(log, log, {})
    assert "rerank-logit" not in {item.kind for item in (*drift.tests, *drift.untested)}
    assert drift.untested == ()
    assert {test.kind for test in drift.tests} <= set(KINDS)
    assert {test.p for test in drift.tests} == {1.0}


def test_kinds_and_limits_narrow_the_alerts(tmp_path: Path) -> None:
    baseline = log_of(tmp_path / "a", traffic(1, USUAL))
    current = log_of(tmp_path / "b", traffic(2, USUAL, shift={"fr": -0.03}))
    assert [alert.kind for alert in alerts(baseline, current, AlertLimits(kinds=["rerank-logit"]))] == ["rerank-logit"]
    assert alerts(baseline, current, AlertLimits(ks=0.9, rate=0.9)) == []
    assert alerts(baseline, current, AlertLimits(q=0.0)) == []


def test_limits_of_rates_need_no_baseline(tmp_path: Path) -> None:
    empty, few = [result("fr", [])] * 4, [result("ja", [])] * 29
    current = log_of(tmp_path / "a", [*traffic(1, {"fr": 36}), *empty, *few])
    own = profiles(current, {})
    found = find_alerts(own, None, AlertLimits(max_rates={"empty": 0.05}))
    # 4 of 40 in French, 33 of all 69; 29 in Japanese are too few to say.
    assert [(alert.language, alert.message) for alert in found] == [
        ("all", "47.8% (33 of 69), above the limit of 5.0%"),
        ("fr", "10.0% (4 of 40), above the limit of 5.0%"),
    ]
    assert [alert.language for alert in find_alerts(own, None, AlertLimits(max_rates={"empty": 0.1}))] == ["all"]


def test_without_scipy_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(tmp_path / "a", traffic(1, USUAL))
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(InputError, match=r"needs scipy: pip install -e '.*\[evaluate\]'"):
        compare(log, log, {})
