"""Rankings --> one value a list, by ir-measures.

    order of documents [R, depth] --ir-measures--> nDCG@10, recall@100, MRR [R]

Of MRR a list has its reciprocal rank: of the first relevant document within the list, 0 without one. nDCG is
trec_eval's `ndcg_cut`: gains by gains.py, linear unless told, and the discount log2(rank + 1) (Jarvelin and Kekalainen
2002). A list without any relevant document in it counts as 0, never as nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import ir_measures
import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua_evaluation.measures.gains import DEFAULT, Gains, gain_of, too_high
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, CandidateLists

if TYPE_CHECKING:
    from interlingua_client.embedder import IntArray

CUTOFF = 10
NDCG, RECALL, MRR = f"nDCG@{CUTOFF}", "recall@100", "MRR"
MEASURES = (NDCG, RECALL, MRR)
_BY_NAME = {NDCG: ir_measures.nDCG @ CUTOFF, RECALL: ir_measures.R @ 100, MRR: ir_measures.RR}

Values = npt.NDArray[np.float64]


class Judge:
    """Measures rankings of one set of lists; R values each, in the lists' order."""

    def __init__(self, lists: CandidateLists, gains: Gains = DEFAULT) -> None:
        """Raises InputError: a grade is too high for these gains."""
        _require_bounded(lists, gains)
        self._lists = lists
        self.gains = gains
        self._gains = {
            str(row): {str(document): gain_of(grade, gains) for document, grade in grades.items()}
            for row, grades in enumerate(lists.grades)
        }
        self._languages = np.array([document.language for document in lists.dataset.documents])
        self._asked = np.array([pair.asked for pair in lists.pairs])

    def measure(self, ranked: IntArray) -> dict[str, Values]:
        """All MEASURES of ranked document numbers, int64 [R, any depth], NOTHING at the end."""
        by_metric = self._values(list(_BY_NAME.values()), ranked)
        return {name: by_metric[metric] for name, metric in _BY_NAME.items()}

    def ndcg(self, ranked: IntArray) -> Values:
        """The values of nDCG@10 alone."""
        metric = _BY_NAME[NDCG]
        return self._values([metric], ranked[:, :CUTOFF])[metric]

    def recall(self, ranked: IntArray) -> Values:
        """Share of the relevant documents that are in the list at all: what no reranker can exceed."""
        metric = ir_measures.R @ ranked.shape[1]
        return self._values([metric], ranked)[metric]

    def own_share(self, ranked: IntArray) -> Values:
        """Share of the first ten that is in the query's language; nan for pools of one language."""
        first = ranked[:, :CUTOFF]
        own = (self._languages[first] == self._asked[:, None]) & (first != NOTHING)
        shares = own.sum(axis=1) / np.maximum((first != NOTHING).sum(axis=1), 1)
        mixed = np.array([pool == MIXED for pool in self._lists.pools])
        return np.where(mixed, shares, np.nan)

    def _values(self, metrics: list[ir_measures.Measure], ranked: IntArray) -> dict[ir_measures.Measure, Values]:
        values = {metric: np.zeros(len(ranked)) for metric in metrics}
        for found in ir_measures.iter_calc(metrics, self._gains, _run(ranked)):
            values[found.measure][int(found.query_id)] = found.value
        return values


def _require_bounded(lists: CandidateLists, gains: Gains) -> None:
    for query, grades in lists.dataset.qrels.items():
        for document, grade in grades.items():
            if fault := too_high(grade, gains):
                raise InputError(f"dataset {lists.dataset.name}, query {query!r}, document {document!r}: {fault}")


def _run(ranked: IntArray) -> dict[str, dict[str, float]]:
    """A run whose scores are the ranks themselves, so that no tie is left to break."""
    return {str(row): _scores(documents) for row, documents in enumerate(ranked.tolist())}


def _scores(documents: Iterable[int]) -> dict[str, float]:
    return {str(document): float(-rank) for rank, document in enumerate(documents) if document != NOTHING}
