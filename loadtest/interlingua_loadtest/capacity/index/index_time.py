"""How long a search takes by the index's size; coefficients are fitted (index_fit.py).

A way through the graph visits a number of vectors that grows with log(count) (Malkov and Yashunin 2016, arXiv
1603.09320, section 4.2.1), and a visit costs more where the vector is not in the processor's cache:

    query = scale x log(count) x dimension^a x M^b x ef_search^c x (1 + miss x share of the graph beyond the cache)
    build = count x the same with ef_construction, and coefficients of its own
    exact = scale x count x dimension x (1 + miss x share of the vectors beyond the cache)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from interlingua_loadtest.capacity.index.index_layout import graph_bytes

_FLOAT = 4  # bytes


@dataclass(frozen=True, kw_only=True)
class VisitTime:
    """Seconds of a way through the graph; the first of the formulas above.

    Attributes:
        log_scale: logarithm of the seconds where all else is 1.
        dimension, m, ef: exponents.
        cache_bytes: of graph that the processor holds.
        miss: a visit beyond it takes 1 + miss times as long.
    """

    log_scale: float
    dimension: float
    m: float
    ef: float
    cache_bytes: float
    miss: float

    def seconds(self, count: float, dimension: float, m: float, ef: float) -> float:
        """The duration of one way; count and M of at least 2, the others above 0."""
        powers = dimension**self.dimension * m**self.m * ef**self.ef
        slower = 1 + self.miss * beyond_cache(graph_bytes(count, dimension, m), self.cache_bytes)
        return float(math.exp(self.log_scale) * math.log(count) * powers * slower)


@dataclass(frozen=True)
class ScanTime:
    """Seconds of comparing a query with every vector; `float_s` for each number that is in the cache."""

    float_s: float
    cache_bytes: float
    miss: float

    def seconds(self, count: float, dimension: float) -> float:
        """The duration of one query."""
        floats = count * dimension
        return self.float_s * floats * (1 + self.miss * beyond_cache(_FLOAT * floats, self.cache_bytes))


def beyond_cache(size: float, cache_bytes: float) -> float:
    """Share of so many bytes that is not in a cache, 0 to 1."""
    return max(0.0, 1 - cache_bytes / size)
