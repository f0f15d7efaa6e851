"""What a server adds, from totals that were made of known costs; and totals from a record written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import InputError
from interlingua.base.plain import build, plain
from interlingua_loadtest.capacity.measure.live_runs import measured
from interlingua_loadtest.capacity.profile.server_costs import MeasuredRun, ServiceCosts, fit_costs
from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel
from interlingua_loadtest.record.record import Outcome, ProcessSample
from interlingua_loadtest.record.run_folder import RunFolder

NETWORK = ServiceTimeModel(
    network="embedder", precision="fp32", threads=1, call_s=2e-3, token_s=1e-4, slowdown=((1, 1.0), (2, 1.25))
)
COSTS = ServiceCosts(
    client_s=8e-4,
    request_s=3e-4,
    batch_s=7e-4,
    text_s=1e-4,
    token_s=2e-6,
    call_s=4e-4,
    handover_s=5e-4,
    transport_s=6e-4,
)
TRITON_BATCH_S, SERVICE_BATCH_S = 2e-4, 5e-4  # the two parts of batch_s
TOKENS = 20  # of a text


def run_of(costs: ServiceCosts, requests: int, texts_a_batch: int, busy: float) -> MeasuredRun:
    """What a run of one-text requests would have counted, every second of CPU `busy` times as long."""
    batches, tokens = requests / texts_a_batch, requests * TOKENS
    call_s = NETWORK.seconds(texts_a_batch, TOKENS)
    tokenize_s = costs.token_s * tokens / batches
    compute_s = call_s + costs.call_s + costs.handover_s
    return MeasuredRun(
        requests=requests,
        batches=batches,
        texts=requests,
        tokens=tokens,
        calls=batches,
        client_s=busy * costs.client_s * requests,
        triton_s=busy * (costs.request_s * requests + TRITON_BATCH_S * batches),
        service_s=busy * (costs.text_s * requests + SERVICE_BATCH_S * batches + costs.token_s * tokens),
        network_s=busy * (call_s + costs.call_s) * batches,
        compute_s=compute_s,
        stages_s=compute_s + tokenize_s,
        latency_s=compute_s + tokenize_s + costs.transport_s + costs.client_s + costs.request_s + TRITON_BATCH_S,
    )


def test_the_costs_that_made_the_totals_are_found() -> None:
    alone, crowd = run_of(COSTS, 400, 1, 1.0), run_of(COSTS, 3000, 16, 1.25)
    found = fit_costs(alone, crowd, NETWORK, COSTS.token_s)
    assert plain(found) == pytest.approx(plain(COSTS), rel=1e-6)
    assert build(ServiceCosts, plain(found)) == found


def test_nothing_is_below_zero() -> None:
    """A server that is faster than the network without one: noise, not a cost."""
    alone = replace(run_of(COSTS, 400, 1, 1.0), compute_s=1e-4, stages_s=1e-4, latency_s=2e-4, network_s=0.01)
    found = fit_costs(alone, run_of(COSTS, 3000, 16, 1.25), NETWORK, COSTS.token_s)
    assert (found.handover_s, found.call_s, found.transport_s) == (0.0, 0.0, 0.0)


def test_a_run_that_counted_nothing_is_refused() -> None:
    alone = run_of(COSTS, 400, 1, 1.0)
    with pytest.raises(InputError, match="counted no requests at the server: calibrate again"):
        fit_costs(alone, replace(alone, batches=0.0), NETWORK, 0.0)


def test_costs_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="unknown field coffee_s"):
        build(ServiceCosts, {"batch_s": 1.0, "coffee_s": 2.0})


def statistics(requests: int, executions: int) -> dict[str, Any]:
    def model(name: str, requests: int, executions: int) -> dict[str, Any]:
        counts = {"success": {"count": str(requests), "ns": "0"}}
        return {
            "name": name,
            "version": "1",
            "inference_stats": counts,
            "inference_count": str(requests),
            "execution_count": str(executions),
        }

    page = f'interlingua_tokens_total{{model="embed_query",version="1"}} {20 * requests}\n'
    stats = [model("embed_query", requests, executions), model("embedder", executions, executions)]
    return {"statistics": stats, "metrics": page}


def test_totals_of_a_record_by_hand(tmp_path: Path) -> None:
    """10 s asked, one request a second, the first two seconds left out: 8 of 10 requests, 4 of 5 batches."""
    run = RunFolder.create(tmp_path / "run", {"seconds": 10.0}, {})
    times = {"tokenize_s": 0.01, "compute_s": 0.03}
    with run.outcomes() as writer:
        for number in range(10):
            begin = number + 0.5
            writer.add(
                Outcome(
                    number=number,
                    kind="embed_query",
                    language="de",
                    query_kind="",
                    depth=0,
                    scheduled_s=begin,
                    sent_s=begin,
                    finished_s=begin + 0.1,
                    status="ok",
                    **times,
                )
            )
    shares = {"generator:python": 0.1, "server:tritonserver": 0.2, "server:embed_query_0_0": 0.05}
    shares |= {"server:embed_query_0_1": 0.15, "server:embedder_0_0": 0.5, "server:embed_document_0_0": 0.01}
    with run.process_samples() as samples:
        for tick in range(24):  # half a second each, from -1 s to 10.5 s; before 2 s something else went on
            for pid, (name, share) in enumerate(shares.items()):
                time_s = tick / 2 - 1
                samples.add(
                    ProcessSample(
                        time_s=time_s,
                        pid=pid,
                        name=name,
                        cpu_share=share if time_s >= 2 else 0.9,
                        rss_mb=100.0,
                        pss_mb=50.0,
                    )
                )
    run.write_json("triton-before", statistics(0, 0))
    run.write_json("triton-after", statistics(10, 5))
    found = measured(run, "embed_query")
    assert (found.requests, found.batches, found.texts, found.tokens, found.calls) == (8, 4, 8, 160, 4)
    cpu = (found.client_s, found.triton_s, found.service_s, found.network_s)
    assert cpu == pytest.approx((0.8, 1.6, 1.6, 4.0))
    assert (found.compute_s, found.latency_s, found.stages_s) == pytest.approx((0.03, 0.1, 0.04))
    with pytest.raises(InputError, match="answered no rerank"):
        measured(run, "rerank")


def test_two_calls_a_pair_cost_what_two_calls_cost() -> None:
    """A query of 4 and a document of 16 tokens, each in a call of its own: 2 x 2 ms, 20 tokens, and 0.4 ms a call."""
    alone = replace(run_of(COSTS, 400, 1, 1.0), calls=800, network_s=400 * (4e-3 + TOKENS * 1e-4 + 2 * COSTS.call_s))
    found = fit_costs(alone, run_of(COSTS, 3000, 16, 1.25), NETWORK, COSTS.token_s)
    assert found.call_s == pytest.approx(COSTS.call_s)
