"""Triton's messages: requests are written of steps, and answers read; without any network in it.

    Step --rpc_of--> method, request message, reader of the reply --> Answer ... --embedded, reranked--> vectors, scores

Both clients (inference.py, async_inference.py) carry the messages.
"""

from __future__ import annotations

import math
import struct
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2

from interlingua.base.errors import ServerError
from interlingua.served.graph_names import DEADLINE, EMBEDDING, SCORE, SENT, STAGES, TOKEN_VECTORS, TOKENS
from interlingua.served.token_vectors import unpacked
from interlingua_client.embedder import Embedded, Reranked, ServiceTimes, require_shape, require_vectors
from interlingua_client.token_encoder import EncodedTexts
from interlingua_client.triton.conversation_steps import Answer, AskReady, AskServerReady, Infer, ReadConfig
from interlingua_client.triton.server_failures import RpcFailedError
from interlingua_client.triton.services import ModelConfig, PinnedService

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_STAGE_PARAMETERS = ("queue_us", "tokenize_us", "compute_us")
_LENGTH = struct.Struct("<I")
_DTYPES = {"FP32": "<f4", "INT32": "<i4", "INT64": "<i8"}


def rpc_of(step: ReadConfig | AskReady | AskServerReady | Infer) -> tuple[str, Any, Callable[[Any], Any]]:
    """Method, request message, and what reads the reply."""
    if isinstance(step, ReadConfig):
        return "ModelConfig", service_pb2.ModelConfigRequest(name=step.model), _read_config
    if isinstance(step, AskReady):
        request = service_pb2.ModelReadyRequest(name=step.model, version=str(step.version))
        return "ModelReady", request, lambda reply: reply.ready
    if isinstance(step, AskServerReady):
        return "ServerReady", service_pb2.ServerReadyRequest(), lambda reply: reply.ready
    return "ModelInfer", infer_request(step), read_answer


def _read_config(reply: Any) -> ModelConfig:
    config = reply.config
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    return ModelConfig(
        config.name, parameters, config.max_batch_size, frozenset(output.name for output in config.output)
    )


def infer_request(step: Infer) -> Any:
    """The message, stamped with the time: made anew for every attempt."""
    service = step.call.service
    request = service_pb2.ModelInferRequest(model_name=service.name, model_version=str(service.version))
    now = time.time() + step.clock_s
    request.parameters[SENT].int64_param = round(1e6 * now)
    # Without a deadline too: who has stopped listening is not to be computed for.
    left_s = step.timeout_s if step.deadline is None else step.deadline.remaining_s()
    request.parameters[DEADLINE].int64_param = math.floor(1e3 * (now + left_s))
    for name, texts in step.call.columns.items():
        request.inputs.add(name=name, datatype="BYTES", shape=[len(texts), 1])
        request.raw_input_contents.append(_bytes_tensor(texts))
    for name in sorted(step.call.outputs or service.outputs):
        request.outputs.add(name=name)
    return request


def _bytes_tensor(texts: Sequence[str]) -> bytes:
    """Triton's BYTES: each element after its length as a little-endian u32."""
    encoded = [text.encode(errors="surrogatepass") for text in texts]
    return b"".join(_LENGTH.pack(len(raw)) + raw for raw in encoded)


def read_answer(reply: Any) -> Answer:
    """An answer's values. Raises RpcFailedError: what came is not of the size that it states.

    Triton 24.10 answers so for a stub that was stopped for more than a second, and goes on.
    """
    try:
        return _answer(reply)
    except (ValueError, KeyError) as error:
        raise RpcFailedError("INTERNAL", f"the answer is damaged ({error})") from error


def _answer(reply: Any) -> Answer:
    tensors: dict[str, npt.NDArray[Any]] = {}
    for output, raw in zip(reply.outputs, reply.raw_output_contents, strict=True):
        read = _token_vectors(raw) if output.datatype == "BYTES" else np.frombuffer(raw, _DTYPES[output.datatype])
        tensors[output.name] = read.reshape(tuple(output.shape))
    values = next((tensors[name] for name in (EMBEDDING, SCORE, TOKEN_VECTORS) if name in tensors), None)
    if tensors.keys() == {TOKENS}:
        values = np.empty((tensors[TOKENS].size, 0), np.float32)
    if values is None or TOKENS not in tensors:
        raise ServerError(f"{reply.model_name} answered with {sorted(tensors)}: not a service of Interlingua's")
    return Answer(
        values.reshape(-1) if values.dtype == np.object_ else values.astype(np.float32, copy=False),
        tensors[TOKENS].reshape(-1).astype(np.int64),
        _stages(tensors.get(STAGES), reply.parameters),
    )


def _token_vectors(raw: bytes) -> npt.NDArray[Any]:
    """Triton's BYTES, each element a text's token vectors in their wire form; objects [n]. Raises ValueError."""
    found, place = [], 0
    while place < len(raw):
        if place + _LENGTH.size > len(raw):
            raise ValueError("the end of the token vectors is missing")
        (size,) = _LENGTH.unpack_from(raw, place)
        place += _LENGTH.size + size
        found.append(unpacked(raw[place - size : place]))
    values = np.empty(len(found), np.object_)
    for row, text in enumerate(found):  # numpy would make more dimensions of a list
        values[row] = text
    return values


def _stages(tensor: npt.NDArray[Any] | None, parameters: Any) -> tuple[float, float, float] | None:
    """Seconds in the queue, tokenizing and computing, from wherever the server puts them."""
    if tensor is not None and tensor.size >= 3:
        queue, tokenize, compute = (1e-6 * float(value) for value in tensor.reshape(-1)[:3])
        return queue, tokenize, compute
    if all(name in parameters for name in _STAGE_PARAMETERS):
        queue, tokenize, compute = (1e-6 * parameters[name].int64_param for name in _STAGE_PARAMETERS)
        return queue, tokenize, compute
    return None


def embedded(answers: Sequence[Answer], service: PinnedService, started: float) -> Embedded:
    times = _times(answers, started)
    if not answers:
        empty = np.empty((0, service.spec.dimension), np.float32)
        return Embedded(empty, np.empty(0, np.int64), np.empty(0, np.bool_), times)
    tokens = np.concatenate([answer.tokens for answer in answers])
    for answer in answers:
        require_shape(answer.values, len(answer.tokens), service.spec.dimension)
    vectors = np.concatenate([answer.values for answer in answers])
    return Embedded(vectors, tokens, tokens > service.spec.max_tokens, times)


def counted(answers: Sequence[Answer]) -> list[int]:
    return [int(tokens) for answer in answers for tokens in answer.tokens]


def reranked(answers: Sequence[Answer], started: float) -> Reranked:
    scores = [answer.values.reshape(-1) for answer in answers]
    tokens = [answer.tokens for answer in answers]
    return Reranked(
        np.concatenate([np.empty(0, np.float32), *scores]),
        _times(answers, started),
        np.concatenate([np.empty(0, np.int64), *tokens]),
    )


def encoded(answers: Sequence[Answer], service: PinnedService, started: float) -> EncodedTexts:
    """Raises ServerError: vectors of another dimension than the service states came, or some that are not finite."""
    texts = [text for answer in answers for text in answer.values]
    for text in texts:
        require_vectors(text.vectors, len(text.weights), service.spec.dimension, lambda row: f"token {row + 1}")
        if not np.isfinite(text.weights).all():
            raise ServerError(f"{service.name} gave a token's weight that is not finite: export the reranker in fp32")
    return EncodedTexts(texts, _times(answers, started))


def _times(answers: Sequence[Answer], started: float) -> ServiceTimes:
    total = time.monotonic() - started
    reported = [answer.stages_s for answer in answers if answer.stages_s]
    if not reported:
        return ServiceTimes(total)
    slowest = max(reported, key=sum)
    return ServiceTimes(total, *slowest, network_s=max(total - sum(slowest), 0.0))
