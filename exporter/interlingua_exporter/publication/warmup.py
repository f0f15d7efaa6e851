"""Warm-up samples: real token ids in the shapes the service will send, so that no user pays for the first call.

    parity texts --encode--> ids --repeat to the bucket's length--> <model>/warmup/<file>, one file an input

Triton reads `input_data_file` as raw little-endian values of one item, without the batch dimension, and sends that
item `batch_size` times. Only networks are warmed up: a service would call its network, which may not be loaded yet.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np

from interlingua.repository.warmup_samples import WarmupSample, WarmupTensor
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.kinds import Device
    from interlingua.served.text.tokenizer import Tokens


# (texts, tokens): a lone query, a lone document, and full sub-batches of the service's default budget.
_BUCKETS = ((1, 16), (1, 64), (1, 256), (8, 64), (8, 128), (32, 32))


def suitable_shapes(device: Device) -> tuple[tuple[int, int], ...]:
    """(texts, tokens) of the calls that warm a network up.

    On a CPU the first call of a shape takes as long as the next: one shows that the network runs, and a start is sooner
    done.
    """
    return _BUCKETS[:1] if device == "cpu" else _BUCKETS


def network_samples(
    version: int,
    tokens: Tokens,
    inputs: Sequence[str],
    *,
    max_tokens: int,
    max_batch_size: int,
    shapes: Sequence[tuple[int, int]] = _BUCKETS,
) -> tuple[WarmupSample, ...]:
    """One sample a bucket that the model and the batch size allow.

    Args:
        tokens: a real text's ids; a longer bucket repeats what stands between its first and last token.
        shapes: (texts, tokens) of each bucket.
    """
    buckets = dict.fromkeys((min(batch, max_batch_size), min(length, max_tokens)) for batch, length in shapes)
    return tuple(_network_sample(version, tokens, inputs, batch, length) for batch, length in buckets)


def _network_sample(version: int, tokens: Tokens, inputs: Sequence[str], batch: int, length: int) -> WarmupSample:
    name = f"v{version}_{batch}x{length}"
    rows = {INPUT_IDS: _stretch(tokens.ids, length), ATTENTION_MASK: [1] * length}
    tensors = (
        WarmupTensor(key, f"{name}_{key}", length, np.array(rows.get(key, [0] * length), "<i8").tobytes())
        for key in inputs
    )
    return WarmupSample(name, batch, tuple(tensors))


def _stretch(ids: Sequence[int], length: int) -> list[int]:
    """Exactly `length` ids: the first and the last stay in their places, the middle repeats."""
    if length < 2 or len(ids) < 3:
        return list(islice(cycle(ids), length))
    return [ids[0], *islice(cycle(ids[1:-1]), length - 2), ids[-1]]
