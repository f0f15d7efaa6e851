"""Everything that an evaluation says, as records: JSON, the page and the terminal's tables are made of these alone.

    Report
      DatasetFacts        what was searched, what the checker found
      SystemFigures ...   each system: measures by pair and by kind of query, language bias, reranking, what was counted
      Comparison ...      each system against the baseline: differences, what is real, how many queries it would take
      Gap                 distance of translations and of random pairs, and a picture of the space
      AnnFigures ...      what a graph search would lose
      WorstQuery ...      where the best system fails, and what came instead

An average is over language pairs, each of which counts the same; `Figure` says of how many lists and groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlingua.base.plain import plain, saved
from interlingua_evaluation.datasets.finding import DatasetFinding
from interlingua_evaluation.gap.modality_gap import ModalityGap
from interlingua_evaluation.gap.projection import Projections
from interlingua_evaluation.measures.gains import Gains  # noqa: TC001 (read again by its type)
from interlingua_evaluation.systems.ann_recall import AnnRecall
from interlingua_evaluation.systems.candidate_lists import Pair

FORMAT = 1
DECIMALS = 6


@dataclass(frozen=True)
class Figure:
    """An average with its 95% interval.

    Attributes:
        lists, groups: with a value; of a language pair, or summed over pairs.
    """

    mean: float
    low: float
    high: float
    lists: int
    groups: int


@dataclass(frozen=True)
class Breakdown:
    """Averages over the pairs of a kind; None where there is none.

    Attributes:
        same: query and documents in one language.
        across: in two.
        mixed: documents of all languages in one pool.
    """

    same: Figure | None
    across: Figure | None
    mixed: Figure | None


@saved
@dataclass(frozen=True)
class MeasureFigures:
    """One measure, or a difference in it.

    Attributes:
        all: over all queries.
        kinds: over the queries of one kind.
        pairs: over all queries of one ordered pair; the pool of a mixed one is `mixed`.
    """

    all: Breakdown
    kinds: Mapping[str, Breakdown]
    pairs: Mapping[Pair, Figure]


@dataclass(frozen=True, kw_only=True)
class BiasFigures:
    """What the mixed pool's first ten say about languages.

    Attributes:
        own_share: documents in the query's language, of the first ten.
        own_share_by_language: the same, by query language.
        relevant_own_share: their share among the relevant, which a neutral system would show.
        first_share_by_language: document language -> share of all first tens, and
        relevant_share_by_language: -> share among the relevant.
        preference_rate: LPR (arXiv 2605.07249).
        lang_ndcg: Lang-nDCG@10 (the same paper).
        equal_rank: PEER (arXiv 2405.00978).
        undefined: measure -> lists for which it is not defined.
    """

    own_share: Figure
    own_share_by_language: Mapping[str, Figure]
    relevant_own_share: float
    first_share_by_language: Mapping[str, float]
    relevant_share_by_language: Mapping[str, float]
    preference_rate: Figure | None
    lang_ndcg: Figure | None
    equal_rank: Figure | None
    undefined: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class RerankFigures:
    """What reranking could do and did.

    Attributes:
        depth: candidates that it saw.
        weight: its share in the score.
        ceiling: recall of the candidates, which no order of them can exceed.
        best_ndcg: nDCG@10 of the candidates in their best order.
        rescued: of the lists that had a relevant document within the first hundred and none within the first ten, the
            share that had one there after reranking.
        rescuable: lists that this is about.
        pairs_per_query: that the reranker reads in the mixed pool.
        seconds_per_query: these over the rate at which the service reads them; None where it was not measured.
    """

    depth: int
    weight: float
    ceiling: Breakdown
    best_ndcg: Breakdown
    rescued: Breakdown
    rescuable: int
    pairs_per_query: float
    seconds_per_query: float | None


@dataclass(frozen=True)
class ListCounts:
    """What an average would hide.

    Attributes:
        lists: that were judged.
        empty: with no document at all; they count as 0.
        tied: whose first ten depend on the order of equal scores (the earlier document comes first).
        not_a_number: lists with a document whose score was NaN; such documents are left out.
        not_reranked: lists that kept the first stage's order, since the reranker gave no number.
    """

    lists: int
    empty: int
    tied: int
    not_a_number: int
    not_reranked: int


@dataclass(frozen=True)
class SystemFigures:
    """One system.

    Attributes:
        name: as `--system` takes it.
        measures: nDCG@10, recall@100, MRR.
        rerank: None without a reranker.
    """

    name: str
    measures: Mapping[str, MeasureFigures]
    bias: BiasFigures | None
    rerank: RerankFigures | None
    counts: ListCounts


@dataclass(frozen=True)
class Detectable:
    """How much a comparison can see.

    Attributes:
        smallest: difference that as many groups as there are would show (80% power, 5% level).
        groups_for: difference -> groups that it takes.
    """

    smallest: float
    groups_for: Mapping[float, int]


@saved
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One system against the baseline, list by list.

    Attributes:
        differences: measure -> system minus baseline.
        better, worse: pairs whose nDCG@10 differs with its whole interval.
        undecided: pairs whose interval is wider than the difference.
        detectable: same, across, mixed -> what could be seen in nDCG@10.
        warnings: to be read before the differences are.
    """

    system: str
    baseline: str
    differences: Mapping[str, MeasureFigures]
    better: tuple[Pair, ...]
    worse: tuple[Pair, ...]
    undecided: tuple[Pair, ...]
    detectable: Mapping[str, Detectable]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A document in a list of what came.

    Attributes:
        rank: from 1; None for a relevant document that is not within the first hundred.
        grade: 0 where it is not relevant.
        text: its title, or its beginning.
    """

    rank: int | None
    id: str
    language: str
    grade: int
    text: str


@dataclass(frozen=True, kw_only=True)
class WorstQuery:
    """A query that the system answers badly.

    Attributes:
        pool: that was searched, a language or `mixed`.
        ndcg: of this list.
        came: the first few.
        wanted: relevant documents, the best first.
    """

    id: str
    language: str
    kind: str
    text: str
    pool: str
    ndcg: float
    came: tuple[Shown, ...]
    wanted: tuple[Shown, ...]


@dataclass(frozen=True)
class WorstQueries:
    """The worst queries of one system."""

    system: str
    queries: tuple[WorstQuery, ...]


@saved
@dataclass(frozen=True)
class Gap:
    """The modality gap, as the vectors are and with offsets removed."""

    before: ModalityGap
    after: ModalityGap
    picture: Projections


@dataclass(frozen=True)
class LanguageCounts:
    """One language of the dataset.

    Attributes:
        detected: share of its queries whose language was detected rightly; None where it was given.
    """

    language: str
    documents: int
    queries: int
    detected: float | None


@saved
@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What was evaluated.

    Attributes:
        half: whose queries were judged.
        split: the dataset has two halves; the only one there is has no name to be told.
        queries, groups: of that half, and by kind.
        unjudged: queries of it without any judgment: they are in no average.
        facts: the dataset's own.
    """

    name: str
    digest: str
    half: str
    documents: int
    queries: int
    groups: int
    queries_by_kind: Mapping[str, int]
    unjudged: int
    languages: tuple[LanguageCounts, ...]
    facts: Mapping[str, object]
    findings: tuple[DatasetFinding, ...]
    split: bool = True

    @property
    def named(self) -> str:
        """The dataset, and the half where there are two."""
        return f"{self.name}, {self.half} half" if self.split else self.name


@dataclass(frozen=True)
class ModelFacts:
    """A published model.

    Attributes:
        how: how its answers were had.
    """

    model_id: str
    revision: str
    precision: str
    digest: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What decides the figures.

    Attributes:
        query_language: `given` or `detected`.
        rerank_pairs_per_second: measured through the service; None where it was not.
        software: package -> version.
        gains: of nDCG; the default is what reports had that do not say it.
    """

    embedder: ModelFacts | None
    reranker: ModelFacts | None
    query_language: str
    list_depth: int
    resamples: int
    seed: int
    rerank_pairs_per_second: float | None
    software: Mapping[str, str]
    gains: Gains = "exponential"


@saved
@dataclass(frozen=True, kw_only=True)
class Report:
    """An evaluation.

    Attributes:
        created: UTC, ISO 8601.
        seconds: that it took.
        baseline: the system that the others are compared with.
        best: the system with the highest nDCG@10, averaged over same, across and mixed.
        advice: what to switch on, and what to look at.
    """

    created: str
    seconds: float
    dataset: DatasetFacts
    configuration: Configuration
    baseline: str
    best: str
    systems: tuple[SystemFigures, ...]
    comparisons: tuple[Comparison, ...]
    gap: Gap | None
    ann: tuple[AnnRecall, ...]
    worst: WorstQueries | None
    advice: tuple[str, ...]

    def system(self, name: str) -> SystemFigures:
        """The figures of one system; raises StopIteration for others."""
        return next(system for system in self.systems if system.name == name)

    def comparison(self, system: str) -> Comparison | None:
        """One system's comparison with the baseline; None for the baseline itself."""
        return next((comparison for comparison in self.comparisons if comparison.system == system), None)

    def to_json(self) -> dict[str, Any]:
        """The report as report.json holds it."""
        return {"format": FORMAT, **plain(self, DECIMALS)}
