"""A server that speaks Triton's protocol, computes nothing, and stalls on demand: to measure the measuring instrument.

    python -m tests.loadtest.stub_triton [--work-ms 0] [--stall-at 40 --stall-s 1] [--refuse-from 50]

It says `ready on PORT`, a port that was free, and answers one request at a time, in the order of their coming.
`--stall-at 40` lets the 41st inference (the embedder's check on connecting is none) wait for `--stall-s` seconds, and
everybody behind it too.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.support.written_repository import service_spec

DIMENSION = 4
SPEC = service_spec(model_id="stub", digest="d" * 64, dimension=DIMENSION, max_text_bytes=10_000)


class StubTriton(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Answers `embed_query` and `embed_document`, and counts as Triton does."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._inferences = 0

    async def ModelConfig(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        if request.name not in ("embed_query", "embed_document"):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {request.name}")
        reply = service_pb2.ModelConfigResponse()
        reply.config.name, reply.config.max_batch_size = request.name, 32
        for key, value in SPEC.to_parameters(1).items():
            reply.config.parameters[key].string_value = value
        for name in ("embedding", "tokens", "stage_us"):
            reply.config.output.add(name=name)
        return reply

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return service_pb2.ModelReadyResponse(ready=True)

    async def ModelStatistics(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        reply = service_pb2.ModelStatisticsResponse()
        entry = reply.model_stats.add(name="embed_query", version="1", inference_count=self._inferences)
        entry.inference_stats.success.count = self._inferences
        return reply

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        number, self._inferences = self._inferences, self._inferences + 1
        # time.sleep, not asyncio's: nobody else is served meanwhile.
        if self._options.work_ms:
            time.sleep(1e-3 * self._options.work_ms)
        if number == self._options.stall_at:
            time.sleep(self._options.stall_s)
        if number >= self._options.refuse_from:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "Exceeds maximum queue size")
        reply, texts = service_pb2.ModelInferResponse(model_name=request.model_name), request.inputs[0].shape[0]
        for name, datatype, width, value in (
            ("embedding", "FP32", DIMENSION, b"\0\0\0\0"),
            ("tokens", "INT32", 1, b"\7\0\0\0"),
            ("stage_us", "INT64", 3, b"\1\0\0\0\0\0\0\0"),
        ):
            reply.outputs.add(name=name, datatype=datatype, shape=[texts, width])
            reply.raw_output_contents.append(texts * width * value)
        return reply


async def serve(options: argparse.Namespace) -> None:
    """Until killed."""
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(StubTriton(options), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"ready on {port}", flush=True)  # noqa: T201
    await server.wait_for_termination()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work-ms", type=float, default=0.0)
    parser.add_argument("--stall-at", type=int, default=-1)
    parser.add_argument("--stall-s", type=float, default=0.0)
    parser.add_argument("--refuse-from", type=int, default=1 << 60)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
