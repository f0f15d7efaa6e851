"""Closed-loop clients: each sends its next text when the last one is answered. For throughput, not for latency
under a given load: a stalled server slows its own clients down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio


@dataclass(frozen=True)
class ClosedLoopResult:
    """What the clients saw; seconds of each request, in the order they ended."""

    clients: int
    wall_s: float
    latencies_s: tuple[float, ...]

    @property
    def texts_per_second(self) -> float:
        return len(self.latencies_s) / self.wall_s

    def percentile_ms(self, share: float) -> float:
        """Latency below which `share` percent of the requests stayed."""
        return 1e3 * float(np.percentile(self.latencies_s, share))


def run_closed_loop(address: str, service: str, texts: Sequence[str], clients: int, requests: int) -> ClosedLoopResult:
    """`requests` requests of one text each, over one connection, `clients` at a time."""
    return asyncio.run(_run(address, service, [_input(text) for text in texts], clients, requests))


async def _run(
    address: str, service: str, inputs: Sequence[triton.InferInput], clients: int, requests: int
) -> ClosedLoopResult:
    latencies: list[float] = []
    numbers = iter(range(requests))
    outputs = [triton.InferRequestedOutput("embedding")]
    async with triton_aio.InferenceServerClient(address) as connection:

        async def loop() -> None:
            for number in numbers:
                began = time.perf_counter()
                await connection.infer(service, [inputs[number % len(inputs)]], outputs=outputs)
                latencies.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(loop() for _ in range(clients)))
        return ClosedLoopResult(clients, time.perf_counter() - began, tuple(latencies))


def _input(text: str) -> triton.InferInput:
    tensor = triton.InferInput("text", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[text.encode()]], dtype=np.object_))
    return tensor
