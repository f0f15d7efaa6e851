"""The index of a plan: what a searching client holds, now and at the horizon.

PlannedTraffic.corpus, dimension of the repository, IndexCost --> IndexSize
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from interlingua.served.service import EMBED_QUERY
from interlingua_loadtest.capacity.plan.records import IndexSize
from interlingua_loadtest.capacity.simulate.published_tokens import published_tokens

if TYPE_CHECKING:
    from interlingua.repository.published import Published
    from interlingua_loadtest.capacity.plan.planned_traffic import PlannedTraffic


class IndexCosts(Protocol):
    """What a plan asks of interlingua_loadtest/capacity/index/index_cost.py."""

    def memory_mib(self, count: int, dimension: int, m: int) -> float: ...

    def build_s(self, count: int, dimension: int, m: int, ef_construction: int) -> float: ...

    def query_s(self, count: int, dimension: int, m: int, ef_search: int) -> float: ...

    def outside(self, count: int, dimension: int, m: int) -> str: ...


def index_size(
    traffic: PlannedTraffic, published: Published, index_cost: IndexCosts | None, months: int
) -> IndexSize | None:
    """The corpus after so many months, in the dimension of the repository; None where none was given."""
    corpus = traffic.corpus
    if index_cost is None or corpus.documents == 0:
        return None
    count = round(corpus.documents * traffic.growth.corpus_factor(months))
    dimension = published_tokens(published, EMBED_QUERY).spec.dimension
    return IndexSize(
        documents=count,
        dimension=dimension,
        memory_mib=index_cost.memory_mib(count, dimension, corpus.m),
        build_s=index_cost.build_s(count, dimension, corpus.m, corpus.ef_construction),
        query_s=index_cost.query_s(count, dimension, corpus.m, corpus.ef_search),
        outside=index_cost.outside(count, dimension, corpus.m),
    )
