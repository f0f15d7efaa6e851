"""Length buckets that waste the fewest padded tokens.

LengthHistogram --rounded up, dynamic programming--> LengthBuckets for 1, 2, ... K buckets

A text in a bucket counts as long as the bucket's edge. With candidates c_1 < ... < c_n (the lengths that occur, rounded
up, and the model's limit), texts N(i) up to c_i, and W(k, i) the fewest padded tokens of those texts in k buckets of
which the last one ends at c_i:

    W(k, i) = min over j < i of  W(k - 1, j) + c_i (N(i) - N(j))

which is exact in O(n^2 K).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interlingua_exporter.tensorrt.length_histogram import LengthHistogram

STEP = 8  # tokens: what tensor cores like a length to be a multiple of


@dataclass(frozen=True)
class LengthBuckets:
    """Where lengths are cut.

    Attributes:
        edges: the longest length of each bucket, ascending; the last is the model's limit.
        padding: padded tokens over all tokens, 0 to 1, with every text padded to its bucket's edge.
        load: padded tokens of each bucket over those of all, in the order of the edges.
    """

    edges: tuple[int, ...]
    padding: float
    load: tuple[float, ...]

    @property
    def busiest(self) -> int:
        """The edge of the bucket that most tokens are computed in."""
        return self.edges[max(range(len(self.edges)), key=self.load.__getitem__)]


def best_buckets(histogram: LengthHistogram, most: int, step: int = STEP) -> tuple[LengthBuckets, ...]:
    """The best buckets for each number of them: 1, 2, ... up to `most`, or as many as there are different lengths.

    Args:
        step: edges are multiples of it, but for the last.
    """
    edges, below = _candidates(histogram, step)
    last = len(edges) - 1
    waste = edges * below
    came_from: list[NDArray[np.int64]] = [np.full(len(edges), -1)]
    chosen = [with_edges(histogram, (int(edges[last]),))]
    for _ in range(1, min(most, len(edges))):
        waste, origin = _one_more(edges, below, waste)
        came_from.append(origin)
        chosen.append(with_edges(histogram, _edges_of(edges, came_from)))
    return tuple(chosen)


def with_edges(histogram: LengthHistogram, edges: tuple[int, ...]) -> LengthBuckets:
    """What buckets that somebody else chose make of a histogram.

    Raises:
        InputError: the edges do not rise, or do not end at the model's limit.
    """
    check_edges(edges, histogram.max_tokens)
    lengths, texts = (np.array(column, dtype=np.int64) for column in zip(*histogram.counts, strict=True))
    bucket = np.searchsorted(np.array(edges), lengths)
    padded = np.bincount(bucket, weights=texts, minlength=len(edges)) * np.array(edges)
    total = float(padded.sum())
    return LengthBuckets(edges, 1 - histogram.tokens / total, tuple(float(share) for share in padded / total))


def check_edges(edges: tuple[int, ...], max_tokens: int) -> None:
    """Raises InputError: they do not rise from 1 on to the model's limit."""
    if not edges or edges[0] < 1 or any(a >= b for a, b in pairwise(edges)):
        raise InputError(f"length buckets {', '.join(map(str, edges))} do not rise")
    if edges[-1] != max_tokens:
        raise InputError(f"the last length bucket ends at {edges[-1]}, not at the model's limit of {max_tokens} tokens")


def _candidates(histogram: LengthHistogram, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Edges that can pay, ascending, and the texts that are no longer than each: int64 [n], int64 [n]."""
    limit = histogram.max_tokens
    texts: dict[int, int] = {limit: 0}
    for length, count in histogram.counts:
        edge = min(-(-length // step) * step, limit)
        texts[edge] = texts.get(edge, 0) + count
    edges = np.array(sorted(texts), dtype=np.int64)
    return edges, np.cumsum([texts[edge] for edge in edges.tolist()])


def _one_more(
    edges: NDArray[np.int64], below: NDArray[np.int64], waste: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """W(k + 1, i) from W(k, i), and the j that each came from."""
    never = np.iinfo(np.int64).max // 2
    better, origin = np.full(len(edges), never), np.full(len(edges), -1)
    for i in range(1, len(edges)):
        costs = waste[:i] + edges[i] * (below[i] - below[:i])
        origin[i] = int(np.argmin(costs))
        better[i] = min(int(costs[origin[i]]), never)
    return better, origin


def _edges_of(edges: NDArray[np.int64], came_from: list[NDArray[np.int64]]) -> tuple[int, ...]:
    """The way back from the last candidate."""
    at, way = len(edges) - 1, []
    for origin in reversed(came_from):
        way.append(int(edges[at]))
        at = int(origin[at])
    return tuple(reversed(way))
