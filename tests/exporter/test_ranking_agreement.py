"""Agreement of rankings, language by language, on sets small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from interlingua_exporter.gate.ranking_agreement import agreements
from interlingua_exporter.texts.parity_texts import ParitySet, Ranking, Sample

# Two queries, en and de; three candidates in sw and three in hi. Vectors are (1, x): a query (0, 1) ranks by angle,
# which is the order of x.
SAMPLES = tuple(
    Sample(language, f"{kind} {number}", "")
    for language, kind, number in [
        ("en", "query", 1),
        ("de", "query", 1),
        *(("sw", "sentence", number) for number in (1, 2, 3)),
        *(("hi", "sentence", number) for number in (1, 2, 3)),
    ]
)
RANKINGS = tuple(Ranking(language, query, (2, 3, 4, 5, 6, 7), (2, 5)) for query, language in enumerate(("en", "de")))
PARITY = ParitySet(SAMPLES, RANKINGS, ())


def answers(candidates: list[float], german: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    return np.array([(0.0, 1.0), german, *((1.0, x) for x in candidates)])


def test_the_same_order_agrees_everywhere() -> None:
    theirs = answers([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    for language in agreements(PARITY, theirs * 2, theirs, overlap=1.0, correlation=1.0 - 1e-9):
        assert (language.overlap, language.queries, language.passed) == (1.0, 1, True)
        assert language.correlation == pytest.approx(1)


def test_a_language_that_differs_fails_and_names_its_pair() -> None:
    """The German query looks the other way in our network: its candidates come out in reverse."""
    theirs = answers([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    ours = answers([0.6, 0.5, 0.4, 0.3, 0.2, 0.1], german=(0.0, -1.0))
    worst, best = agreements(PARITY, ours, theirs, overlap=0.9, correlation=0.9)
    assert (worst.language, worst.passed, best.language, best.passed) == ("de", False, "en", True)
    assert worst.correlation == pytest.approx(-1)
    assert worst.overlap == 0  # the three best of six against the three worst


def test_the_pair_whose_candidates_change_places() -> None:
    """Among the Hindi sentences the first and the last change places: rho = 1 - 6 * 8 / (3 * 8) = -1; Swahili is 1.

    Over all six: ranks 4, 5, 6 become 6, 5, 4: rho = 1 - 6 * 8 / (6 * 35) = 1 - 48 / 210.
    """
    theirs = answers([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    ours = answers([0.6, 0.5, 0.4, 0.1, 0.2, 0.3])
    english = next(
        each for each in agreements(PARITY, ours, theirs, overlap=1.0, correlation=0.9) if each.language == "en"
    )
    assert english.correlation == pytest.approx(1 - 48 / 210)
    assert (english.overlap, english.passed) == (1.0, False)
    assert (english.worst_pair, english.worst_pair_correlation) == ("en-hi", pytest.approx(-1))
    assert "en (top-10 overlap 1.000, rank correlation 0.7714, least in en-hi: -1.0000)" in english.describe()


def test_not_a_number_is_the_worst() -> None:
    theirs = answers([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    ours = theirs.copy()
    ours[1] = np.nan
    worst = agreements(PARITY, ours, theirs, overlap=0.5, correlation=1.1)[0]
    assert not worst.passed
