"""A LanguagePlan for a terminal: texts and costs, retrieval and verdict, how to read them, and a sentence a language.

LanguagePlan --> Grid, Grid, Line ... --> a console, 120 columns wide
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from interlingua.display.figures import ABSENT, number
from interlingua.display.grid import Cell, Grid, Line, row
from interlingua_evaluation.languages.judged_systems import RERANKED
from interlingua_evaluation.measures.gains import DEFAULT, FORMULAS
from interlingua_evaluation.measures.relevance import CUTOFF, NDCG

if TYPE_CHECKING:
    from interlingua.display.figures import Estimate
    from interlingua.display.terminal import Part
    from interlingua_evaluation.languages.exposure import OwnShare
    from interlingua_evaluation.languages.plan import LanguagePlan, LanguageRow
    from interlingua_evaluation.languages.quality import LanguageQuality, Role
    from interlingua_evaluation.languages.text_figures import TextFigures
    from interlingua_evaluation.languages.verdict import Verdict
    from interlingua_evaluation.significance.bootstrap import Interval

_ROLES: dict[Role, str] = {
    "mixed": "queries in it,\nmixed pool",
    "across": "queries in it,\nin others",
    "sought": "documents in it,\nfrom others",
}


def parts(plan: LanguagePlan) -> Iterator[Part]:
    """What is printed, piece by piece."""
    yield Line(_summary(plan), "strong")
    for note in plan.notes:
        yield Line(f"note: {note}", "warning")
    yield _texts(plan)
    if plan.systems:
        yield _retrieval(plan)
    for term, meaning in _legend(plan):
        yield Line(f"{term}: {meaning}", "faint")
    yield Line()
    for found, languages in _by_verdict(plan).items():
        yield Line(found.reason, head=f"{', '.join(languages)}: {found.name}: ")


def _by_verdict(plan: LanguagePlan) -> dict[Verdict, list[str]]:
    """Without judgments all languages have the same."""
    found: dict[Verdict, list[str]] = {}
    for language in plan.languages:
        found.setdefault(language.verdict, []).append(language.language)
    return found


def _summary(plan: LanguagePlan) -> str:
    judged = ", without judgments" if plan.half is None else f", {plan.half} half" if plan.half else ""
    reranker = plan.reranker.model_id if plan.reranker else "no reranker"
    return f"{plan.source}{judged}: {len(plan.languages)} languages, {plan.embedder.model_id}, {reranker}"


def _texts(plan: LanguagePlan) -> Grid:
    header = (
        "",
        "documents",
        "tokens\na word",
        "against\nEnglish",
        "documents\ncut off",
        "text\ncut off",
        "tokens a\ndocument",
        "embedding\ncost",
        "tokens\na pair",
        "reranking\ncost",
    )
    rows = tuple(row(language.language, *_text_cells(language.texts)) for language in plan.languages)
    return Grid(f"Texts and what they cost (tokens of {plan.embedder.model_id})", header, rows)


def _text_cells(texts: TextFigures | None) -> Iterator[str]:
    if texts is None:
        yield from ("0", *[ABSENT] * 8)
        return
    yield str(texts.documents)
    yield _fertility(texts)
    yield _against_english(texts)
    yield f"{texts.truncated_share:.1%}"
    yield f"{texts.unread_share:.1%}"
    yield number(texts.mean_tokens, 1)
    yield number(texts.embedding_cost, 2)
    yield number(texts.pair_tokens, 1)
    yield number(texts.reranking_cost, 2)


def _fertility(texts: TextFigures) -> str:
    per = " /char" if texts.unit == "character" else ""
    return number(texts.tokens_per_unit, 2) + per


def _against_english(texts: TextFigures) -> str:
    against = texts.against_english
    if against is None:
        return ABSENT
    return ("~" if against.basis == "words" else "") + number(against.ratio, 2)


def _retrieval(plan: LanguagePlan) -> Grid:
    header = (
        "",
        "queries\n(groups)",
        *_ROLES.values(),
        f"own in first {CUTOFF}\n(relevant)",
        "shown /\nright",
        "verdict",
    )
    rows = tuple(
        row(language.language, *_quality_cells(language.quality), _verdict_cell(language))
        for language in plan.languages
    )
    return Grid(f"{NDCG}: {', '.join(_switched_on(plan))}; below it the last one's 95% interval", header, rows)


def _quality_cells(quality: LanguageQuality | None) -> Iterator[Cell]:
    if quality is None:
        yield from [Cell(ABSENT)] * (len(_ROLES) + 3)
        return
    yield Cell(str(quality.queries), f"({quality.groups})")
    for role in _ROLES:
        yield _role_cell(quality, role)
    yield _own_cell(list(quality.own_share.values()))
    yield _exposure_cell(list(quality.exposure.values()))


def _own_cell(shares: Sequence[OwnShare]) -> Cell:
    if not shares:
        return Cell(ABSENT)
    return Cell(" ".join(f"{share.first.mean:.0%}" for share in shares), f"({shares[-1].relevant:.0%})")


def _exposure_cell(exposures: Sequence[Interval]) -> Cell:
    if not exposures:
        return Cell(ABSENT)
    return Cell(" ".join(number(exposure.mean, 2) for exposure in exposures), _interval(exposures[-1]))


def _role_cell(quality: LanguageQuality, role: Role) -> Cell:
    figures = quality.roles.get(role)
    if figures is None:
        return Cell(ABSENT)
    means = " ".join(number(figure.mean, 2) for figure in figures.systems.values())
    return Cell(means, _interval(figures.last))


def _interval(estimate: Estimate) -> str:
    return f"{number(estimate.low, 2)}-{number(estimate.high, 2)}"


def _verdict_cell(language: LanguageRow) -> Cell:
    return Cell(language.verdict.name, strong=language.verdict.name in ("look closer", "too little data"))


def _switched_on(plan: LanguagePlan) -> list[str]:
    names = ["as it is", "with offsets", "and reranked"]
    return names if RERANKED in plan.systems else names[:2]


def _legend(plan: LanguagePlan) -> Iterator[tuple[str, str]]:
    """What the columns mean."""
    english = plan.english or "English, of which there is none here"
    yield "tokens a word", "/char where a script has no spaces between words"
    yield "against English", "tokens of the same content, by translations (~ by words, where there are too few)"
    yield "cut off", f"what the network does not read, beyond {plan.embedder.max_tokens} tokens"
    yield "embedding cost", f"tokens computed for a document, against {english}"
    yield "reranking cost", f"tokens computed for a query with one candidate, against {english}"
    if plan.systems:
        limits = plan.limits
        yield f"own in first {CUTOFF}", "share of documents in the query's own language (among the relevant)"
        yield "shown / right", "a language's share of all first tens over its share of what is relevant"
        yield NDCG, f"{FORMULAS[DEFAULT]}, discount log2(rank + 1)"
        yield "verdict", "by queries over the mixed pool, and by documents sought from other languages"
        yield "too little data", f"fewer than {limits.fewest_groups} groups, or an interval wider than {limits.widest}"
        yield (
            "look closer",
            f"more than {limits.far_below} below the others, or shown / right below {limits.rarely_shown}, each with "
            "the whole interval; or really made worse by a step",
        )
