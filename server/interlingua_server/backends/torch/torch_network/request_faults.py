"""What is wrong with one request, before it meets others in a batch.

{input name: int64 [n, L]} --fault--> "" or a sentence

On a GPU an id beyond the vocabulary is an assertion of the device: it ends every later call of the process, not only
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .description import Description

_IDS, _MASK, _TYPES = "input_ids", "attention_mask", "token_type_ids"


def fault(description: Description, tensors: Mapping[str, Any]) -> str:
    """Why the network cannot take a request's tensors, "" where it can.

    Args:
        tensors: arrays of NumPy by input name.
    """
    shapes = {name: tuple(array.shape) for name, array in tensors.items()}
    if len(set(shapes.values())) != 1:
        return f"the inputs have different shapes: {', '.join(f'{name} {list(at)}' for name, at in shapes.items())}"
    texts, tokens = shapes[_IDS]
    if not texts or not 1 <= tokens <= description.max_tokens:
        return f"input_ids is {[texts, tokens]}: a text has 1 to {description.max_tokens} tokens"
    limits = {_IDS: description.vocabulary, _MASK: 2, _TYPES: description.token_types}
    for name, array in tensors.items():
        least, most = int(array.min()), int(array.max())
        if least < 0 or most >= limits[name]:
            return f"{name} has {least if least < 0 else most}, values are from 0 to {limits[name] - 1}"
    if not tensors[_MASK].any(axis=1).all():
        return "attention_mask has a row without a single token"
    return ""
