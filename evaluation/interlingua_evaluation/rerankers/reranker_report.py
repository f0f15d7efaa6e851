"""Everything that the reranker table says, as records; tables and JSON are made of them and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from interlingua.base.plain import plain
from interlingua_evaluation.measures.gains import DEFAULT
from interlingua_evaluation.measures.relevance import CUTOFF
from interlingua_evaluation.significance.bootstrap import RESAMPLES, SEED
from interlingua_evaluation.systems.candidate_lists import DEPTH

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Half
    from interlingua_evaluation.report.model import Breakdown
    from interlingua_evaluation.rerankers.system_report import SystemReport
    from interlingua_evaluation.systems.candidate_lists import Pair

_DECIMALS = 5
_ENDS = ("mean", "low", "high")


@dataclass(frozen=True, kw_only=True)
class RerankerFacts:
    """A reranker that was compared.

    Attributes:
        source: the folder or catalogue name, as it was given.
        digest: over its weights and its tokenizer.
        weight: its share of the mixed score.
        weight_curve: nDCG@10 across languages on the development half by weight; {} where the weight is the one
            that the checkpoint states.
    """

    name: str
    source: str
    model_id: str
    digest: str
    weight: float
    weight_curve: Mapping[float, float]


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """One dataset's half.

    Attributes:
        facts: the dataset's own.
        half: "" where the dataset is not split.
        queries, groups: of the half.
        lists: that were judged, by pair.
        recall: of the candidates, what no reranker can exceed.
    """

    name: str
    digest: str
    facts: Mapping[str, object]
    half: Half | Literal[""]
    documents: int
    queries: int
    groups: int
    lists: Mapping[Pair, int]
    recall: Breakdown
    systems: tuple[SystemReport, ...]


@dataclass(frozen=True)
class RerankerReport:
    """The whole comparison."""

    embedder_digest: str
    rerankers: tuple[RerankerFacts, ...]
    datasets: tuple[DatasetReport, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; intervals are [mean, low, high], pairs "de>en"."""
        return {
            "measure": f"nDCG@{CUTOFF}",
            "gains": DEFAULT,
            "candidates": DEPTH,
            "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "interval": 0.95, "clusters": "groups"},
            "embedder_digest": self.embedder_digest,
            "rerankers": _plain(self.rerankers),
            "datasets": [_dataset(dataset) for dataset in self.datasets],
        }


def _dataset(dataset: DatasetReport) -> dict[str, Any]:
    facts: dict[str, Any] = _plain(vars(dataset) | {"systems": [_system(system) for system in dataset.systems]})
    return facts


def _system(system: SystemReport) -> dict[str, Any]:
    return {**vars(system), "worse_pairs": system.worse, "better_pairs": system.better}


def _plain(value: Any) -> Any:
    return _as_lists(plain(value, _DECIMALS))


def _as_lists(value: Any) -> Any:
    """Figures and intervals as [mean, low, high]."""
    if isinstance(value, dict):
        if value.keys() >= set(_ENDS):
            return [value[name] for name in _ENDS]
        return {name: _as_lists(item) for name, item in value.items()}
    return [_as_lists(item) for item in value] if isinstance(value, list) else value
