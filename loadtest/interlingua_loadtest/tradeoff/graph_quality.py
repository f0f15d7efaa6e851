"""What `ef_search` does to nDCG@10: the dataset's queries, really asked of a graph over its embedded documents.

    cached vectors --VectorIndex--> what the graph leads to \\
                                                             --> the list without what was missed --> nDCG@10
    runs/SYSTEM of the report --the order it gave----------- /

Of the documents that a system ranks, those that the graph did not lead to are taken out of its list; what the graph
found in their place comes after, in the graph's order, since no reranker has seen it. Only the pool of all languages
goes through the graph: the client compares a single language exactly as long as it is small, and so do these figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua_client.index.manifest import HnswParameters
from interlingua_client.index.vector_index import VectorIndex
from interlingua_evaluation.datasets.left_out import judged_only
from interlingua_evaluation.measures.relevance import Judge
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.systems.candidate_lists import MIXED, NOTHING, numbers_of
from interlingua_evaluation.systems.dense_vectors import QUERIES_FILE, DenseVectors, folder_of, read_vectors
from interlingua_evaluation.systems.trec_run import read_run
from interlingua_loadtest.tradeoff.setting_cost import looked_at

if TYPE_CHECKING:
    from interlingua_client.embedder import FloatArray, IntArray
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.report.model import MeasureFigures
    from interlingua_evaluation.systems.candidate_lists import CandidateLists
    from interlingua_evaluation.systems.system_name import SystemName
    from interlingua_loadtest.tradeoff.joined_report import JoinedReport

_RUNS = "runs"
_LIST_DEPTH = 100


@dataclass(frozen=True)
class GraphQuality:
    """Quality through a graph, for the systems of one report."""

    report: JoinedReport
    dataset: Dataset
    vectors: DenseVectors

    @classmethod
    def of(cls, report: JoinedReport, dataset: Dataset, cache: Path) -> GraphQuality | str:
        """With the vectors that the evaluation cached; else why `ef_search` cannot be measured."""
        from interlingua_evaluation.serving import published_embedder

        dataset = judged_only(dataset)
        folder = folder_of(dataset, cache, published_embedder(report.models))
        missing = [name for name in report.ndcg if not (report.source.report / _RUNS / str(name)).is_dir()]
        if missing:
            return f"{report.source.report} has no runs of {', '.join(map(str, missing))}"
        if not (folder / QUERIES_FILE).is_file():
            return f"the vectors of {dataset.name} are not in {cache} (`interlingua evaluate` leaves them there)"
        return cls(report, dataset, read_vectors(dataset, folder))

    def measure(self, name: SystemName, ef_searches: Sequence[int]) -> Mapping[int, MeasureFigures]:
        """nDCG@10 of a system for each `ef_search`."""
        lists = read_run(self.report.source.report / _RUNS / str(name), self.dataset, _LIST_DEPTH)
        searched = self.vectors.searched(self.dataset, use_offsets=name.offsets, asked_in=self._asked_in)
        asked = np.unique(lists.queries)
        averager = Averager(lists, lists.of_half(self.report.saved.half))
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph"
            _build(searched.documents, path)
            for ef in ef_searches:
                kept = max(name.depth or 0, looked_at(0, 1))
                reached = _reached(path, searched.queries, asked, kept, ef)
                found[ef] = averager.measure(Judge(lists).ndcg(through_graph(lists, reached)))
        return found

    @cached_property
    def _asked_in(self) -> list[str | None]:
        if not self.report.detected:
            return [query.language for query in self.dataset.queries]
        from interlingua_client.search.query_language import LanguageDetector

        detector = LanguageDetector(self.dataset.languages)
        return [detector.detect(query.text).tag for query in self.dataset.queries]


def through_graph(lists: CandidateLists, reached: Mapping[int, IntArray]) -> IntArray:
    """Documents of every list, int64 [R, depth], with those of the mixed pool as the graph leaves them.

    Args:
        reached: by the query's number, documents in the graph's order; a query that is not there has its list as it is.
    """
    ranked = lists.documents.copy()
    left_out = numbers_of(lists.dataset, lists.dataset.left_out)
    for row in np.flatnonzero(np.array(lists.pools) == MIXED).tolist():
        found = reached.get(int(lists.queries[row]))
        if found is None:
            continue
        before = lists.documents[row]
        found = found[~np.isin(found, left_out.get(int(lists.queries[row]), ()))]
        order = [*before[np.isin(before, found)], *found[~np.isin(found, before)]][: ranked.shape[1]]
        ranked[row] = NOTHING
        ranked[row, : len(order)] = order
    return ranked


def _build(documents: FloatArray, path: Path) -> None:
    graph = VectorIndex(documents.shape[1], HnswParameters(), len(documents))
    graph.add(np.arange(len(documents)), documents)
    graph.save(path)


def _reached(path: Path, queries: FloatArray, asked: IntArray, k: int, ef_search: int) -> dict[int, IntArray]:
    """By query; without those that the graph does not lead to k documents: the client then compares all of them."""
    parameters = replace(HnswParameters(), ef_search=ef_search)
    graph = VectorIndex.load(path, queries.shape[1], parameters, deleted=0)
    k = min(k, len(graph))
    found = {number: graph.search(queries[number], k) for number in asked.tolist()}
    return {number: neighbours.labels for number, neighbours in found.items() if neighbours is not None}
