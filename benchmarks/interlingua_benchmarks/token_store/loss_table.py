"""What a stored form of token vectors loses: `python -m interlingua_benchmarks.token_store quality`.

    a dataset's texts, every one encoded once --projection, quantization, and back--> logits --mixed--> nDCG@10
    each form beside whole vectors, list by list --> differences with their intervals

Whole vectors are what a pair's two sides are to the rerank service. The projection is fitted as an index fits it: to a
sample of the documents, of all languages alike.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import torch

from interlingua.served.late_interaction.sides import TokenPooling
from interlingua.served.late_interaction.token_pooling import pooled
from interlingua_client.index.token_store.projection import TokenProjection
from interlingua_client.index.token_store.quantization import FORMATS
from interlingua_evaluation.report.averages import Averager
from interlingua_evaluation.rerankers.first_stages import FirstStages, SystemValues
from interlingua_evaluation.rerankers.reranker_report import DatasetReport
from interlingua_evaluation.rerankers.system_report import compare
from interlingua_evaluation.systems.dense_vectors import dense_vectors
from interlingua_evaluation.systems.rerank.late_interaction_scores import LateInteractionScorer, Side, Sides
from interlingua_evaluation.systems.rerank.reranking import MixedScores, wanted_pairs
from interlingua_evaluation.systems.rerank.score_cache import cached_sides, checkpoint_digest
from interlingua_evaluation.systems.rerank.stored_scores import sampled

if TYPE_CHECKING:
    from interlingua_client.index.token_store.quantization import TokenFormat
    from interlingua_evaluation.datasets.dataset import Dataset, Half
    from interlingua_evaluation.serving import EmbeddingService
    from interlingua_exporter.graphs.checkpoint import Checkpoint


_TOKENS_AT_ONCE = 50_000
_POOLING = TokenPooling(factor=2, protected=0, normalize=True)

FORMS = (
    *FORMATS.values(),
    *(replace(FORMATS["4bit"], values=values) for values in (384, 192)),
    *(replace(FORMATS["int8"], values=values) for values in (384, 64)),
)


def losses(
    dataset: Dataset, half: Half, checkpoint: Checkpoint, embedder: EmbeddingService, cache: Path
) -> DatasetReport:
    """The forms beside whole vectors, on a half of a dataset (all of it where it is not split)."""
    stages = FirstStages.of(dataset, dense_vectors(dataset, cache, embedder))
    scorer, lists = LateInteractionScorer.of(checkpoint), stages.offsets
    whole = cached_sides(scorer, checkpoint_digest(checkpoint), dataset, cache)
    lengths = whole.documents.starts.diff()
    sample, tokens = _sample(dataset, whole.documents), float(lengths.float().mean())
    dimension, wanted, weight = whole.documents.vectors.shape[1], wanted_pairs(lists), checkpoint.spec.rerank_weight
    systems: list[SystemValues] = []

    def add(name: str, sides: Sides) -> None:
        click.echo(f"{dataset.name}: {name}", err=True)
        systems.append(stages.reranked(name, MixedScores.of(lists, scorer.compare(sides, wanted)), weight))

    add(f"{dimension} values, fp32 ({4 * dimension * tokens / 1000:.1f} kB a document)", whole)
    for form in FORMS:
        values = min(form.values, dimension)
        size = form.width(values) * tokens / 1000
        add(f"{values} values, {form.bits} bits ({size:.1f} kB a document)", _stored(whole, sample, form))
    form, few = FORMATS["int8"], clustered(whole.documents)
    size = form.width(min(form.values, dimension)) * len(few.vectors) / len(dataset.documents) / 1000
    pooled_sides = _stored(Sides(whole.queries, few), _sample(dataset, few), form)
    add(f"tokens pooled by 2, {form.values} values, {form.bits} bits ({size:.1f} kB a document)", pooled_sides)
    add("whole vectors, a query's tokens weighed alike", Sides(evenly(whole.queries), whole.documents))
    chosen = lists.of_half(half if lists.of_half("development").any() else "test")
    pairs = [pair for pair, is_in in zip(lists.pairs, chosen, strict=True) if is_in]
    queries = [query for query in dataset.queries if query.half == half] if dataset.is_split else dataset.queries
    averager = Averager(lists, chosen)
    return DatasetReport(
        name=dataset.name,
        digest=dataset.digest,
        facts=dataset.facts,
        half=half if dataset.is_split else "",
        documents=len(dataset.documents),
        queries=len(queries),
        groups=len({query.group for query in queries}),
        lists={pair: pairs.count(pair) for pair in sorted(set(pairs))},
        recall=averager.breakdown(stages.recall()),
        systems=tuple(compare(averager, systems, systems[0].name)),
    )


def evenly(queries: Side) -> Side:
    """Queries without the weights of their tokens: what sentence-transformers makes of them (`adapt library`)."""
    return queries._replace(importance=torch.ones_like(queries.importance))


def clustered(documents: Side) -> Side:
    """Half as many vectors a document, as a model with a HierarchicalTokenPooling of 2 gives them."""
    parts = torch.split(documents.vectors.float(), documents.starts.diff().tolist())
    few = [pooled(part.numpy(), _POOLING) for part in parts]
    starts = torch.tensor([0, *map(len, few)]).cumsum(0)
    return Side(torch.from_numpy(np.concatenate(few)).half(), torch.ones(int(starts[-1])), starts)


def _stored(whole: Sides, sample: np.ndarray[tuple[int], np.dtype[np.int64]], form: TokenFormat) -> Sides:
    """Both sides as a search compares them. What a query's rows share with all documents changes no order."""
    documents = whole.documents.vectors.float().numpy()
    projection = TokenProjection.fit(documents[sample], form.values)
    parts = np.array_split(projection.document(documents), 1 + len(documents) // _TOKENS_AT_ONCE)
    stored = np.concatenate([form.restored(form.quantized(part), projection.dimension) for part in parts])
    queries, _ = projection.query(whole.queries.vectors.float().numpy())
    return Sides(_with(whole.queries, queries), _with(whole.documents, stored))


def _with(side: Side, vectors: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Side:
    return side._replace(vectors=torch.from_numpy(np.ascontiguousarray(vectors)))


def _sample(dataset: Dataset, side: Side) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The rows of the documents that an index would fit its projection to."""
    rows: np.ndarray[tuple[int], np.dtype[np.int64]] = side.tokens_of(torch.tensor(sampled(dataset))).numpy()
    return rows
