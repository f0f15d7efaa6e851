"""A document's vectors clustered, a mean for each cluster: Ward's method on cosine distances, as a model may ask for.

    vectors [n, d] --the first ones stay; the rest: 1 - cosine--> merges --n // factor clusters--> means [m, d]

Ward's criterion by the formula of Lance and Williams (1967), the closest pairs found along chains of nearest neighbours
(Benzecri 1982; Murtagh 1983), in n^2 steps. Clusters come in the order of the tree, the older branch first and single
points last, which is scipy's order, and that of sentence-transformers' HierarchicalTokenPooling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from interlingua.served.late_interaction.sides import TokenPooling

    Floats = npt.NDArray[np.float32]
    _Merge = tuple[float, int, int]


def pooled(vectors: Floats, pooling: TokenPooling) -> Floats:
    """Fewer vectors of a document, float32 [m, d].

    Args:
        vectors: of unit length.
    """
    protected, rest = vectors[: pooling.protected], vectors[pooling.protected :]
    clusters = max(int(len(rest) // pooling.factor), 1)
    if clusters < len(rest):
        labels = _labels(np.clip(1 - rest @ rest.T, 0, 2).astype(np.float64), clusters)
        means = [rest[labels == label].mean(axis=0, dtype=np.float32) for label in range(labels.max() + 1)]
        vectors = np.concatenate([protected, np.stack(means)])
    if pooling.normalize:
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return vectors


def _labels(distances: npt.NDArray[np.float64], clusters: int) -> npt.NDArray[np.int64]:
    """Which cluster each of n points is in, int64 [n]; equal heights of the tree are merged together."""
    count = len(distances)
    merges = sorted(_merges(distances**2), key=lambda merge: merge[0])
    kept = sum(merge[0] <= merges[count - clusters - 1][0] for merge in merges)
    children, newest = {}, list(range(count))  # the newest node over each point, by the point that stands for it
    for node, (_, first, second) in enumerate(merges, start=count):
        children[node] = sorted((newest[first], newest[second]))
        newest[first] = newest[second] = node
    labels, label = np.empty(count, np.int64), 0
    waiting = [count + len(merges) - 1]
    while waiting:
        node = waiting.pop()
        if node >= count + kept:
            waiting += sorted(children[node], key=lambda child: (child < count, child), reverse=True)
            continue
        labels[_points(node, children, count)] = label
        label += 1
    return labels


def _points(node: int, children: dict[int, list[int]], count: int) -> Sequence[int]:
    waiting, found = [node], []
    while waiting:
        node = waiting.pop()
        if node < count:
            found.append(node)
        else:
            waiting += children[node]
    return found


def _merges(squared: npt.NDArray[np.float64]) -> list[_Merge]:
    """Height and the two clusters, each named by one of its points: the second's name goes on for both."""
    count = len(squared)
    np.fill_diagonal(squared, np.inf)
    sizes, alive = np.ones(count), np.ones(count, bool)
    chain: list[int] = []
    merges: list[_Merge] = []
    while len(merges) < count - 1:
        if not chain:
            chain.append(int(np.argmax(alive)))
        last = chain[-1]
        nearest = int(np.argmin(squared[last]))
        if len(chain) > 1 and squared[last, chain[-2]] <= squared[last, nearest]:
            first, second = sorted(chain[-2:])
            del chain[-2:]
            merges.append((float(squared[first, second]), first, second))
            _merge(squared, sizes, alive, first, second)
        else:
            chain.append(nearest)
    return merges


def _merge(
    squared: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.float64],
    alive: npt.NDArray[np.bool_],
    first: int,
    second: int,
) -> None:
    a, b, between = sizes[first], sizes[second], squared[first, second]
    row = ((a + sizes) * squared[first] + (b + sizes) * squared[second] - sizes * between) / (a + b + sizes)
    alive[first] = False
    row[~alive] = row[second] = np.inf
    squared[second], squared[:, second] = row, row
    squared[first], squared[:, first] = np.inf, np.inf
    sizes[second] = a + b
