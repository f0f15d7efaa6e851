"""One evaluation, in the order in which it is done.

Dataset --checked--> findings
        --systems, through the live server and its caches--> SystemRun ...
        --judged, compared--> Report, values of every list, TREC runs
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from interlingua.base.errors import InputError
from interlingua.repository.service_tokens import ServiceTokens
from interlingua.served.service import EMBED_DOCUMENT
from interlingua_client.index.passages.passage_plan import DEFAULT_PLAN, PassagePlan
from interlingua_evaluation.datasets.dataset_check import check
from interlingua_evaluation.datasets.left_out import judged_only
from interlingua_evaluation.gap.modality_gap import modality_gap
from interlingua_evaluation.gap.projection import projections
from interlingua_evaluation.measures.gains import DEFAULT, Gains
from interlingua_evaluation.report.build import Findings, judge_runs
from interlingua_evaluation.report.model import (
    Configuration,
    DatasetFacts,
    Gap,
    LanguageCounts,
    ModelFacts,
    Report,
)
from interlingua_evaluation.serving import LiveServer
from interlingua_evaluation.significance.bootstrap import RESAMPLES, SEED
from interlingua_evaluation.systems.ann_recall import AnnRecall, ann_recall
from interlingua_evaluation.systems.dense_vectors import DenseVectors, dense_vectors
from interlingua_evaluation.systems.passage_search import PassageSearch, PassageSet
from interlingua_evaluation.systems.rerank.rerank_rate import pairs_per_second
from interlingua_evaluation.systems.rerank.scorer_choice import choose_scorer, stored_scorers
from interlingua_evaluation.systems.system_runs import LIST_DEPTH, SystemRun, SystemRuns

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua.served.service import ServiceSpec
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.systems.rerank.pair_scores import PairScorer
    from interlingua_evaluation.systems.rerank.scorer_choice import Through
    from interlingua_evaluation.systems.system_name import SystemName

QueryLanguage = Literal["detected", "given"]

_SOFTWARE = ("interlingua", "bm25s", "hnswlib", "ir-measures", "numpy", "tritonclient")
_PICTURED = 60  # documents a language


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What is evaluated, and how.

    Attributes:
        baseline: one of the systems.
        query_language: `detected`, as a search does that is not told, or `given` by the dataset.
        cost: measure how fast the rerank service reads.
        cache: folder of what was embedded and scored before.
        gains: of nDCG.
        plan: how systems with `passages` split documents.
    """

    systems: Sequence[SystemName]
    baseline: SystemName
    half: Half
    query_language: QueryLanguage
    cost: bool
    cache: Path
    gains: Gains = DEFAULT
    plan: PassagePlan = DEFAULT_PLAN


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Attributes:
        runs: for TREC files.
    """

    report: Report
    findings: Findings
    runs: Sequence[SystemRun]


def evaluate(
    dataset: Dataset,
    models: Published,
    settings: EvaluationSettings,
    server: str | None,
    through: Through,
    checkpoint: str | None,
) -> Evaluation:
    """Evaluate, with a server for as long as one is needed.

    Args:
        server: host:port of one that runs already; None to start one when it is needed.
        through, checkpoint: how the reranker's logits are had (scorer_choice.py).

    Raises:
        InputError: a system needs what is not published, or the server has other models.
        ServerError: a server is needed, and cannot be reached.
    """
    with LiveServer(models, server) as live:
        pairs = any(name.depth is not None and not name.form for name in settings.systems)
        scorer = choose_scorer(models, live, settings.cache, through, checkpoint) if pairs else None
        forms = dict.fromkeys(name.form for name in settings.systems if name.form)
        stored = stored_scorers(models, live, settings.cache, forms)
        return Evaluator(
            dataset=dataset, models=models, live=live, scorer=scorer, stored=stored, settings=settings
        ).run()


@dataclass(kw_only=True)
class Evaluator:
    """Everything that an evaluation works with.

    Attributes:
        scorer, stored: the reranker, by pairs and by stored token vectors (system_runs.py).
    """

    dataset: Dataset
    models: Published
    live: LiveServer
    scorer: PairScorer | None
    stored: Mapping[str, PairScorer]
    settings: EvaluationSettings

    def run(self) -> Evaluation:
        """Runs the evaluation.

        Raises:
            InputError: a system needs what is not published, or no query is of the half.
            ServerError: a server is needed, and cannot be reached.
        """
        if not any(query.half == self.settings.half for query in self.dataset.queries):
            raise InputError(f"{self.dataset.name} is not split: it has no {self.settings.half} half, leave --half out")
        began = time.monotonic()
        systems = SystemRuns(
            dataset=self.searched,
            vectors=lambda: self.vectors,
            asked_in=self.asked_in,
            scorer=self.scorer,
            stored=self.stored,
            by_passages=PassageSearch(self._split, self._embedded),
        )
        runs = systems.of(self.settings.systems)
        stages = {str(run.name): systems.first_stage(run.name) for run in runs}
        rate = self._rate()
        findings = judge_runs(runs, stages, self.settings.half, str(self.settings.baseline), rate, self.settings.gains)
        gap, ann = self._space()
        report = Report(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=time.monotonic() - began,
            dataset=self._facts(),
            configuration=self._configuration(rate),
            baseline=str(self.settings.baseline),
            best=findings.best,
            systems=findings.systems,
            comparisons=findings.comparisons,
            gap=gap,
            ann=ann,
            worst=findings.worst,
            advice=findings.advice,
        )
        return Evaluation(report, findings, runs)

    @cached_property
    def searched(self) -> Dataset:
        """The dataset without the queries that are in no figure. Raises InputError: none has an answer."""
        return judged_only(self.dataset)

    @cached_property
    def vectors(self) -> DenseVectors:
        """The vectors of all that is searched, from the cache or the server."""
        return dense_vectors(self.searched, self.settings.cache, self.live.embedding())

    def _split(self) -> PassageSet:
        tokens = ServiceTokens.of(self.models.required("embedder"), EMBED_DOCUMENT)
        plan = self.settings.plan.checked().within(tokens.spec.max_tokens)
        return PassageSet.of(self.searched, plan, lambda texts: tokens.lengths(texts).tolist())

    def _embedded(self, dataset: Dataset) -> DenseVectors:
        return dense_vectors(dataset, self.settings.cache, self.live.embedding())

    @cached_property
    def asked_in(self) -> list[str | None]:
        """Every judged query's language, as the search knows it."""
        if self.settings.query_language == "given":
            return [query.language for query in self.searched.queries]
        from interlingua_client.search.query_language import LanguageDetector

        detector = LanguageDetector(self.dataset.languages)
        return [detector.detect(query.text).tag for query in self.searched.queries]

    def _rate(self) -> float | None:
        if not self.settings.cost or self.scorer is None:
            return None
        return pairs_per_second(self.live.client(), self.searched)

    def _space(self) -> tuple[Gap | None, tuple[AnnRecall, ...]]:
        if not any(name.needs_vectors for name in self.settings.systems):
            return None, ()
        documents = self.dataset.documents
        spaces = [
            self.vectors.searched(self.searched, use_offsets=use, asked_in=self.asked_in) for use in (False, True)
        ]
        languages, groups = [document.language for document in documents], [document.group for document in documents]
        before, after = (modality_gap(space.documents, languages, groups) for space in spaces)
        picture = projections(documents, spaces[0].documents, spaces[1].documents, _PICTURED)
        return Gap(before, after, picture), ann_recall(spaces[1].documents, spaces[1].queries)

    def _facts(self) -> DatasetFacts:
        dataset, half = self.dataset, self.settings.half
        queries = [query for query in dataset.queries if query.half == half]
        judged = [query for query in queries if dataset.qrels.get(query.id)]
        return DatasetFacts(
            name=dataset.name,
            digest=dataset.digest,
            half=half,
            split=dataset.is_split,
            documents=len(dataset.documents),
            queries=len(queries),
            groups=len({query.group for query in judged}),
            queries_by_kind=Counter(query.kind for query in queries),
            unjudged=len(queries) - len(judged),
            languages=tuple(map(self._counts, dict.fromkeys((*dataset.languages, *(q.language for q in queries))))),
            facts=dataset.facts,
            findings=check(dataset),
        )

    def _counts(self, language: str) -> LanguageCounts:
        half = self.settings.half
        asked = [
            found
            for query, found in zip(self.searched.queries, self.asked_in, strict=True)
            if query.language == language and query.half == half
        ]
        queries = sum(query.language == language and query.half == half for query in self.dataset.queries)
        documents = sum(document.language == language for document in self.dataset.documents)
        is_given = self.settings.query_language == "given" or not asked
        detected = None if is_given else sum(found == language for found in asked) / len(asked)
        return LanguageCounts(language, documents, queries, detected)

    def _configuration(self, rate: float | None) -> Configuration:
        scorers = [*([self.scorer] if self.scorer else []), *self.stored.values()]
        embeds = any(name.needs_vectors for name in self.settings.systems)
        return Configuration(
            embedder=_model(self.models.embedder, "through the embedding services") if embeds else None,
            reranker=_model(self.models.reranker, "; ".join(scorer.how for scorer in scorers)) if scorers else None,
            query_language=self.settings.query_language,
            list_depth=LIST_DEPTH,
            resamples=RESAMPLES,
            seed=SEED,
            rerank_pairs_per_second=rate,
            gains=self.settings.gains,
            software={name: metadata.version(name) for name in _SOFTWARE},
        )


def _model(spec: ServiceSpec | None, how: str) -> ModelFacts | None:
    return None if spec is None else ModelFacts(spec.model_id, spec.revision, spec.precision, spec.digest, how)
