"""A report written by hand, of any number of languages and systems, with everything in it that is awkward to show.

A pair without lists, a pair without a number, kinds of query without some averages, texts that are HTML, a text that
runs from right to left, names that look like markup of the terminal.
"""

from __future__ import annotations

import math
from dataclasses import replace

from interlingua_evaluation.datasets.finding import DatasetFinding
from interlingua_evaluation.gap.modality_gap import GapOfPair, ModalityGap
from interlingua_evaluation.gap.projection import DrawnDocument, Projection, Projections
from interlingua_evaluation.report.model import (
    BiasFigures,
    Breakdown,
    Comparison,
    Configuration,
    DatasetFacts,
    Detectable,
    Figure,
    Gap,
    LanguageCounts,
    ListCounts,
    MeasureFigures,
    ModelFacts,
    Report,
    RerankFigures,
    Shown,
    SystemFigures,
    WorstQueries,
    WorstQuery,
)
from interlingua_evaluation.systems.ann_recall import AnnRecall
from interlingua_evaluation.systems.candidate_lists import MIXED, Pair

LANGUAGES = ("en", "de", "ar")
SYSTEMS = ("dense", "dense+offsets", "dense+offsets+rerank@20", "dense+offsets+rerank@50", "bm25")
BASELINE, BEST = "dense", "dense+offsets+rerank@50"
ATTACK = "<script>alert('x')</script> & \"quoted\""
ARABIC = "كيف أطبع؟"
MARKUP = "[bold]not bold[/bold]"
MEASURES = ("nDCG@10", "recall@100", "MRR")


def figure(mean: float, half: float = 0.04, groups: int = 12) -> Figure:
    """A figure whose interval reaches `half` to both sides."""
    return Figure(mean, mean - half, mean + half, groups, groups)


def pair_mean(system: int, asked: int, pool: int, measure: int = 0) -> float:
    """What the sample says of a pair: every pair and system has a number of its own."""
    return 0.3 + 0.1 * system + 0.1 * measure - 0.013 * asked - 0.0041 * pool


def sample_report(
    languages: tuple[str, ...] = LANGUAGES, systems: tuple[str, ...] = SYSTEMS, points: int = 4
) -> Report:
    """The report; the second language's pair with the first has no lists, with the last no number."""
    return Report(
        created="2026-01-02T03:04:05Z",
        seconds=41.2,
        dataset=_dataset(languages),
        configuration=_configuration(),
        baseline=BASELINE,
        best=BEST,
        systems=tuple(_system(number, name, languages) for number, name in enumerate(systems)),
        comparisons=tuple(
            _comparison(number, name, languages) for number, name in enumerate(systems) if name != BASELINE
        ),
        gap=_gap(languages, points),
        ann=(
            AnnRecall(ef_search=16, k=10, recall=0.9512, worst=0.7, unreached=0, p50_us=31.4),
            AnnRecall(ef_search=64, k=10, recall=0.9987, worst=0.9, unreached=1, p50_us=77.7),
        ),
        worst=_worst(),
        advice=("Switch the offsets on.", ATTACK),
    )


def bare_report() -> Report:
    """One system, one language, and nothing that an evaluation can lack."""
    report = sample_report(("en",), ("dense",))
    figures = MeasureFigures(Breakdown(figure(0.5), None, None), {}, {Pair("en", "en"): figure(0.5)})
    system = replace(report.systems[0], bias=None, rerank=None, measures=dict.fromkeys(MEASURES, figures))
    return replace(
        report,
        dataset=replace(report.dataset, findings=(), queries_by_kind={"plain": 12}),
        configuration=replace(report.configuration, embedder=None, reranker=None, rerank_pairs_per_second=None),
        systems=(system,),
        best=BASELINE,
        comparisons=(),
        gap=None,
        ann=(),
        worst=None,
        advice=(),
    )


def _measure(system: int, languages: tuple[str, ...], measure: int, shift: float = 0.0) -> MeasureFigures:
    pools = (*languages, MIXED)
    pairs = {
        Pair(asked, pool): figure(pair_mean(system, row, column, measure) + shift)
        for row, asked in enumerate(languages)
        for column, pool in enumerate(pools)
    }
    if len(languages) > 2:
        del pairs[Pair(languages[1], languages[0])]
        pairs[Pair(languages[1], languages[-1])] = Figure(math.nan, math.nan, math.nan, 0, 0)
    same, across, mixed = (figure(0.2 + 0.1 * system + 0.05 * sort + 0.01 * measure + shift) for sort in range(3))
    kinds = {"plain": Breakdown(same, across, mixed), "jargon": Breakdown(None, figure(0.111), None)}
    return MeasureFigures(Breakdown(same, across, mixed), kinds, pairs)


def _system(number: int, name: str, languages: tuple[str, ...]) -> SystemFigures:
    depth = int(name.rpartition("@")[2]) if "rerank" in name else None
    whole = Breakdown(figure(0.91), figure(0.82), figure(0.73))
    rerank = depth and RerankFigures(
        depth=depth,
        weight=0.8,
        ceiling=whole,
        best_ndcg=whole,
        rescued=Breakdown(None, None, figure(0.25)),
        rescuable=17,
        pairs_per_query=depth - 0.5,
        seconds_per_query=depth / 40,
    )
    return SystemFigures(
        name=name,
        measures={measure: _measure(number, languages, place) for place, measure in enumerate(MEASURES)},
        bias=None if name == "bm25" else _bias(languages),
        rerank=rerank or None,
        counts=ListCounts(lists=144, empty=3, tied=5, not_a_number=7, not_reranked=9),
    )


def _bias(languages: tuple[str, ...]) -> BiasFigures:
    shares = {language: 0.1 + 0.02 * place for place, language in enumerate(languages)}
    return BiasFigures(
        own_share=figure(0.612),
        own_share_by_language={language: figure(0.5 + value) for language, value in shares.items()},
        relevant_own_share=0.333,
        first_share_by_language={**shares, languages[-1]: math.nan},
        relevant_share_by_language=dict.fromkeys(languages, 0.2),
        preference_rate=figure(0.456),
        lang_ndcg=Figure(math.nan, math.nan, math.nan, 0, 0),
        equal_rank=None,
        undefined={"LPR": 0, "PEER": 4},
    )


def _comparison(system: int, name: str, languages: tuple[str, ...]) -> Comparison:
    zero = _measure(0, languages, 0, shift=-0.3)
    better, worse = Pair(languages[0], languages[0]), Pair(languages[0], MIXED)
    pairs = {**zero.pairs, better: figure(0.1 * system + 0.05), worse: figure(-0.0777)}
    breakdown = Breakdown(figure(0.1 * system + 0.05), figure(0.0123), None)
    return Comparison(
        system=name,
        baseline=BASELINE,
        differences={
            "nDCG@10": MeasureFigures(breakdown, {}, pairs),
            "MRR": MeasureFigures(breakdown, {}, {}),
        },
        better=(better,),
        worse=(worse,),
        undecided=(Pair(languages[-1], languages[0]),),
        detectable={
            "same": Detectable(0.0345, {0.01: 1191, 0.05: 0}),
            "across": Detectable(0.0567, {0.01: 7, 0.05: 8}),
        },
        warnings=(f"across: the difference of {name} may be chance",),
    )


def _gap(languages: tuple[str, ...], points: int) -> Gap:
    pairs = tuple(
        GapOfPair(
            languages=(one, other),
            translation=0.871,
            random=math.nan,
            separation=0.951,
            centroid_distance=0.321,
            pairs=12,
        )
        for place, one in enumerate(languages)
        for other in languages[place + 1 :]
    )
    drawn = tuple(
        DrawnDocument(f"page-{number}.{language}", language, 0.1 * place + 0.001 * number, -0.05 * number)
        for place, language in enumerate(languages)
        for number in range(points)
    )
    picture = Projection(drawn, (0.31, 0.12))
    return Gap(ModalityGap(pairs, 1), ModalityGap(pairs[1:], 1), Projections(picture, picture))


def _worst() -> WorstQueries:
    came = (Shown(1, "a.en", "en", 0, ATTACK), Shown(2, "b.ar", "ar", 2, ARABIC))
    wanted = (Shown(None, "c.de", "de", 2, "Drucken"),)
    return WorstQueries(
        BEST,
        (
            WorstQuery(
                id="q1", language="ar", kind="plain", text=ARABIC, pool=MIXED, ndcg=0.0, came=came, wanted=wanted
            ),
            WorstQuery(
                id="q2", language="en", kind="plain", text=ATTACK, pool="de", ndcg=0.125, came=(), wanted=wanted
            ),
        ),
    )


def _dataset(languages: tuple[str, ...]) -> DatasetFacts:
    return DatasetFacts(
        name="sample",
        digest="d" * 64,
        half="test",
        documents=36,
        queries=48,
        groups=12,
        queries_by_kind={"plain": 36, "jargon": 12},
        unjudged=2,
        languages=tuple(
            LanguageCounts(language, 12, 12, None if place else 0.917) for place, language in enumerate(languages)
        ),
        facts={"source": MARKUP, "left_out": {"hi": 0.25}},
        findings=(DatasetFinding("empty-texts", "warning", 3, ("a.en", ATTACK), MARKUP),),
    )


def _configuration() -> Configuration:
    model = ModelFacts("org/embedder", "abc", "int8", "e" * 64, "through the server")
    return Configuration(
        embedder=model,
        reranker=model,
        query_language="detected",
        list_depth=100,
        resamples=10_000,
        seed=1,
        rerank_pairs_per_second=41.5,
        gains="linear",
        software={"numpy": "2.0"},
    )
