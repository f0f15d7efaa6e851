"""How many tokens a network has positions for, as its own forward looks them up.

graph --one short text, every look-up watched--> a table whose rows n, n + 1, n + 2, ... were read --> its rows - n

RoBERTa and its kin start at the row after the padding id; no list of names says which do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

_PROBE = 4  # tokens


class Probed(NamedTuple):
    """What a short text tells of a graph.

    Attributes:
        dimension: values of an answer.
        positions: the longest text that its table of positions has rows for; None where it has no such table.
    """

    dimension: int
    positions: int | None


def probe(graph: nn.Module, *, pad_token_id: int | None) -> Probed:
    """Run a graph on a text of one repeated id that does not pad: only positions count upwards in it."""
    ids = torch.full((1, _PROBE), 1 if pad_token_id == 0 else 0)
    with torch.inference_mode(), _LookUps() as seen:
        answer = graph(ids, torch.ones_like(ids))
    return Probed(int(answer.shape[1]), min(_limits(seen.found), default=None))


def _limits(found: list[tuple[int, list[int]]]) -> Iterator[int]:
    for rows, read in found:
        if len(read) >= _PROBE and read[:_PROBE] == list(range(read[0], read[0] + _PROBE)):
            yield rows - read[0]


class _LookUps(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps the size of every table that is looked up, and which rows."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[tuple[int, list[int]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.embedding.default:
            self.found.append((int(args[0].shape[0]), args[1].flatten().tolist()))
        return func(*args, **(kwargs or {}))
