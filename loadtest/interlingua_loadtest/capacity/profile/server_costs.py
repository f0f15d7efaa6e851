"""What a running server adds to its networks' own time, fitted to runs against it.

    MeasuredRun of one caller, of many --CPU by process over what was counted--> ServiceCosts

A request costs CPU in five places: the client, Triton itself, the service (for a batch and for a text), the tokenizer,
and the network's process beyond the network. Callers one at a time make every batch a batch of one; many callers make
batches as large as they get: two equations for the two parts of what depends on both. The rest of a lone request's time
is spent waiting for other processes to wake up, which keeps no core busy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError

if TYPE_CHECKING:
    from interlingua_loadtest.capacity.profile.service_time import ServiceTimeModel


@dataclass(frozen=True, kw_only=True)
class ServiceCosts:
    """Seconds that a server adds, for one of its services.

    Attributes:
        client_s: of a core, for a request: what a client of this bundle spends, where it shares the cores.
        request_s: of a core, for a request: Triton's own.
        batch_s: of a core, for a batch: Triton's call into the service and back.
        text_s: of a core, for a text: reading it, wrapping its tokens, answering.
        token_s: of a core, for a token: tokenizing.
        call_s: of a core, for a call to the network, beyond the network's own time.
        handover_s: waiting, for a call: on its way to the network's process and back.
        transport_s: waiting, for a request: on its way to the server and back.
        cut_call_s, cut_token_s: what the service itself measured of its network, by which it cuts batches; 0 unknown.
    """

    client_s: float = 0.0
    request_s: float = 0.0
    batch_s: float = 0.0
    text_s: float = 0.0
    token_s: float = 0.0
    call_s: float = 0.0
    handover_s: float = 0.0
    transport_s: float = 0.0
    cut_call_s: float = 0.0
    cut_token_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """A run of one service, as totals of the time in which it was measured.

    Attributes:
        requests, batches, texts, tokens, calls: that the server did.
        client_s, triton_s, service_s, network_s: of CPU, by process.
        compute_s, latency_s, stages_s: medians of a request: its network calls; from asking to having the answer;
            tokenizing and computing, as the service reports them.
        cut_call_s, cut_token_s: what the service measured of its network.
    """

    requests: float
    batches: float
    texts: float
    tokens: float
    calls: float
    client_s: float
    triton_s: float
    service_s: float
    network_s: float
    compute_s: float
    latency_s: float
    stages_s: float
    cut_call_s: float = 0.0
    cut_token_s: float = 0.0


def fit_costs(alone: MeasuredRun, crowd: MeasuredRun, network: ServiceTimeModel, token_s: float) -> ServiceCosts:
    """The costs of one service.

    Args:
        alone: one caller, one text a request.
        crowd: as many callers as keep every core busy.
        network: of the service, measured without a server.
        token_s: of tokenizing, measured without a server.

    Raises:
        InputError: a run counted nothing.
    """
    if min(alone.requests, alone.calls, crowd.requests, crowd.batches) <= 0:
        raise InputError("a calibration run counted no requests at the server: calibrate again")
    # With all cores busy everything takes longer, and the simulator makes it so: counted once.
    busy = max((factor for _, factor in network.slowdown), default=1.0)
    request_s, triton_batch_s = _two_parts(
        (alone.requests, alone.batches, alone.triton_s), (crowd.requests, crowd.batches, crowd.triton_s / busy)
    )
    text_s, batch_s = _two_parts(
        (alone.texts, alone.batches, alone.service_s - token_s * alone.tokens),
        (crowd.texts, crowd.batches, crowd.service_s / busy - token_s * crowd.tokens),
    )
    computed_s = network.seconds(1, max(round(alone.tokens / alone.texts), 1))
    # Late interaction has two calls a pair, one a side, at the same time: a request waits for about both texts' tokens.
    call_s = max(alone.network_s / alone.calls - network.seconds(1, max(round(alone.tokens / alone.calls), 1)), 0.0)
    client_s = crowd.client_s / busy / crowd.requests
    # Of a lone request: the service's own stages, and what is neither in them nor work of a core, is the way.
    outside_s = alone.latency_s - alone.stages_s
    return ServiceCosts(
        client_s=client_s,
        request_s=request_s,
        batch_s=triton_batch_s + batch_s,
        text_s=text_s,
        token_s=token_s,
        call_s=call_s,
        handover_s=max(alone.compute_s - computed_s - call_s, 0.0),
        transport_s=max(outside_s - client_s - request_s - triton_batch_s, 0.0),
        cut_call_s=crowd.cut_call_s,
        cut_token_s=crowd.cut_token_s,
    )


def _two_parts(*runs: tuple[float, float, float]) -> tuple[float, float]:
    """a, b >= 0 with a x first + b x second = seconds, for two runs, in least relative squares."""
    from scipy.optimize import nnls

    rows = np.array([row for row in runs if row[2] > 0])
    if not len(rows):
        return 0.0, 0.0
    parts, _ = nnls(rows[:, :2] / rows[:, 2:], np.ones(len(rows)))
    return float(parts[0]), float(parts[1])
