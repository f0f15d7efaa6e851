"""What changed since a baseline, test by test.

    baseline, current (LogColumns) -> language by language, and the mix of languages -> p values, effect sizes
                                   -> Benjamini-Hochberg over all of them -> Drift

One search is one observation in every test: of a search's hits, which resemble each other, the first stands for their
languages, and one share for how many are in the query's own. With enough searches any change is significant; so each
test has an effect size, and alerts.py wants both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.extras import require
from interlingua_evaluation.monitoring.drift_tests import (
    DriftTest,
    Untested,
    adjusted,
    languages_test,
    numbers_test,
    rate_test,
    too_few,
)
from interlingua_evaluation.monitoring.language_profile import ALL, MIN_SEARCHES, Rate, rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlingua_client.search.search_log import Setting
    from interlingua_evaluation.monitoring.log_columns import GroupColumns, LogColumns

_SCORE_KINDS = {"dense-score": "dense_score", "rerank-logit": "rerank_logit", "own-language": "own_share"}
_RATE_KINDS = {
    "errors": "errors",
    "empty": "empty",
    "low-confidence": "low_confidence",
    "truncated": "truncated",
    "degraded": "degraded",
    "unsure": "unsure",
}
_COMPARED_SCORES = ("dense-score", "rerank-logit", "low-confidence")
KINDS = (*_SCORE_KINDS, "hit-languages", "query-languages", *_RATE_KINDS)

_SHOWN = 12  # characters of a digest


@dataclass(frozen=True)
class Drift:
    """All comparisons.

    Attributes:
        notes: what makes the logs unlike each other as a whole.
    """

    tests: tuple[DriftTest, ...]
    untested: tuple[Untested, ...]
    notes: tuple[str, ...]


def require_scipy() -> None:
    """Raises InputError with the command that installs it."""
    require("evaluate", "scipy", used_for="comparing with a baseline")


def compare(baseline: LogColumns, current: LogColumns, low_scores: Mapping[str, float]) -> Drift:
    """Test everything that can be.

    Args:
        low_scores: thresholds by language, as find_low_scores has them.

    Raises:
        InputError: scipy is not installed.
    """
    require_scipy()
    skipped, notes = _unlike(baseline.settings, current.settings)
    made = list(_tests(baseline, current, low_scores, skipped))
    tests = [item for item in made if isinstance(item, DriftTest)]
    # Without a reason there was nothing to test: no reranker in either log, say.
    untested = [item for item in made if isinstance(item, Untested) and item.reason]
    return Drift(tuple(adjusted(tests)), tuple(untested), tuple(notes))


def _tests(
    baseline: LogColumns, current: LogColumns, low_scores: Mapping[str, float], skipped: Sequence[str]
) -> Iterator[DriftTest | Untested]:
    mixes = [Counter({name: group.searches for name, group in log.groups.items()}) for log in (baseline, current)]
    yield languages_test("query-languages", ALL, *mixes)
    yield rate_test("unsure", ALL, *(_unsure(log) for log in (baseline, current)))
    for language in dict.fromkeys([*current.groups, *baseline.groups]):
        before, after = baseline.groups.get(language), current.groups.get(language)
        if before is None or after is None or min(before.searches, after.searches) < MIN_SEARCHES:
            counts = (0 if before is None else before.searches, 0 if after is None else after.searches)
            yield Untested("all", language, too_few(*counts))
        else:
            yield from _language(language, before, after, low_scores.get(language), skipped)


def _language(
    language: str, before: GroupColumns, after: GroupColumns, low_score: float | None, skipped: Sequence[str]
) -> Iterator[DriftTest | Untested]:
    for kind, name in _SCORE_KINDS.items():
        if kind not in skipped:
            yield numbers_test(kind, language, before.score(name), after.score(name))
    yield languages_test("hit-languages", language, before.top_languages, after.top_languages)
    were, are = rates(before, low_score), rates(after, low_score)
    for kind, name in _RATE_KINDS.items():
        was, is_ = were[name], are[name]
        if kind not in (*skipped, "unsure") and was is not None and is_ is not None:
            yield rate_test(kind, language, was, is_)


def _unsure(log: LogColumns) -> Rate:
    groups = log.groups.values()
    return Rate(sum(group.sources["unsure"] for group in groups), sum(group.detections for group in groups))


def _unlike(before: Mapping[Setting, int], after: Mapping[Setting, int]) -> tuple[list[str], list[str]]:
    """Kinds of test that would compare what does not compare, and why."""
    if not scores_compare(before, after):
        note = (
            f"SCORES DO NOT COMPARE: the baseline's are of {_named(_spaces(before))}, now they are of "
            f"{_named(_spaces(after))}. Scores, logits and low confidence were not tested: log a baseline with what "
            "is served now"
        )
        return list(_COMPARED_SCORES), [note]
    rerankers = [{setting.reranker for setting in log if setting.reranker} for log in (before, after)]
    if rerankers[0] == rerankers[1] and len(rerankers[1]) <= 1:
        return [], []
    names = [", ".join(sorted(digest[:_SHOWN] for digest in found)) or "none" for found in rerankers]
    note = f"LOGITS DO NOT COMPARE, and were not tested: the baseline's reranker is {names[0]}, now it is {names[1]}"
    return ["rerank-logit"], [note]


def scores_compare(before: Mapping[Setting, int], after: Mapping[Setting, int]) -> bool:
    """Whether all cosines are of one embedder, with or without language offsets."""
    return len(_spaces(before) | _spaces(after)) == 1


def _spaces(settings: Mapping[Setting, int]) -> set[tuple[str, bool]]:
    return {(setting.embedder, setting.offsets) for setting in settings}


def _named(spaces: set[tuple[str, bool]]) -> str:
    return " and ".join(
        f"embedder {digest[:_SHOWN]} with language offsets {'on' if offsets else 'off'}"
        for digest, offsets in sorted(spaces)
    )
