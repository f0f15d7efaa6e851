"""How many pairs a second the rerank service reads, for the cost beside the quality.

a few queries of the dataset, each with documents of its own --one request after another--> pairs / seconds
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interlingua_client.triton.inference import InferenceClient
    from interlingua_evaluation.datasets.dataset import Dataset

_LISTS, _DEPTH = 3, 16
_SEED = 20260101


def pairs_per_second(client: InferenceClient, dataset: Dataset) -> float:
    """Pairs a second of one client that asks for list after list; the first one warms up and does not count.

    Raises:
        ServerError: there is no rerank service, or it is away.
    """
    random = np.random.default_rng(_SEED)
    seconds = 0.0
    for number in range(_LISTS + 1):
        query = dataset.queries[int(random.integers(len(dataset.queries)))].text
        drawn = random.integers(len(dataset.documents), size=_DEPTH).tolist()
        passages = [dataset.documents[row].indexed.passage for row in drawn]
        began = time.perf_counter()
        client.rerank(query, passages)
        seconds += (time.perf_counter() - began) * (number > 0)
    return _LISTS * _DEPTH / seconds
