"""`--fail-under`: what can be asked for, and what fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interlingua.base.errors import InputError
from interlingua_evaluation.report.changes.thresholds import Failure, Threshold, check, parse_all
from interlingua_evaluation.report.model import Breakdown, MeasureFigures, Report
from interlingua_evaluation.systems.candidate_lists import Pair
from tests.evaluation.report_sample import BEST, figure, sample_report


def failures(*specs: str) -> list[tuple[str, float | None]]:
    return [(failure.what, failure.actual) for failure in check(_report(), parse_all(specs))]


def _report() -> Report:
    """The best system has 0.5 in one language, 0.55 across and 0.6 mixed, 0.04 to both sides; three pairs."""
    report = sample_report()
    ndcg = MeasureFigures(
        Breakdown(figure(0.5), figure(0.55), figure(0.6)),
        {},
        {Pair("en", "en"): figure(0.5), Pair("de", "en"): figure(0.42), Pair("de", "mixed"): figure(0.41)},
    )
    systems = (
        replace(system, measures={**system.measures, "nDCG@10": ndcg}) if system.name == BEST else system
        for system in report.systems
    )
    return replace(report, systems=tuple(systems))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("ndcg@10=0.5", Threshold(spec="ndcg@10=0.5", system=None, low=False, scope="", measure="nDCG@10", least=0.5)),
        ("MRR=1", Threshold(spec="MRR=1", system=None, low=False, scope="", measure="MRR", least=1.0)),
        (
            "mixed:nDCG@10=0.55",
            Threshold(spec="mixed:nDCG@10=0.55", system=None, low=False, scope="mixed", measure="nDCG@10", least=0.55),
        ),
        (
            "across:recall@100=.8",
            Threshold(
                spec="across:recall@100=.8", system=None, low=False, scope="across", measure="recall@100", least=0.8
            ),
        ),
        (
            "pair:de>zh-Hans:ndcg@10=0.4",
            Threshold(
                spec="pair:de>zh-Hans:ndcg@10=0.4",
                system=None,
                low=False,
                scope=Pair("de", "zh-Hans"),
                measure="nDCG@10",
                least=0.4,
            ),
        ),
        (
            "worst-pair:ndcg@10=0.3",
            Threshold(
                spec="worst-pair:ndcg@10=0.3", system=None, low=False, scope="worst-pair", measure="nDCG@10", least=0.3
            ),
        ),
        (
            "dense+offsets+rerank@20@0.8|low:mixed:ndcg@10=0.5",
            Threshold(
                spec="dense+offsets+rerank@20@0.8|low:mixed:ndcg@10=0.5",
                system="dense+offsets+rerank@20@0.8",
                low=True,
                scope="mixed",
                measure="nDCG@10",
                least=0.5,
            ),
        ),
        ("low:mrr=0.5", Threshold(spec="low:mrr=0.5", system=None, low=True, scope="", measure="MRR", least=0.5)),
    ],
)
def test_specs_are_read(spec: str, expected: Threshold) -> None:
    assert parse_all([spec]) == [expected]


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("ndcg@10", "no =LEAST"),
        ("", "no =LEAST"),
        ("ndcg@10=high", "'high' is not a number from 0 to 1"),
        ("ndcg@10=nan", "'nan' is not a number"),
        ("ndcg@10=55", "'55' is not a number from 0 to 1"),
        ("ndcg@5=0.5", "'ndcg@5' is none of ndcg@10, recall@100, mrr"),
        ("all:ndcg@10=0.5", "'all' is none of same, across, mixed"),
        ("pair:ndcg@10=0.5", "'pair' is none of"),
        ("pair:de-en:ndcg@10=0.5", "'de-en' is not a pair"),
        ("pair:de>:ndcg@10=0.5", "'de>' is not a pair"),
        ("mixed:low:ndcg@10=0.5", "'mixed:low' is none of"),
        ("|ndcg@10=0.5", "no system before |"),
    ],
)
def test_a_bad_spec_is_refused(spec: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_all(["ndcg@10=0.5", spec])
    assert repr(spec) in str(caught.value)
    assert fault in str(caught.value)


def test_all_bad_specs_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_all(["first=1", "ndcg@10=0.5", "second"])
    assert "'first=1'" in str(caught.value)
    assert "'second'" in str(caught.value)
    assert "'ndcg@10=0.5'" not in str(caught.value)


def test_the_mean_decides_and_equal_is_enough() -> None:
    assert failures("same:ndcg@10=0.5", "across:ndcg@10=0.55", "mixed:ndcg@10=0.6") == []
    assert failures("mixed:ndcg@10=0.6000001") == [(f"{BEST}: mixed nDCG@10", 0.6)]


def test_without_a_scope_every_average_has_to_be_enough() -> None:
    assert failures("ndcg@10=0.56") == [(f"{BEST}: same nDCG@10", 0.5), (f"{BEST}: across nDCG@10", 0.55)]


def test_the_lower_end_can_decide() -> None:
    """0.6 - 0.04 = 0.56."""
    assert failures("low:mixed:ndcg@10=0.55") == []
    assert failures("low:mixed:ndcg@10=0.57") == [(f"{BEST}: mixed nDCG@10, lower end", pytest.approx(0.56))]


def test_pairs() -> None:
    assert failures("pair:de>en:ndcg@10=0.42", "pair:deu>eng:ndcg@10=0.42", "worst-pair:ndcg@10=0.41") == []
    assert failures("pair:de>en:ndcg@10=0.43", "worst-pair:ndcg@10=0.415") == [
        (f"{BEST}: de>en nDCG@10", 0.42),
        (f"{BEST}: worst-pair de>mixed nDCG@10", 0.41),
    ]


def test_another_system_can_be_asked_for() -> None:
    """0.2 + 0.1 + 0.1 = 0.4: the second system's mixed pool."""
    assert failures("dense+offsets|mixed:ndcg@10=0.39") == []
    ((what, actual),) = failures("dense+offsets|mixed:ndcg@10=0.41")
    assert (what, actual) == ("dense+offsets: mixed nDCG@10", pytest.approx(0.4))


def test_what_is_not_there_fails() -> None:
    assert failures("hybrid|mixed:ndcg@10=0", "pair:en>fr:ndcg@10=0") == [
        ("hybrid: nDCG@10", None),
        (f"{BEST}: en>fr nDCG@10", None),
    ]
    report = sample_report()  # de>ar is NaN there, and the worst pair therefore
    found = check(report, parse_all(["worst-pair:ndcg@10=0", "pair:de>ar:ndcg@10=0"]))
    assert [(failure.what, failure.actual) for failure in found] == [
        (f"{BEST}: worst-pair de>ar nDCG@10", None),
        (f"{BEST}: de>ar nDCG@10", None),
    ]


def test_a_failure_says_what_was_asked_and_what_there_is() -> None:
    assert str(Failure("mixed:ndcg@10=0.7", "dense: mixed nDCG@10", 0.61, 0.7)) == (
        "dense: mixed nDCG@10 is 0.61; --fail-under mixed:ndcg@10=0.7 asks for at least 0.7"
    )
    assert "is not in the report" in str(Failure("x", "y", None, 0.7))
