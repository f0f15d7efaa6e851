"""What the torch graph answers to samples: the reference of the published network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from interlingua_exporter.gate.answering import SideAnswering
from interlingua_exporter.models.this_machine import cores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from interlingua_exporter.gate.answering import Answering
    from interlingua_exporter.gate.ranking_agreement import Values
    from interlingua_exporter.graphs.checkpoint import Checkpoint


def torch_answers(checkpoint: Checkpoint, asked: Answering) -> Values:
    """Vectors or scores, float64 [samples, D], in order: one sample at a time on each core.

    Our own late-interaction network is asked for whole pairs, each side seeing itself alone: what a service computes
    from two rows is held against that.
    """
    import torch

    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker

    graph = checkpoint.graph

    def run(batch: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            given: NDArray[np.float32] = graph(*(torch.from_numpy(batch[name]) for name in checkpoint.inputs)).numpy()
        return given

    def answer(sample: int) -> Values:
        if not isinstance(asked, SideAnswering) or not isinstance(graph, LateInteractionReranker):
            return asked.answers(run, [sample])
        query, document = asked.pair(sample)
        ids = torch.tensor([[*query.ids, *document.ids]])
        with torch.inference_mode():
            logits: Values = graph.score_pairs(ids, torch.ones_like(ids)).double().numpy()
        return logits

    # One text gives several threads of torch's little to do, and they spin while they wait: on a busy machine of two
    # cores this took 180 s with two threads and 7.5 s with one. Code of the model's own may keep state between calls.
    workers = 1 if checkpoint.spec.remote_code else cores()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return np.concatenate(list(pool.map(answer, range(len(asked.lengths)))))
