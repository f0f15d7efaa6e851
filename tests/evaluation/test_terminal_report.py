"""The report on a terminal: every figure that decides, within 100 columns."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace

import pytest
from rich.console import Console

from interlingua.display.terminal import print_parts
from interlingua_evaluation.report.model import Report
from interlingua_evaluation.report.pages.page import page
from interlingua_evaluation.report.terminal import parts
from tests.evaluation.report_sample import BEST, LANGUAGES, MARKUP, bare_report, sample_report

_TWELVE = ("en", "de", "ar", "es", "fr", "ja", "zh", "ru", "cs", "sv", "uk", "pt")


def printed(report: Report, *, width: int = 100, colour: bool = False) -> str:
    file = io.StringIO()
    out = Console(file=file, width=width, force_terminal=colour, color_system="truecolor" if colour else None)
    print_parts(parts(report), out=out)
    return file.getvalue()


def test_figures_of_all_systems_are_there() -> None:
    report = sample_report()
    text = printed(report)
    for system in report.systems:
        whole = system.measures["nDCG@10"].all
        for figure in (whole.same, whole.across, whole.mixed):
            assert figure is not None
            assert f"{figure.mean:.3f}" in text
            assert f"{figure.low:.3f}–{figure.high:.3f}" in text
        for measure in ("recall@100", "MRR"):
            mixed = system.measures[measure].all.mixed
            assert mixed is not None
            assert f"{mixed.mean:.3f}" in text


@pytest.mark.parametrize("languages", [LANGUAGES, _TWELVE], ids=["3 languages", "12 languages"])
def test_every_pair_of_the_best_system_is_in_its_row(languages: tuple[str, ...]) -> None:
    report = sample_report(languages)
    text = printed(report)
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == f"nDCG@10 of {BEST}")
    assert lines[start + 1].split() == ["query", *languages, "mixed"]
    rows = {line.split()[0]: line.split()[1:] for line in lines[start + 2 : start + 2 + len(languages)]}
    best = next(system for system in report.systems if system.name == BEST)
    for pair, figure in best.measures["nDCG@10"].pairs.items():
        shown = rows[pair.asked][[*languages, "mixed"].index(pair.pool)]
        assert shown.rstrip("+-") == ("–" if math.isnan(figure.mean) else f"{figure.mean:.3f}")
    assert rows["en"][0].endswith("+")  # better than the baseline, said without colour
    assert rows["en"][-1].endswith("-")


def test_more_pools_than_fit_are_printed_below_each_other() -> None:
    languages = tuple(f"l{number:02d}" for number in range(20))
    text = printed(sample_report(languages))
    assert max(map(len, text.splitlines())) <= 100
    headers = [line.split()[1:] for line in text.splitlines() if line.split()[:1] == ["query"]]
    assert [pool for header in headers for pool in header] == [*languages, "mixed"]


def test_warnings_findings_and_advice_are_said() -> None:
    text = re.sub(r"\s+", " ", printed(sample_report()))
    assert "warning: dense+offsets: across: the difference of dense+offsets may be chance" in text
    assert f"warning: empty-texts, 3 times: {MARKUP} (as a.en, <script>" in text
    assert "- Switch the offsets on." in text
    assert "Queries without any judgment: 2" in text
    assert "sample, test half: 48 queries in 12 groups over 36 documents in 3 languages" in text
    assert re.search(r"same language better 12 0.035 1191 –", text)  # groups that 0.01 and 0.05 take; 0 is none


def test_the_report_states_its_formula() -> None:
    report = sample_report()
    linear = re.sub(r"\s+", " ", printed(report))
    assert linear.count("nDCG@10 has linear gains (the grade itself), discount log2(rank + 1).") == 2
    other = replace(report, configuration=replace(report.configuration, gains="exponential"))
    assert "nDCG@10 has gains 2^grade - 1, discount" in re.sub(r"\s+", " ", printed(other))
    assert "gains 2^grade - 1" in page(other)


def test_a_dataset_without_halves_has_none_named() -> None:
    report = sample_report()
    text = printed(replace(report, dataset=replace(report.dataset, split=False)))
    assert "sample: 48 queries in 12 groups" in text
    assert "half" not in text


def test_counts_are_said() -> None:
    assert re.search(r"dense\+offsets\s+144\s+3\s+5\s+7\s+9\s*\n", printed(sample_report()))


def test_colour_says_nothing_that_the_text_does_not() -> None:
    plain, coloured = printed(sample_report()), printed(sample_report(), colour=True)
    assert "\x1b[30;48;2;" in coloured  # black on the cell's own colour
    assert [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines()] == [
        line.rstrip() for line in plain.splitlines()
    ]


@pytest.mark.parametrize("report", [sample_report(), bare_report()], ids=["sample", "bare"])
def test_nothing_is_nan_or_none(report: Report) -> None:
    assert not re.search(r"\b(nan|None|inf)\b", printed(report))
