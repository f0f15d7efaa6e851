"""What a load test asks, as a simulated server sees it.

RunSettings --the asks that the run would make, through the published tokenizers--> Demand
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.errors import InputError
from interlingua.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK, ServiceSpec, published_versions
from loadtest.capacity.demand import Demand

if TYPE_CHECKING:
    from loadtest.capacity.workload import IntArray
    from loadtest.run_settings import RunSettings
    from loadtest.traffic import Ask

_ASKS = 1000
_PAIRS_A_SEARCH = 4  # documents that stand for a search's candidates


def demand_of(settings: RunSettings, repository: Path) -> Demand:
    """The make-up of a run's traffic.

    The pairs of a search are taken to be its query with any documents of the dataset: which of them are found, is left
    to the index.

    Raises:
        InputError: the settings do not fit the dataset, or the repository has no service that they ask.
    """
    from evaluation.datasets.sources import open_dataset
    from loadtest.traffic import Traffic

    traffic = Traffic.of_dataset(open_dataset(settings.dataset), settings.mix(), settings.seed)
    asks = list(traffic.asks(_ASKS))
    passages = cycle(text.text for text in traffic.source.documents)
    queries, documents, pairs = _texts(asks, passages)
    depths = [ask.depth for ask in asks if ask.depth]
    return Demand(
        kinds=dict(settings.shares),
        languages=dict(Counter(ask.language for ask in asks)),
        query_tokens=_counted(repository, EMBED_QUERY, queries),
        document_tokens=_counted(repository, EMBED_DOCUMENT, documents),
        pair_tokens=_counted(repository, RERANK, pairs),
        depth=round(float(np.mean(depths))) if depths else 0,
        deadline_s=1e-3 * settings.deadline_ms if settings.deadline_ms else None,
    )


Texts = Mapping[str, Sequence[Any]]


def _texts(asks: list[Ask], passages: Iterator[str]) -> tuple[Texts, Texts, Texts]:
    """Queries, documents and pairs by language."""
    queries: dict[str, list[str]] = defaultdict(list)
    documents: dict[str, list[str]] = defaultdict(list)
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
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


def _counted(repository: Path, service: str, texts: Texts) -> dict[str, IntArray]:
    """int64 arrays by language: tokens of every text or pair, prompt and specials included."""
    if not texts:
        return {}
    tokenizer, prompt = _tokenizer(repository, service)
    return {
        language: np.array(
            [
                len(encoding)
                for encoding in tokenizer.encode_batch(
                    [text if isinstance(text, tuple) else prompt + text for text in some]
                )
            ]
        )
        for language, some in texts.items()
    }


def _tokenizer(repository: Path, service: str) -> tuple[Any, str]:
    from tokenizers import Tokenizer

    from exporter.publish import TOKENIZER_FILE
    from exporter.triton_config import CONFIG_FILE, parameters_of, read_config

    config = repository / service / CONFIG_FILE
    if not config.is_file():
        raise InputError(f"{repository} has no {service}, which the traffic asks for: export it")
    parameters = parameters_of(read_config(config))
    version = published_versions(parameters)[-1]
    tokenizer = Tokenizer.from_file(str(config.parent / str(version) / TOKENIZER_FILE))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, ServiceSpec.from_parameters(parameters, version).prompt
