"""Every rule of the verdict is reached, and its boundaries are where the documentation has them."""

from __future__ import annotations

import pytest

from interlingua_evaluation.languages.quality import LanguageQuality, Role, RoleFigures
from interlingua_evaluation.languages.verdict import verdict
from interlingua_evaluation.report.model import Figure
from interlingua_evaluation.significance.bootstrap import Interval

NOTHING = (-0.02, 0.02)
BETTER = (0.01, 0.05)
WORSE = (-0.05, -0.01)


def role(
    *,
    offsets: tuple[float, float] = NOTHING,
    reranking: tuple[float, float] | None = NOTHING,
    others: tuple[float, float] | None = NOTHING,
    width: float = 0.1,
    groups: int = 40,
) -> RoleFigures:
    """Figures whose intervals are as given; the means are in the middle."""

    def middle(interval: tuple[float, float]) -> Interval:
        return Interval(sum(interval) / 2, *interval)

    figure = Figure(0.5, 0.5 - width / 2, 0.5 + width / 2, groups, groups)
    gains = {"offsets": middle(offsets)} | ({} if reranking is None else {"reranking": middle(reranking)})
    names = ("dense", "dense+offsets", "dense+offsets+rerank@20")[: len(gains) + 1]
    return RoleFigures(dict.fromkeys(names, figure), gains, others and middle(others))


def judged(mixed: RoleFigures | None, sought: RoleFigures | None, exposure: float | None = 1.0) -> LanguageQuality:
    """`exposure` is the upper end of its interval in the last system; before, it was far below."""
    roles: dict[Role, RoleFigures] = {"across": role(offsets=BETTER, others=(-0.9, -0.8)), "same": role()}
    roles |= {"mixed": mixed} if mixed else {}
    roles |= {"sought": sought} if sought else {}
    shown = {} if exposure is None else {"dense": Interval(0.1, 0.0, 0.2), "last": Interval(exposure, 0.0, exposure)}
    return LanguageQuality(40, 40, roles, {}, shown)


FINE = role()

CASES = {
    "nothing is real": (judged(FINE, FINE), "fine"),
    "other roles decide nothing": (judged(FINE, FINE, None), "fine"),
    "no other language to compare with": (judged(role(others=None), None), "fine"),
    "offsets help its queries": (judged(role(offsets=BETTER), FINE), "offsets"),
    "offsets help its documents": (judged(FINE, role(offsets=BETTER)), "offsets"),
    "offsets touch 0": (judged(role(offsets=(0.0, 0.1)), FINE), "fine"),
    "without a reranker": (judged(role(offsets=BETTER, reranking=None), role(reranking=None)), "offsets"),
    "reranking alone": (judged(FINE, role(reranking=BETTER)), "rerank"),
    "reranking on top of offsets": (judged(role(offsets=BETTER, reranking=BETTER), FINE), "rerank"),
    "reranking touches 0": (judged(role(offsets=BETTER, reranking=(0.0, 0.1)), FINE), "offsets"),
    "offsets help one and harm the other": (judged(role(offsets=BETTER), role(offsets=WORSE)), "look closer"),
    "reranking harms": (judged(role(offsets=BETTER), role(reranking=WORSE)), "look closer"),
    "harm that touches 0": (judged(role(reranking=(-0.1, 0.0)), FINE), "fine"),
    "far below the others": (judged(role(others=(-0.2, -0.051)), FINE), "look closer"),
    "just not far enough": (judged(role(others=(-0.2, -0.05)), FINE), "fine"),
    "its documents are far below": (judged(FINE, role(others=(-0.2, -0.1))), "look closer"),
    "far below although reranking helps": (judged(role(reranking=BETTER, others=(-0.2, -0.1)), FINE), "look closer"),
    "above the others": (judged(role(others=(0.1, 0.3)), FINE), "fine"),
    "rarely shown": (judged(FINE, FINE, 0.49), "look closer"),
    "shown half as often": (judged(FINE, FINE, 0.5), "fine"),
    "19 groups": (judged(role(groups=19), FINE), "too little data"),
    "20 groups": (judged(role(groups=20), FINE), "fine"),
    "19 groups seek its documents": (judged(FINE, role(groups=19)), "too little data"),
    "a wide interval": (judged(role(width=0.31), FINE), "too little data"),
    "an interval just narrow enough": (judged(role(width=0.29), FINE), "fine"),
    "few groups hide that it is far below": (judged(role(groups=5, others=(-0.2, -0.1)), FINE), "too little data"),
    "nobody asks in it": (judged(None, role(offsets=BETTER)), "offsets"),
    "nobody seeks its documents": (judged(role(reranking=BETTER), None), "rerank"),
    "neither": (judged(None, None), "too little data"),
    "no judgments": (None, "too little data"),
}


@pytest.mark.parametrize(("quality", "name"), CASES.values(), ids=CASES.keys())
def test_the_rules(quality: LanguageQuality | None, name: str) -> None:
    found = verdict("el", quality)
    assert found.name == name
    assert found.reason.endswith(".")


REASONS = {
    "no judgments": (None, ["there are no judgments", "interlingua evaluate", "interlingua monitor"]),
    "groups": (judged(role(groups=7), FINE), ["queries in el over the mixed pool are judged in 7 groups", "20"]),
    "width": (judged(FINE, role(width=0.4)), ["documents in el sought from other languages", "0.500 (0.300 to 0.700)"]),
    "below": (judged(role(others=(-0.2, -0.1)), FINE), ["nDCG@10 0.500, 0.150 (0.100 to 0.200) less than other"]),
    "exposure": (judged(FINE, FINE, 0.4), ["0.40 (0.00 to 0.40) times as often"]),
    "harm": (
        judged(FINE, role(reranking=WORSE)),
        ["reranking changes nDCG@10 of documents", "-0.030 (-0.050 to -0.010)"],
    ),
    "both help": (
        judged(role(offsets=BETTER, reranking=BETTER), role(offsets=BETTER)),
        [
            "offsets raise nDCG@10 of queries in el over the mixed pool by 0.030 (0.010 to 0.050) and of documents in",
            "reranking raises nDCG@10 of queries in el over the mixed pool by",
        ],
    ),
    "one helps": (judged(role(offsets=BETTER), FINE), ["reranking changes nothing really"]),
    "fine": (judged(FINE, FINE), ["as it is", "offsets and reranking change nothing really"]),
    "unasked": (judged(None, FINE), ["nobody asks in el here"]),
    "unsought": (judged(FINE, None), ["no query in another language has an answer in el"]),
}


@pytest.mark.parametrize(("quality", "parts"), REASONS.values(), ids=REASONS.keys())
def test_the_reason_has_the_figures_that_decided(quality: LanguageQuality | None, parts: list[str]) -> None:
    reason = verdict("el", quality).reason
    assert [part for part in parts if part not in reason] == []
