"""`interlingua compare`: a real regression is found, chance is not taken for one, and unlike things are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.report.changes.comparison import ReportComparison, compare_reports
from interlingua_evaluation.report.list_values import ListValues
from interlingua_evaluation.report.saved_report import SavedReport
from interlingua_evaluation.significance.sign_flips import benjamini_hochberg, p_values
from interlingua_evaluation.systems.candidate_lists import MIXED, Pair
from tests.evaluation.report_sample import BEST, LANGUAGES, sample_report
from tests.support.command_line import interlingua

_GROUPS = 40
_POOLS = (*LANGUAGES, MIXED)
_SHIFTED = Pair("de", "ar")


def lists(groups: int = _GROUPS, seed: int = 1) -> ListValues:
    """A query a group and language in every pool; two kinds; random values."""
    keys = [(group, asked, pool) for group in range(groups) for asked in LANGUAGES for pool in _POOLS]
    ndcg = np.random.default_rng(seed).uniform(0.3, 0.7, len(keys))
    return ListValues(
        query=np.array([f"q{group}.{asked}" for group, asked, _ in keys]),
        pool=np.array([pool for *_, pool in keys]),
        language=np.array([asked for _, asked, _ in keys]),
        kind=np.array(["plain" if group % 2 else "jargon" for group, *_ in keys]),
        group=np.array([f"g{group}" for group, *_ in keys]),
        values={BEST: {"nDCG@10": ndcg, "MRR": ndcg / 2}, "dense": {"nDCG@10": ndcg - 0.1, "MRR": ndcg / 4}},
    )


def with_best(values: ListValues, ndcg: np.ndarray[Any, np.dtype[np.float64]]) -> ListValues:
    return replace(values, values={**values.values, BEST: {**values.values[BEST], "nDCG@10": ndcg}})


def shifted(values: ListValues, shift: float, noise: float = 0.0, seed: int = 2, pair: Pair = _SHIFTED) -> ListValues:
    """One pair shifted, and noise everywhere."""
    ndcg = values.values[BEST]["nDCG@10"] + np.random.default_rng(seed).normal(0, noise, len(values.query))
    return with_best(values, ndcg + shift * ((values.language == pair.asked) & (values.pool == pair.pool)))


def save(folder: Path, values: ListValues, digest: str = "d" * 64, half: str = "test") -> Path:
    """A report's folder, as far as a comparison reads it."""
    folder.mkdir()
    report = sample_report()
    report = replace(report, dataset=replace(report.dataset, digest=digest, half=half))  # type: ignore[arg-type]
    (folder / "report.json").write_text(json.dumps(report.to_json(), ensure_ascii=False), encoding="utf-8")
    values.save(folder)
    return folder


def compared(tmp_path: Path, before: ListValues, after: ListValues, **settings: Any) -> ReportComparison:
    old, new = save(tmp_path / "before", before), save(tmp_path / "after", after)
    return compare_reports(SavedReport.load(old), SavedReport.load(new), **{"measure": "nDCG@10", **settings})


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return interlingua("compare", *arguments)


def test_equal_reports_end_with_0(tmp_path: Path) -> None:
    before, after = save(tmp_path / "before", lists()), save(tmp_path / "after", lists())
    done = run(before, after)
    assert done.returncode == 0, done.stderr
    assert "no real regression" in done.stdout
    assert "Language pairs: 0 better, 0 worse, 0 undecided, 12 equal" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_reader_that_goes_away_is_no_regression(tmp_path: Path) -> None:
    """`interlingua compare A B | head`: 1 would say that something got worse."""
    for name in ("before", "after"):
        save(tmp_path / name, lists())
    command = [sys.executable, "-m", "interlingua", "compare", str(tmp_path / "before"), str(tmp_path / "after")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141


def test_a_regression_of_one_pair_ends_with_1(tmp_path: Path) -> None:
    """0.2 in one of six pairs across languages, beside noise of 0.15 a list: sd of a pair's mean 0.15 / sqrt(40)."""
    before = save(tmp_path / "before", lists())
    after = save(tmp_path / "after", shifted(lists(), -0.2, 0.15))
    done = run(before, after)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "a real regression"
    assert any(line.startswith("worse: ") and "de>ar" in line for line in done.stdout.splitlines())

    as_json = run(before, after, "--json")
    assert as_json.returncode == 1
    facts = json.loads(as_json.stdout)
    assert facts["regression"] is True
    assert {name for name, change in facts["pairs"].items() if change["verdict"] == "worse"} == {"de>ar"}
    assert facts["pairs"]["de>ar"]["groups"] == _GROUPS
    assert facts["shared"] == _GROUPS * len(LANGUAGES) * len(_POOLS)


def test_a_loss_within_the_tolerance_is_none(tmp_path: Path) -> None:
    before, after = save(tmp_path / "before", lists()), save(tmp_path / "after", shifted(lists(), -0.2, 0.15))
    assert run(before, after, "--tolerance", "0.4").returncode == 0
    assert run(before, after, "--tolerance", "0.05").returncode == 1


def test_different_datasets_are_refused(tmp_path: Path) -> None:
    before, after = save(tmp_path / "before", lists()), save(tmp_path / "after", lists(30), digest="e" * 64)
    refused = run(before, after)
    assert refused.returncode == 3
    assert "different datasets" in refused.stderr
    assert "--across-datasets" in refused.stderr
    done = run(before, after, "--across-datasets")
    assert done.returncode == 0, done.stderr
    assert f"{30 * 12} lists are in both" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--system", "hybrid"], f"has no system 'hybrid', it has {BEST}, dense"),
        (["--measure", "P@1"], "has no measure 'P@1', it has nDCG@10, MRR"),
    ],
    ids=["system", "measure"],
)
def test_unknown_names_are_refused(tmp_path: Path, arguments: list[str], fault: str) -> None:
    folder = save(tmp_path / "report", lists())
    done = run(folder, folder, *arguments)
    assert done.returncode == 3
    assert fault in done.stderr


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    folder = save(tmp_path / "report", lists())
    (tmp_path / "empty").mkdir()
    assert run(folder, tmp_path / "empty").returncode == 3
    for content, fault in (
        ("{", "is not a readable report"),
        ("[]", "is not a report"),
        ('{"format": 1}', "is not a report"),
    ):
        (folder / "report.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=fault):
            SavedReport.load(folder)
    report = sample_report().to_json()
    (folder / "report.json").write_text(json.dumps({**report, "format": 99}), encoding="utf-8")
    with pytest.raises(InputError, match="has format 99, not 1"):
        SavedReport.load(folder)


def test_changes_are_means_over_pairs(tmp_path: Path) -> None:
    """All lists of de>ar lose 0.12: 0.12 / 6 of the average across languages, nothing of the two others."""
    found = compared(tmp_path, lists(), shifted(lists(), -0.12))
    assert found.averages["across"].difference == pytest.approx(-0.02)
    assert found.averages["across"].after - found.averages["across"].before == pytest.approx(-0.02)
    assert found.averages["same"].verdict == found.averages["mixed"].verdict == "equal"
    change = found.pairs[_SHIFTED]
    assert (change.difference, change.low, change.high) == pytest.approx((-0.12, -0.12, -0.12))
    values = lists()
    chosen = (values.language == "de") & (values.pool == "ar")
    assert change.before == pytest.approx(values.values[BEST]["nDCG@10"][chosen].mean())
    assert {kind: set(of) for kind, of in found.kinds.items()} == {
        kind: {"same", "across", "mixed"} for kind in ("jargon", "plain")
    }
    assert found.kinds["jargon"]["across"].lists == 20 * 6


def test_chance_is_seldom_a_regression() -> None:
    """Averages and pairs are corrected for their number, so that each of both raises an alarm in 2.5% of all trials."""
    values = lists()
    before = SavedReport(Path("before"), sample_report(), values)
    alarms = [
        compare_reports(before, replace(before, values=shifted(values, 0, 0.15, seed)), measure="nDCG@10").regression
        for seed in range(100, 112)
    ]
    assert sum(alarms) <= 2


def test_what_is_undecided_says_how_many_groups_it_takes(tmp_path: Path) -> None:
    found = compared(tmp_path, lists(), shifted(lists(), 0.0, 0.15))
    undecided = found.averages["same"]
    needed = (2.8016 * 0.15 / np.sqrt(3 * _GROUPS) / abs(undecided.difference)) ** 2 * _GROUPS
    assert undecided.groups_needed == pytest.approx(needed, rel=0.25)  # the standard error is the sample's own
    assert any(f"{undecided.groups_needed} groups would show it" in warning for warning in found.warnings)


def test_lists_without_a_number_are_left_out_and_counted(tmp_path: Path) -> None:
    before, after = lists(), lists()
    old, new = before.values[BEST]["nDCG@10"].copy(), after.values[BEST]["nDCG@10"].copy()
    old[[0, 1]], new[[1, 2]] = np.nan, np.nan  # three lists
    found = compared(tmp_path, with_best(before, old), with_best(after, new))
    assert (found.shared, found.left_out) == (480, 3)
    assert sum(change.lists for change in found.pairs.values()) == 477
    assert not found.regression
    assert any("3 lists" in warning for warning in found.warnings)


def test_lists_are_matched_by_query_and_pool(tmp_path: Path) -> None:
    """The later report has its rows in another order, and lacks ten lists."""
    values = lists()
    order = np.random.default_rng(3).permutation(len(values.query))[10:]
    found = compared(tmp_path, values, values.rows(order))
    assert (found.shared, found.only_before, found.only_after) == (470, 10, 0)
    assert {change.verdict for change in found.pairs.values()} == {"equal"}


def test_reports_of_two_halves_have_nothing_in_common(tmp_path: Path) -> None:
    values = lists()
    other = replace(values, query=np.char.add(values.query, "x"))
    before, after = save(tmp_path / "a", values, half="development"), save(tmp_path / "b", other)
    with pytest.raises(InputError, match="development half"):
        compare_reports(SavedReport.load(before), SavedReport.load(after), measure="nDCG@10")


def test_ndcg_of_different_gains_is_not_compared(tmp_path: Path) -> None:
    linear = SavedReport.load(save(tmp_path / "linear", lists()))
    content = json.loads((linear.folder / "report.json").read_text(encoding="utf-8"))
    del content["configuration"]["gains"]  # as reports were before they said it: their gains were 2^grade - 1
    older = tmp_path / "older"
    save(older, lists())
    (older / "report.json").write_text(json.dumps(content), encoding="utf-8")
    old = SavedReport.load(older)
    assert old.gains == "exponential"
    with pytest.raises(InputError, match=r"older has gains 2\^grade - 1, that of .*linear linear gains .*--gains"):
        compare_reports(old, linear, measure="ndcg@10")
    assert not compare_reports(old, linear, measure="MRR").regression


def test_two_systems_can_be_compared(tmp_path: Path) -> None:
    """`dense` is 0.1 lower everywhere."""
    folder = save(tmp_path / "report", lists())
    worse = run(folder, folder, "--system", f"{BEST}=dense", "--json", "--measure", "ndcg@10")
    assert worse.returncode == 1, worse.stderr
    assert json.loads(worse.stdout)["averages"]["mixed"]["difference"] == pytest.approx(-0.1)
    better = run(folder, folder, "--system", f"dense={BEST}", "--json")
    assert better.returncode == 0
    assert {change["verdict"] for change in json.loads(better.stdout)["pairs"].values()} == {"better"}
    assert run(folder, folder, "--system", "=dense").returncode == 2


@pytest.mark.parametrize(("groups", "verdict"), [(5, "undecided"), (6, "worse")])
def test_five_groups_prove_nothing(tmp_path: Path, groups: int, verdict: str) -> None:
    """All agree: 2 / 2^5 = 0.0625 is above 5%, 2 / 2^6 = 0.03125 below."""
    values = lists(groups)
    found = compared(tmp_path, values, with_best(values, values.values[BEST]["nDCG@10"] - 0.1))
    assert {change.verdict for change in found.averages.values()} == {verdict}
    assert all(change.p == pytest.approx(2.0 ** (1 - groups), abs=0.01) for change in found.pairs.values())
    assert found.regression == (verdict == "worse")


def test_p_values_by_hand() -> None:
    """Of the 8 signs of 1, 2, 3 the sums +-6 are as far as 6; those of -1, 2, 3 (sum 4) are +-6 and +-4: 4 of 8."""
    contributions = np.array([[1.0, -1.0, 0.0], [2.0, 2.0, 0.0], [3.0, 3.0, 0.0]])
    shares = np.full((3, 3), 1 / 3)
    assert p_values(contributions, shares, flips=20_000) == pytest.approx([0.25, 0.5, 1], abs=0.02)


def test_p_values_with_a_tolerance_by_hand() -> None:
    """3 of the mean 4 is forgiven, 1 a group: 0, 0 and 1 are left of 1, 1 and 2, so that half a tie is all of it."""
    contributions = np.array([[1.0], [1.0], [2.0]])
    assert p_values(contributions, np.full((3, 1), 1 / 3), tolerance=3, flips=1000) == [1]
    assert p_values(contributions, np.full((3, 1), 1 / 3), tolerance=4, flips=1000) == [1]
    assert p_values(-contributions, np.full((3, 1), 1 / 3), tolerance=0, flips=20_000) == pytest.approx(0.25, abs=0.02)


def test_the_least_p_value_counts_what_was_observed() -> None:
    """No flip of 60 equal groups is likely to be as far as all of one sign: 1 / (99 + 1)."""
    assert p_values(np.ones((60, 1)), np.full((60, 1), 1 / 60), flips=99) == [0.01]


def test_correction_by_hand() -> None:
    """0.01 x 4 / 1, 0.03 x 4 / 2 = 0.06 but no more than the next, 0.04 x 4 / 3, 0.5."""
    corrected = benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5]))
    assert corrected == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_one_bad_pair_among_very_many_can_be_found(tmp_path: Path) -> None:
    """625 pairs: 5% / 625 is less than 1 / 10,001, so that 10,000 flips would never do."""
    tags = [f"l{number}" for number in range(25)]
    keys = [(group, asked, pool) for group in range(30) for asked in tags for pool in tags]
    noise = np.random.default_rng(4).normal(0, 0.1, len(keys))
    values = ListValues(
        query=np.array([f"q{group}.{asked}" for group, asked, _ in keys]),
        pool=np.array([pool for *_, pool in keys]),
        language=np.array([asked for _, asked, _ in keys]),
        kind=np.array(["plain"] * len(keys)),
        group=np.array([f"g{group}" for group, *_ in keys]),
        values={BEST: {"nDCG@10": np.full(len(keys), 0.5)}},
    )
    bad = np.array([(asked, pool) == ("l3", "l7") for _, asked, pool in keys])
    after = replace(values, values={BEST: {"nDCG@10": 0.5 + noise - 0.3 * bad}})
    found = compared(tmp_path, values, after)
    assert [pair for pair, change in found.pairs.items() if change.verdict == "worse"] == [Pair("l3", "l7")]
