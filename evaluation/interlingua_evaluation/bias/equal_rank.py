"""Whether relevant documents of all languages stand at the same ranks: PEER (Yang et al. 2024, arXiv 2405.00978).

    relevant documents of one list and one grade --ranks, by language--> Kruskal-Wallis H --> p, for that grade
    p of the grades --weighted mean--> PEER of the list, 0 (one language is put first) to 1 (no difference to be seen)

Documents that are not among the first X are tied just behind X, found or not, so none of them can pass one that was
found. H is corrected for ties (Kruskal and Wallis 1952); p is the upper tail of chi-square with one degree of freedom
less than there are languages. Where all documents of a grade are tied, p is 1.

A grade can say nothing where only one language has such documents, and none either where every language has exactly
one: then H is its number of languages less one in every order, and p a constant. Such grades are left out and the
weights of the others scaled up; a list without any other grade has no value. That is a departure from the paper, which
would average the constant in.

p depends on the number of documents: few of them rarely give a small p. Compare systems on the same lists, not lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua_evaluation.bias.chi_square import chi_square_tail
from interlingua_evaluation.systems.candidate_lists import DEPTH

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray
    from interlingua_evaluation.bias.relevant_documents import Flags, RelevantDocuments
    from interlingua_evaluation.measures.relevance import Values


def peer(
    relevant: RelevantDocuments,
    ranked: IntArray,
    *,
    cutoff: int = DEPTH,
    weights: Mapping[int, float] | None = None,
) -> Values:
    """PEER@cutoff, float64 [R]; NaN for pools of one language and where no grade can be tested.

    Args:
        ranked: int64 [R, any depth], document numbers, NOTHING at the end.
        weights: of the grades, 0 or more; grades that are not named count nothing. None: all the same.
    """
    cells = _Cells.of(relevant)
    p = chi_square_tail(kruskal_wallis(cells, relevant.ranks(ranked, cutoff)), cells.languages - 1)
    worth = np.array([1.0 if weights is None else weights.get(grade, 0.0) for grade in cells.grades.tolist()])
    worth = np.where(cells.can_tell, worth, 0)
    lists = len(relevant.mixed)
    total = np.bincount(cells.rows, weights=worth, minlength=lists)
    summed = np.bincount(cells.rows, weights=worth * np.where(cells.can_tell, p, 0), minlength=lists)
    return np.where(total > 0, summed / np.where(total > 0, total, 1), np.nan)


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """The entries that are compared with each other: one cell a list and grade, C in all.

    Attributes:
        of_entry: int64 [J], the cell of each relevant document.
        sample: int64 [J], the documents of one cell and one language share a number.
        cell_of_sample: int64 [S].
        sample_sizes: int64 [S].
        rows, grades: int64 [C].
        sizes, languages: int64 [C], documents and languages of each cell.
    """

    of_entry: IntArray
    sample: IntArray
    cell_of_sample: IntArray
    sample_sizes: IntArray
    rows: IntArray
    grades: IntArray
    sizes: IntArray
    languages: IntArray

    @classmethod
    def of(cls, relevant: RelevantDocuments) -> _Cells:
        cells, of_entry = np.unique(np.stack([relevant.rows, relevant.grades]), axis=1, return_inverse=True)
        samples, sample = np.unique(np.stack([of_entry, relevant.languages]), axis=1, return_inverse=True)
        count = cells.shape[1]
        return cls(
            of_entry=of_entry,
            sample=sample,
            cell_of_sample=samples[0],
            sample_sizes=np.bincount(sample, minlength=samples.shape[1]),
            rows=cells[0],
            grades=cells[1],
            sizes=np.bincount(of_entry, minlength=count),
            languages=np.bincount(samples[0], minlength=count),
        )

    @property
    def can_tell(self) -> Flags:
        """Cells of two languages or more, one of which has several documents, [C]."""
        flags: Flags = (self.languages > 1) & (self.sizes > self.languages)
        return flags


def kruskal_wallis(cells: _Cells, ranks: IntArray) -> Values:
    """H of each cell with the correction for ties, float64 [C]; 0 where all documents are tied.

    H is (N - 1) times the share of the ranks' variance that lies between the languages; ranks are mean ranks within
    the cell where documents are tied.
    """
    middle = (cells.sizes + 1) / 2
    away = _mean_ranks(cells.of_entry, ranks) - middle[cells.of_entry]
    all_ = np.bincount(cells.of_entry, weights=away**2, minlength=len(cells.sizes))
    of_samples = np.bincount(cells.sample, weights=away, minlength=len(cells.sample_sizes))
    squares = of_samples**2 / cells.sample_sizes
    between = np.bincount(cells.cell_of_sample, weights=squares, minlength=len(cells.sizes))
    return (cells.sizes - 1) * between / np.where(all_ > 0, all_, 1)


def _mean_ranks(cells: IntArray, ranks: IntArray) -> Values:
    """Ranks within each cell from 1 on, the mean of their places for those that are tied, float64 [J]."""
    order = np.lexsort((ranks, cells))
    starts = np.searchsorted(cells[order], cells[order])
    places = np.arange(len(order)) - starts + 1.0
    _, tie = np.unique(np.stack([cells, ranks]), axis=1, return_inverse=True)
    sums, counts = np.bincount(tie[order], weights=places), np.bincount(tie)
    means: Values = sums[tie] / counts[tie]
    return means
