"""What serving can do about the language gap, each on held-out pages.

development half's pages --> offsets of several kinds, from 1 to all documents --> test half: nDCG@10, own share
offsets as served --> calibration, quota, balance, alone and with reranking    --> test half
the same, with every page in one language only (drawn)                         --> what a collection without
                                                                                   translations gains or loses
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from interlingua_evaluation.gap.offset_variants import KINDS, Kind, SampledVectors
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.systems.candidate_lists import CandidateLists, candidate_lists

if TYPE_CHECKING:
    from interlingua_client.index.language_offsets import LanguageOffsets
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.report.model import Figure
    from interlingua_evaluation.systems.dense_vectors import DenseVectors

NUMBERS = (1, 2, 3, 5, 10, 20, 50, 100)
SEEDS = (1, 2, 3)


class GapRow(NamedTuple):
    """A line of a table.

    Attributes:
        same, across, mixed: nDCG@10.
        own_share: of the first ten of the mixed pool.
    """

    name: str
    same: Figure | None
    across: Figure | None
    mixed: Figure | None
    own_share: Figure | None


@dataclass(frozen=True)
class GapStudy:
    """One dataset, and the vectors that its offsets may be learned from.

    Attributes:
        learned: of the pages that are not asked about.
    """

    dataset: Dataset
    vectors: DenseVectors
    learned: SampledVectors
    half: Half

    def kinds(self) -> Iterator[GapRow]:
        """Kinds of offsets, each from all documents that may be learned from."""
        yield self._row("none", None)
        for kind, name in KINDS.items():
            yield self._row(name, self.learned.offsets(kind))
        yield self._row("as indexed: from all documents, stand-ins as queries", self.vectors.offsets)

    def numbers(self) -> Iterator[tuple[int, GapRow]]:
        """From n documents a language, each the mean of three draws."""
        for number in NUMBERS:
            for kind in ("separate", "unshrunken"):
                yield number, self._drawn(KINDS[kind], lambda seed, n=number, k=kind: self._few(n, k, seed))  # type: ignore[misc]

    def scarce(self, language: str) -> Iterator[tuple[int, GapRow]]:
        """One language from n documents, the others from all; the figures are that language's queries alone."""
        for number in NUMBERS:
            for kind in ("separate", "unshrunken"):
                name = f"{KINDS[kind]}"
                yield (
                    number,
                    self._drawn(
                        name,
                        lambda seed, n=number, k=kind: self.learned.first({language: n}, seed).offsets(k),  # type: ignore[misc]
                        language,
                    ),
                )

    def _few(self, number: int, kind: Kind, seed: int) -> LanguageOffsets:
        numbers = dict.fromkeys(np.unique(self.learned.languages).tolist(), number)
        return self.learned.first(numbers, seed).offsets(kind)

    def _drawn(self, name: str, draw: Callable[[int], LanguageOffsets], language: str | None = None) -> GapRow:
        rows = [self._row(name, draw(seed), language) for seed in SEEDS]
        return GapRow(name, *(mean_figure([row[place] for row in rows]) for place in range(1, 5)))  # type: ignore[misc]

    def _row(self, name: str, offsets: LanguageOffsets | None, language: str | None = None) -> GapRow:
        vectors = self.vectors if offsets is None else replace(self.vectors, offsets=offsets)
        stage = vectors.searched(self.dataset, use_offsets=offsets is not None)
        return row_of(name, candidate_lists(self.dataset, stage), self.half, language)


def row_of(name: str, lists: CandidateLists, half: Half, language: str | None = None) -> GapRow:
    """The figures of some lists; of one query language, or of all."""
    judge = Judge(lists)
    asked = np.array([pair.asked for pair in lists.pairs])
    chosen = lists.of_half(half) & ((asked == language) | (language is None))
    averager = Averager(lists, chosen)
    ndcg = averager.breakdown(judge.ndcg(lists.documents))
    return GapRow(name, ndcg.same, ndcg.across, ndcg.mixed, averager.mixed(judge.own_share(lists.documents)))


def mean_figure(figures: Sequence[Figure | None]) -> Figure | None:
    """The figure of several draws: mean and interval limits averaged."""
    there = [figure for figure in figures if figure is not None]
    if not there:
        return None
    first = there[0]
    means = [float(np.mean([getattr(figure, name) for figure in there])) for name in ("mean", "low", "high")]
    return replace(first, mean=means[0], low=means[1], high=means[2])
