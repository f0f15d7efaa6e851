"""How fast this machine runs a published network: the measured half of a capacity plan.

    model repository --lone calls, calls at once, tokenizing--> Execution [R], TextCost --fit--> HardwareProfile
                     --a server, one caller, many--> MeasuredRun [S] --fit-->

The network runs in this process as the server's CPU instances run it: same graph optimizations, same threads. What
Triton, the services and the clients add to that is measured on a server of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import InputError
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_loadtest.capacity.measure.busy_cores import fit_busy
from interlingua_loadtest.capacity.measure.live_runs import measure_server
from interlingua_loadtest.capacity.measure.tokenizer_cost import tokenizer_cost
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile, this_hardware
from interlingua_loadtest.capacity.profile.measured_network import SERVICES, Feed, MeasuredNetwork, measured_networks
from interlingua_loadtest.capacity.profile.server_costs import fit_costs
from interlingua_loadtest.capacity.profile.service_time import Execution, fit

if TYPE_CHECKING:
    from interlingua.repository.published import Published

_LEAST_ROUNDS = 3
_AT_ONCE = 2  # calls
_AT_ONCE_SHAPES = ((1, 16), (4, 32), (8, 64))
_AT_ONCE_SHARE = 0.25  # of the time, for calls at once

Step = Callable[[str], None]
Shape = tuple[int, int]


def calibrate(
    published: Published, *, name: str, seconds: float = 40.0, server_seconds: float = 12.0, on_step: Step
) -> HardwareProfile:
    """Measure the networks of a model repository, and a server on it, on this machine.

    Args:
        name: of the profile, for people.
        seconds: to measure for, shared among the networks; at least three rounds are made however long they take.
        server_seconds: of each run against a server, three for each network; 0 leaves the server out.
        on_step: called with a line before each step.

    Raises:
        InputError: the repository holds no network, or one that is not exported for CPUs.
        ExportError: a network does not load or does not run.
        ServerError: the server does not start.
    """
    networks = measured_networks(published)
    if not networks:
        raise InputError(f"{published.root} holds neither of {', '.join(SERVICES)}: run `interlingua export` first")
    executions: list[Execution] = []
    for network in networks:
        on_step(f"measuring {network.name} ({network.precision}, threads: {network.threads})")
        executions += measure(network, seconds / len(networks))
    on_step("measuring the tokenizer")
    hardware = this_hardware()
    profile = HardwareProfile(
        name=name,
        origin="measured",
        hardware=hardware,
        networks=tuple(fit(executions)),
        text=tokenizer_cost(networks[0].tokenizer),
        cores=int(hardware["cores"]),
    )
    return _with_server(profile, published, networks, server_seconds, on_step) if server_seconds else profile


def _with_server(
    profile: HardwareProfile, published: Published, networks: list[MeasuredNetwork], seconds: float, on_step: Step
) -> HardwareProfile:
    live = measure_server(published, seconds, on_step)
    costs = {}
    for network in networks:
        service = SERVICES[network.name]
        time_s = profile.find(network.name, network.precision, network.threads)
        costs[service] = fit_costs(live.alone[service], live.crowd[service], time_s, profile.text.token_s)
    served = replace(profile, server=costs, memory_mb=live.memory_mb)
    on_step("simulating the same")
    return replace(served, busy=fit_busy(served, published, live.loops, live.settings))


def measure(network: MeasuredNetwork, seconds: float) -> list[Execution]:
    """Lone calls of all shapes, round after round, then calls at once, each in a session of its own.

    Raises:
        ExportError: it does not load or does not run.
    """
    sessions = [OnnxSession(network.path, threads=network.threads) for _ in range(_AT_ONCE)]
    lone = _alone(network, sessions[0], (1 - _AT_ONCE_SHARE) * seconds)
    shapes = [shape for shape in _AT_ONCE_SHAPES if shape in network.shapes()] or network.shapes()[:1]
    share = _AT_ONCE_SHARE * seconds / len(shapes)
    return lone + [execution for shape in shapes for execution in _together(network, sessions, shape, share)]


def _alone(network: MeasuredNetwork, session: OnnxSession, seconds: float) -> list[Execution]:
    """Round after round in a new order, so that no shape has the machine's good minutes for itself."""
    feeds = {shape: network.feed(*shape) for shape in network.shapes()}
    for feed in feeds.values():
        session.run(feed)
    shapes, random = list(feeds), np.random.default_rng(0)
    executions: list[Execution] = []
    end = time.perf_counter() + seconds
    least = _LEAST_ROUNDS * len(shapes)
    while len(executions) < least or time.perf_counter() < end:
        for position in random.permutation(len(shapes)):
            if len(executions) >= least and time.perf_counter() >= end:
                break
            shape = shapes[position]
            executions.append(_timed(network, session, shape, feeds[shape], concurrent=1))
    return executions


def _together(network: MeasuredNetwork, sessions: list[OnnxSession], shape: Shape, seconds: float) -> list[Execution]:
    """Every session in a thread of its own, again and again; the last calls, which may lack company, are left out."""
    feed = network.feed(*shape)
    begin = Barrier(len(sessions))
    for session in sessions:
        session.run(feed)

    def run(session: OnnxSession) -> list[Execution]:
        found: list[Execution] = []
        begin.wait()
        end = time.perf_counter() + seconds
        while len(found) <= _LEAST_ROUNDS or time.perf_counter() < end:
            found.append(_timed(network, session, shape, feed, concurrent=len(sessions)))
        return found[:-1]

    with ThreadPoolExecutor(len(sessions)) as threads:
        return [execution for found in threads.map(run, sessions) for execution in found]


def _timed(network: MeasuredNetwork, session: OnnxSession, shape: Shape, feed: Feed, *, concurrent: int) -> Execution:
    began = time.perf_counter()
    session.run(feed)
    seconds = time.perf_counter() - began
    return Execution(*shape, seconds, network.name, network.precision, network.threads, concurrent)
