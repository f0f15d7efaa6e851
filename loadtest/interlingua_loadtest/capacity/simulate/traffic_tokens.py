"""What a load test asks, as a simulated server sees it.

RunSettings --the asks that the run would make, through the published tokenizers--> Demand
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np

from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_loadtest.capacity.simulate.demand import Demand
from interlingua_loadtest.capacity.simulate.published_tokens import published_counts

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.traffic.request_stream import Ask
    from interlingua_loadtest.traffic.run_settings import RunSettings

_ASKS = 1000
_PAIRS_A_SEARCH = 4  # documents that stand for a search's candidates


def demand_of_run(settings: RunSettings, published: Published) -> Demand:
    """The make-up of a run's traffic.

    The pairs of a search are taken to be its query with any documents of the dataset: which of them are found, is left
    to the index.

    Raises:
        InputError: the settings do not fit the dataset, or the repository has no service that they ask.
    """
    from interlingua_evaluation.datasets.sources import open_dataset
    from interlingua_loadtest.traffic.request_stream import Traffic

    dataset = open_dataset(settings.dataset)
    # Each kind by itself: a rare one needs samples of every language, too.
    traffics = [Traffic.of_dataset(dataset, settings.mix(kind), settings.seed) for kind in settings.shares]
    asks = [ask for traffic in traffics for ask in traffic.asks(_ASKS)]
    passages = cycle(text.text for text in traffics[0].source.documents)
    queries, documents, pairs = _texts(asks, passages)
    depths = [ask.depth for ask in asks if ask.depth]
    return Demand(
        kinds=dict(settings.shares),
        languages=dict(Counter(ask.language for ask in asks)),
        query_tokens=published_counts(published, EMBED_QUERY, queries),
        document_tokens=published_counts(published, EMBED_DOCUMENT, documents),
        pair_tokens=published_counts(published, RERANK, pairs),
        depth=round(float(np.mean(depths))) if depths else 0,
        deadline_s=1e-3 * settings.deadline_ms if settings.deadline_ms else None,
    )


Queries = dict[str, list[str]]
Pairs = dict[str, list[tuple[str, str]]]


def _texts(asks: list[Ask], passages: Iterator[str]) -> tuple[Queries, Queries, Pairs]:
    """Queries, documents and pairs by language."""
    queries: Queries = defaultdict(list)
    documents: Queries = defaultdict(list)
    pairs: Pairs = defaultdict(list)
    for ask in asks:
        if ask.kind == "embed_document":
            documents[ask.language] += ask.documents
        elif ask.kind == "rerank":
            pairs[ask.language] += [(ask.query, document) for document in ask.documents]
        else:
            queries[ask.language].append(ask.query)
            if ask.kind == "search" and ask.depth:
                pairs[ask.language] += [(ask.query, passage) for passage in islice(passages, _PAIRS_A_SEARCH)]
    return queries, documents, pairs
