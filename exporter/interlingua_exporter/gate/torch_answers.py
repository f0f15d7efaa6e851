"""What the torch graph answers to texts: the reference of the published network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from interlingua_exporter.models.this_machine import cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.repository.text_encoder import TextEncoder
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_exporter.gate.ranking_agreement import Values
    from interlingua_exporter.graphs.checkpoint import Checkpoint


def torch_answers(checkpoint: Checkpoint, encoder: TextEncoder, rows: Sequence[Tokens]) -> Values:
    """Vectors or scores, float64 [n, D], in order: one text at a time on each core."""
    import torch

    def answer(row: Tokens) -> Values:
        batch = encoder.collate([row], checkpoint.inputs)
        with torch.inference_mode():
            answers: Values = checkpoint.graph(*(torch.from_numpy(batch[name]) for name in checkpoint.inputs)).numpy()
        return answers

    # One text gives several threads of torch's little to do, and they spin while they wait: on a busy machine of two
    # cores this took 180 s with two threads and 7.5 s with one. Code of the model's own may keep state between calls.
    workers = 1 if checkpoint.spec.remote_code else cores()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return np.concatenate(list(pool.map(answer, rows))).astype(np.float64)
