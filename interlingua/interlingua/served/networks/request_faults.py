"""What is wrong with one request, before it meets others in a batch.

{input name: int64 [n, L]} --fault--> "" or a sentence

On a GPU an id beyond the vocabulary is an assertion of the device: it ends every later call of the process, not only
its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from interlingua.served.networks.description import Description


def fault(description: Description, tensors: Mapping[str, NDArray[np.int64]]) -> str:
    """Why the network cannot take a request's tensors, "" where it can.

    Args:
        tensors: by input name.
    """
    shapes = {name: tuple(array.shape) for name, array in tensors.items()}
    if len(set(shapes.values())) != 1:
        return f"the inputs have different shapes: {', '.join(f'{name} {list(at)}' for name, at in shapes.items())}"
    texts, tokens = shapes[INPUT_IDS]
    if not texts or not 1 <= tokens <= description.max_tokens:
        return f"input_ids is {[texts, tokens]}: a text has 1 to {description.max_tokens} tokens"
    limits = {INPUT_IDS: description.vocabulary, ATTENTION_MASK: 2, TOKEN_TYPE_IDS: description.token_types}
    for name, array in tensors.items():
        least, most = int(array.min()), int(array.max())
        if least < 0 or most >= limits[name]:
            return f"{name} has {least if least < 0 else most}, values are from 0 to {limits[name] - 1}"
    if not tensors[ATTENTION_MASK].any(axis=1).all():
        return "attention_mask has a row without a single token"
    return ""
