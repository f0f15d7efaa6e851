"""Reports, repositories, a profile and an objective --> Tradeoff."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_client.index.manifest import HnswParameters
from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic
from interlingua_loadtest.capacity.plan.text_lengths import planned_demand
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
from interlingua_loadtest.capacity.simulate.highest_rate import ImpossibleSloError, Runs
from interlingua_loadtest.tradeoff.graph_quality import GraphQuality
from interlingua_loadtest.tradeoff.joined_report import JoinedReport, require_one_dataset
from interlingua_loadtest.tradeoff.pareto_front import by_cost, placed
from interlingua_loadtest.tradeoff.records import PlacedSetting, ServingSetting, Tradeoff
from interlingua_loadtest.tradeoff.setting_cost import FirstStageCost, Replica, looked_at
from interlingua_loadtest.tradeoff.verdict import verdict

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_evaluation.report.model import MeasureFigures
    from interlingua_evaluation.systems.system_name import SystemName
    from interlingua_loadtest.capacity.index.index_cost import IndexCost
    from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile
    from interlingua_loadtest.record.slo import Slo
    from interlingua_loadtest.tradeoff.floors import Floors


@dataclass(frozen=True, kw_only=True)
class TradeoffGoal:
    """What the answer is for.

    Attributes:
        scope: the average that decides the front; one of records.SCOPES.
        documents: of the corpus; None for as many as the dataset has.
        ef_searches: to be measured.
        price_per_hour: of a replica.
        cache: with the evaluation's vectors.
    """

    slo: Slo
    floors: Floors
    scope: str
    documents: int | None
    ef_searches: tuple[int, ...]
    price_per_hour: float | None
    cache: Path
    runs: Runs = field(default_factory=lambda: Runs(requests=1000, repeats=3))


def make_tradeoff(
    reports: Sequence[JoinedReport],
    dataset: Dataset,
    profiles: Sequence[HardwareProfile],
    index_cost: IndexCost,
    wanted: TradeoffGoal,
    on_step: Callable[[str], None],
) -> Tradeoff:
    """Join, cost and place every setting.

    Args:
        reports: of one dataset, this one.
        profiles: of one machine; a repository takes the first that has its networks.
        on_step: called with a line before each step.

    Raises:
        InputError: the reports are of different datasets, the profiles of different machines, a repository fits none
            of them, or no setting holds the objective at any rate.
    """
    require_one_dataset(reports)
    if len({profile.hardware_digest for profile in profiles}) != 1:
        raise InputError("the profiles are of different machines: costs on one say nothing about the other's")
    if dataset.digest != reports[0].saved.digest:
        raise InputError(
            f"the reports are about {reports[0].saved.dataset} ({reports[0].saved.digest[:12]}), {dataset.name} now "
            f"has {dataset.digest[:12]}: name the dataset with --dataset, or evaluate again"
        )
    notes: list[str] = []
    rows = [row for report in reports for row in _rows(report, dataset, profiles, index_cost, wanted, notes, on_step)]
    if all(row.cost is None for row in rows):
        raise InputError(f"no setting holds {wanted.slo}: " + "; ".join(dict.fromkeys(row.impossible for row in rows)))
    ordered = by_cost([wanted.floors.judged(row) for row in placed(rows, wanted.scope)], wanted.scope)
    return Tradeoff(
        dataset=dataset.name,
        hardware=profiles[0].name,
        slo=str(wanted.slo),
        goodput=wanted.slo.goodput,
        scope=wanted.scope,
        documents=wanted.documents or len(dataset.documents),
        floors=wanted.floors.specs,
        rows=tuple(ordered),
        verdict=verdict(ordered, wanted.floors.specs, wanted.slo),
        notes=tuple(dict.fromkeys(notes)),
    )


def _rows(
    report: JoinedReport,
    dataset: Dataset,
    profiles: Sequence[HardwareProfile],
    index_cost: IndexCost,
    wanted: TradeoffGoal,
    notes: list[str],
    on_step: Callable[[str], None],
) -> Iterator[PlacedSetting]:
    """The rows of one report; what is to be known of them is put to the notes."""
    first = FirstStageCost(index_cost, wanted.documents or len(dataset.documents), report.models.embedder.dimension)
    names = _reranked_where_there_is_a_reranker(report, notes)
    layout = _layout(report.models, profiles)
    # Searches in the mix of the dataset's queries; the depth is replaced setting by setting.
    deepest = max(name.depth or 0 for name in names)
    traffic = PlannedTraffic(source=f"--setting {report.source.label}", peak_rate=1.0, mean_rate=1.0, depth=deepest)
    demand = planned_demand(traffic, dataset, report.models)
    by_stored = replace(traffic, token_vectors=True)
    replica = Replica(
        layout=layout,
        demand=demand,
        slo=wanted.slo,
        traffic=traffic,
        runs=wanted.runs,
        price_per_hour=wanted.price_per_hour,
        stored=planned_demand(by_stored, dataset, report.models) if any(name.form for name in names) else None,
    )
    for setting in _settings(report, names, dataset, first, wanted, notes):
        on_step(f"simulating {setting.name}")
        seconds = first.seconds(setting.depth, setting.ef_search)
        try:
            yield PlacedSetting(setting=setting, cost=replica.cost(setting.depth, seconds, stored=setting.is_stored))
        except ImpossibleSloError as error:
            yield PlacedSetting(setting=setting, cost=None, impossible=str(error))


def _layout(published: Published, profiles: Sequence[HardwareProfile]) -> ServerLayout:
    faults = []
    for profile in profiles:
        try:
            return ServerLayout.of(published, profile)
        except InputError as error:
            faults.append(str(error))
    raise InputError("; ".join(faults))


def _reranked_where_there_is_a_reranker(report: JoinedReport, notes: list[str]) -> list[SystemName]:
    if report.left_out:
        notes.append(
            f"{report.source.label}: left out, since the search does not do them: {', '.join(report.left_out)}"
        )
    if report.models.reranker is not None:
        return list(report.ndcg)
    without = [name for name in report.ndcg if name.depth is None]
    if len(without) < len(report.ndcg):
        notes.append(f"{report.source.label}: {report.source.repository} has no reranker: what reranks is left out")
    if not without:
        raise InputError(f"{report.source.repository} has no reranker, and all of {report.source.report} reranks")
    return without


def _settings(
    report: JoinedReport,
    names: Sequence[SystemName],
    dataset: Dataset,
    first: FirstStageCost,
    wanted: TradeoffGoal,
    notes: list[str],
) -> Iterator[ServingSetting]:
    """Each system, for each `ef_search` that makes a difference and could be measured."""
    graph = None if first.is_exact else GraphQuality.of(report, dataset, wanted.cache)
    _note_first_stage(first, graph, dataset, report, notes)
    for name in names:
        depth = name.depth or 0
        for ef, ndcg in _by_ef(name, report, graph, first, wanted):
            yield ServingSetting(report.source.label, str(name), depth, ef, ndcg, form=name.form)


def _by_ef(
    name: SystemName,
    report: JoinedReport,
    graph: GraphQuality | str | None,
    first: FirstStageCost,
    wanted: TradeoffGoal,
) -> Iterator[tuple[int | None, MeasureFigures]]:
    if graph is None:
        yield None, report.ndcg[name]
    elif isinstance(graph, str):
        yield first.parameters.ef_search, report.ndcg[name]
    else:
        yield from graph.measure(name, sorted({looked_at(name.depth or 0, ef) for ef in wanted.ef_searches})).items()


def _note_first_stage(
    first: FirstStageCost, graph: GraphQuality | str | None, dataset: Dataset, report: JoinedReport, notes: list[str]
) -> None:
    default = HnswParameters().ef_search
    if graph is None:
        notes.append(
            f"the client compares all of {first.documents:,} documents with {first.dimension} dimensions: ef_search "
            "plays no part; --documents says how large the corpus will be"
        )
    elif isinstance(graph, str):
        notes.append(f"{report.source.label}: ef_search is left at its default, {default}: {graph}")
    else:
        notes.append(
            f"what ef_search loses was measured on the dataset's {len(dataset.documents):,} documents, in the pool of "
            "all languages; a larger graph loses more"
        )
    if outside := first.index_cost.outside(first.documents, first.dimension, first.parameters.m):
        notes.append(f"the first stage's time is extrapolated: {outside}")
