"""How long the texts are: a dataset's own, through the tokenizers that are published.

PlannedTraffic, Dataset, model repository --tokenize, prompts included--> Demand
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, ENCODE_QUERY_TOKENS, RERANK
from interlingua_loadtest.capacity.simulate.demand import Demand
from interlingua_loadtest.capacity.simulate.published_tokens import published_counts
from interlingua_loadtest.traffic.request_kinds import SEARCH
from interlingua_loadtest.traffic.traffic_source import Source, SourceText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interlingua.repository.published import Published
    from interlingua_evaluation.datasets.dataset import Dataset
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic

_PAIRS = 400  # drawn for each language of query
_SEED = 0

Texts = dict[str, list[str]]


def planned_demand(traffic: PlannedTraffic, dataset: Dataset, published: Published) -> Demand:
    """What the traffic asks, with token counts of the dataset's texts.

    Pairs are queries of a language with documents of any language of the mix, drawn at random: the candidates of a
    search are nearer to the query than that, not longer.

    Raises:
        InputError: the dataset has no texts in a language, or the repository lacks a service that is asked for.
    """
    source = Source.of_dataset(dataset)
    languages = dict(traffic.languages) or _shares(source)
    needs_pairs = traffic.depth > 0 and _asks(traffic, SEARCH, RERANK)
    needs_queries = needs_pairs or _asks(traffic, EMBED_QUERY, SEARCH)
    needs_documents = _asks(traffic, EMBED_DOCUMENT)
    queries = _by_language(source.queries, languages)
    documents = _by_language(source.documents, languages)
    _require(traffic, "queries", queries if needs_queries else None, source.queries)
    _require(traffic, "documents", documents if needs_documents else None, source.documents)
    # A search with stored token vectors sends the reranker a row of its own, whatever its depth.
    one_side = needs_pairs and traffic.token_vectors
    candidates = [text for texts in documents.values() for text in texts] or [item.text for item in source.documents]
    return Demand(
        kinds=traffic.kinds,
        languages=languages,
        query_tokens=published_counts(published, EMBED_QUERY, queries) if _asks(traffic, EMBED_QUERY, SEARCH) else {},
        document_tokens=published_counts(published, EMBED_DOCUMENT, documents) if needs_documents else {},
        pair_tokens=_reranked(published, queries, candidates, one_side=one_side) if needs_pairs else {},
        depth=(1 if one_side else traffic.depth) if needs_pairs else 0,
        one_side=one_side,
        deadline_s=traffic.deadline_s,
    )


def _reranked(
    published: Published, queries: Texts, candidates: list[str], *, one_side: bool
) -> dict[str, NDArray[np.int64]]:
    """What the reranker computes: pairs, or the questions alone."""
    if one_side:
        return published_counts(published, ENCODE_QUERY_TOKENS, queries)
    return published_counts(published, RERANK, _pairs(queries, candidates))


def _pairs(queries: Texts, candidates: list[str]) -> dict[str, list[tuple[str, str]]]:
    random = np.random.default_rng(_SEED)
    return {
        tag: [
            (texts[int(one)], candidates[int(other)])
            for one, other in zip(
                random.integers(len(texts), size=_PAIRS), random.integers(len(candidates), size=_PAIRS), strict=True
            )
        ]
        for tag, texts in queries.items()
    }


def _shares(source: Source) -> dict[str, float]:
    counted = Counter(item.language for item in source.queries)
    return {tag: count / counted.total() for tag, count in counted.items()}


def _by_language(items: Sequence[SourceText], languages: Mapping[str, float]) -> Texts:
    texts: Texts = {}
    for item in items:
        if item.language in languages:
            texts.setdefault(item.language, []).append(item.text)
    return texts


def _require(traffic: PlannedTraffic, what: str, found: Texts | None, items: Sequence[SourceText]) -> None:
    missing = [tag for tag in traffic.languages if found is not None and tag not in found]
    if missing:
        there = ", ".join(sorted({item.language for item in items}))
        raise InputError(
            f"{traffic.source}: [languages] {', '.join(missing)}: {traffic.dataset} has no such {what}, it has {there}"
        )


def _asks(traffic: PlannedTraffic, *kinds: str) -> bool:
    return any(traffic.kinds.get(kind, 0.0) > 0 for kind in kinds)
