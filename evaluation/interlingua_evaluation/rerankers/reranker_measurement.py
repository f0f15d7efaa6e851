"""The work behind the reranker table, in the order in which it is done.

datasets --the published embedder--> first stages
each reranker: logits of all candidates --> weight from the development half --> alone and mixed
--> RerankerReport
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.rerankers.first_stages import FirstStages, SystemValues
from interlingua_evaluation.rerankers.reranker_report import DatasetReport, RerankerFacts, RerankerReport
from interlingua_evaluation.rerankers.system_report import compare
from interlingua_evaluation.systems.dense_vectors import dense_vectors
from interlingua_evaluation.systems.rerank.reranking import MixedScores, best_weight, wanted_pairs, weight_curve
from interlingua_evaluation.systems.rerank.score_cache import cached_scores, checkpoint_digest

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.rerankers.named_checkpoint import NamedCheckpoint
    from interlingua_evaluation.serving import EmbeddingService


class _Measured(NamedTuple):
    """A dataset and what has been measured on it so far."""

    dataset: Dataset
    stages: FirstStages
    systems: list[SystemValues]


def measure(
    rerankers: Sequence[NamedCheckpoint],
    datasets: Sequence[Dataset],
    half: Half,
    service: EmbeddingService,
    cache: Path,
) -> RerankerReport:
    """Compare the rerankers; the dense systems are always among what is compared.

    Args:
        half: which half of the datasets that are split; those that are not are all test, and always measured.
        service: called only if a vector is not in the cache.

    Raises:
        InputError: a reranker cannot be read.
        ServerError: the service is needed, and cannot be reached.
    """
    measured = []
    for dataset in datasets:
        vectors = dense_vectors(dataset, cache, service)
        stages = FirstStages.of(dataset, vectors)
        measured.append(_Measured(dataset, stages, stages.dense()))
    facts = tuple(_add_reranker(reranker, measured, cache) for reranker in rerankers)
    return RerankerReport(service.digest, facts, tuple(_report(on, half) for on in measured))


def _add_reranker(reranker: NamedCheckpoint, measured: Sequence[_Measured], cache: Path) -> RerankerFacts:
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights.checkpoint_folder import Overrides
    from interlingua_exporter.weights.sources import load

    checkpoint = load(resolve(reranker.source), Overrides())
    digest = checkpoint_digest(checkpoint)
    mixes = []
    for on in measured:
        lists = on.stages.offsets
        scores = cached_scores(checkpoint, digest, on.dataset, wanted_pairs(lists), cache)
        mixes.append(MixedScores.of(lists, scores))
    curves = (weight_curve(mix, on.stages.judge) for on, mix in zip(measured, mixes, strict=True))
    curve = next(filter(None, curves), {})
    weight = best_weight(curve) if curve else checkpoint.spec.rerank_weight
    for on, mix in zip(measured, mixes, strict=True):
        on.systems.append(on.stages.reranked(f"{reranker.name}, alone", mix, 1.0))
        on.systems.append(on.stages.reranked(f"{reranker.name}, mixed", mix, weight))
    return RerankerFacts(
        name=reranker.name,
        source=reranker.source,
        model_id=checkpoint.spec.id,
        digest=digest,
        weight=weight,
        weight_curve=curve,
    )


def _report(on: _Measured, half: Half) -> DatasetReport:
    lists = on.stages.offsets
    half = half if lists.of_half("development").any() else "test"
    chosen = lists.of_half(half)
    pairs = [pair for pair, is_in in zip(lists.pairs, chosen, strict=True) if is_in]
    queries = [query for query in on.dataset.queries if query.half == half]
    averager = Averager(lists, chosen)
    return DatasetReport(
        name=on.dataset.name,
        digest=on.dataset.digest,
        facts=on.dataset.facts,
        half=half if on.dataset.is_split else "",
        documents=len(on.dataset.documents),
        queries=len(queries),
        groups=len({query.group for query in queries}),
        lists={pair: pairs.count(pair) for pair in sorted(set(pairs))},
        recall=averager.breakdown(on.stages.recall()),
        systems=tuple(compare(averager, on.systems)),
    )
