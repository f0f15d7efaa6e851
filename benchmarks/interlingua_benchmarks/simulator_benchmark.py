"""How fast the simulator is: `python -m interlingua_benchmarks.simulator_benchmark`.

rates from an idle server to a full one --> simulated requests a second
"""

from __future__ import annotations

import time

from interlingua_loadtest.capacity.profile.server_layout import NetworkLayout, ServerLayout, ServiceLayout, TextCost
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel
from interlingua_loadtest.capacity.simulate.demand import Demand
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.traffic import schedule

_RATES = (50, 200, 400, 480)
_REQUESTS = 60_000
_PAIRS = 50


def main() -> None:
    """Print one line a rate, and one for searches."""
    lengths = {"en": range(8, 40)}
    queries = Demand(kinds={"embed_query": 1.0}, languages={"en": 1.0}, query_tokens=lengths)
    for rate in _RATES:
        _report(f"{rate} queries a second", queries, rate, _REQUESTS)
    pairs = {"en": range(60, 120)}
    searches = Demand(
        kinds={"search": 1.0}, languages={"en": 1.0}, query_tokens=lengths, pair_tokens=pairs, depth=_PAIRS
    )
    _report(f"2 searches a second, {_PAIRS} pairs each", searches, 2, _REQUESTS // _PAIRS)


def _report(name: str, demand: Demand, rate: float, requests: int) -> None:
    workload = demand.draw(schedule.poisson(rate, requests / rate, 0), 0)
    began = time.process_time()
    timeline = simulate(workload, _server())
    seconds = time.process_time() - began
    print(
        f"{name}: {len(workload) / seconds:,.0f} requests ({len(workload.tokens) / seconds:,.0f} texts) a second, "
        f"{timeline.batch_texts.mean():.1f} texts a batch, cores {100 * timeline.usage['cores'].busy:.0f}% busy"
    )


def _server() -> ServerLayout:
    """Two cores with a small encoder and a reranker of its size."""
    text = TextCost(batch_s=4e-4, text_s=1e-5, token_s=2e-6)
    networks = {
        name: NetworkLayout(
            ServiceTimeModel(network=name, precision="fp32", threads=1, call_s=1.2e-3, token_s=1.2e-4), 2
        )
        for name in ("embedder", "reranker")
    }
    services = {
        "embed_query": ServiceLayout(network="embedder", text=text, arrival_s=2e-4),
        "rerank": ServiceLayout(network="reranker", text=text, arrival_s=2e-4),
    }
    return ServerLayout(services=services, networks=networks, cores=2)


if __name__ == "__main__":
    main()
