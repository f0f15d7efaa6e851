"""What offsets do where languages write about different things.

Collection's half --skewed by 0 to 1, so many topics--> documents --four ways to offsets--> nDCG@10 across, mixed pool

The ways: none; the documents' own means alone; the model's language vectors alone; the own means drawn towards the
model's, which is what an index does where its model was published with language vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_client.index.language_offsets import LanguageMeans, LanguageOffsets
from interlingua_client.index.model_target import SUBJECT, draw_offsets
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.systems.candidate_lists import MIXED, candidate_lists

if TYPE_CHECKING:
    from interlingua.served.language_vectors import LanguageVectors, RoleVectors
    from interlingua_client.index.language_offsets import VectorSum
    from interlingua_evaluation.gap.topic_skew import Collection, Part

SKEWS = (0.0, 0.25, 0.5, 0.75, 1.0)
SEEDS = (1, 2, 3)
NONE, OWN, MODEL, DRAWN = "none", "own means", "the model's", "drawn towards the model's"
WAYS = (NONE, OWN, MODEL, DRAWN)


class Means(NamedTuple):
    """nDCG@10 of one way, averaged over language pairs and draws; NaN where no pair has an answer."""

    across: float
    mixed: float


class SkewRow(NamedTuple):
    """One strength of skew and one size.

    Attributes:
        topics: None for all of the half.
        documents: of the drawn collections, on average.
        ways: by their names.
    """

    skew: float
    topics: int | None
    documents: float
    ways: Mapping[str, Means]

    @property
    def shortfall(self) -> Means:
        """How far what is served is below the better of none and own means; negative where it is above."""
        served = self.ways[DRAWN]
        better = [max(self.ways[NONE][at], self.ways[OWN][at]) for at in range(2)]
        return Means(better[0] - served.across, better[1] - served.mixed)


@dataclass(frozen=True)
class SkewStudy:
    """One collection and a model's language vectors, which were measured on something else."""

    collection: Collection
    model: LanguageVectors

    def rows(self, sizes: Sequence[int | None], skews: Sequence[float] = SKEWS) -> Iterator[SkewRow]:
        """Every size at every strength, means of several draws."""
        for topics in sizes:
            for skew in skews:
                parts = [self.collection.skewed(skew, topics, seed) for seed in SEEDS]
                found = [self._ways(part) for part in parts]
                ways = {way: Means(*np.mean([one[way] for one in found], axis=0).tolist()) for way in WAYS}
                documents = float(np.mean([len(part.dataset.documents) for part in parts]))
                yield SkewRow(skew, topics, documents, ways)

    def _ways(self, part: Part) -> dict[str, Means]:
        documents, queries = part.sample.sums()
        drawn = draw_offsets(documents, queries, self.model).offsets
        own = LanguageOffsets(LanguageMeans.estimate(documents), LanguageMeans.estimate(queries))
        model = LanguageOffsets(_alone(documents, self.model.documents), _alone(queries, self.model.queries))
        return {way: _figures(part, offsets) for way, offsets in zip(WAYS, (None, own, model, drawn), strict=True)}


def _alone(sums: Mapping[str, VectorSum], model: RoleVectors) -> LanguageMeans:
    """The model's offsets around what the documents are about, whatever their own means."""
    means = [value.total / value.number - model.from_overall.get(tag, 0.0) for tag, value in sums.items()]
    subject = (SUBJECT * np.mean(means, axis=0)).astype(np.float32)
    return LanguageMeans(subject, {tag: subject + offset for tag, offset in model.from_overall.items()})


def _figures(part: Part, offsets: LanguageOffsets | None) -> Means:
    vectors = part.vectors if offsets is None else replace(part.vectors, offsets=offsets)
    lists = candidate_lists(part.dataset, vectors.searched(part.dataset, use_offsets=offsets is not None), depth=10)
    values = Judge(lists).ndcg(lists.documents)
    by_pair: dict[tuple[str, str], list[float]] = {}
    for pair, value in zip(lists.pairs, values.tolist(), strict=True):
        by_pair.setdefault(pair, []).append(value)
    means = {pair: float(np.mean(found)) for pair, found in by_pair.items()}
    across = [mean for (asked, pool), mean in means.items() if pool not in (MIXED, asked)]
    mixed = [mean for (_, pool), mean in means.items() if pool == MIXED]
    return Means(float(np.mean(across)) if across else float("nan"), float(np.mean(mixed)))
