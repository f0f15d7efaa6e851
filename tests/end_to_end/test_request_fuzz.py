"""2,000 requests of many kinds at a live server: the bad ones are refused alone, every neighbour is answered.

A seeded generator writes each request with what has to come of it; two dozen clients send them side by side, so that
good and bad ones meet in the services' batches.
"""

from __future__ import annotations

import math
import random
import struct
import time
import unicodedata
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from interlingua_benchmarks.faults.healthy_clients import HealthyClients
from interlingua_server.embedded import EmbeddedServer
from tests.support.services import settings_for

REQUESTS = 2000
CLIENTS = 24
SEED = 15
COMPOSED = "비밀번호"
IN_PARTS = unicodedata.normalize("NFD", COMPOSED)
GOOD_TEXTS = (
    "How do I reset my password?",
    "</s> where is my parcel?",
    "<s><mask></s>",
    "пароль",
    COMPOSED,
    IN_PARTS,
    "pass\u00adword",
    "password",
    "x",
    "long " * 90,
    '{"deadline_ms": "abc"}',
)
BAD_TEXTS = (b"", b" \n\t", b"one\0two", b"caf\xe9", b"\xed\xa0\x80", "\u200b\u00ad".encode(), b"x" * 70_000)

Value = dict[str, Any]  # of gRPC's InferParameter: its one field
Rng = random.Random


@dataclass(frozen=True)
class Asked:
    """A request, and the status it has to get: "OK", "INVALID_ARGUMENT" or "UNAVAILABLE"."""

    service: str
    texts: tuple[bytes, ...]
    parameters: dict[str, Value]
    status: str


def good_time(rng: Rng, per_second: int) -> Value:
    number = int((time.time() + rng.randrange(600, 10**6)) * per_second)
    return rng.choice(({"int64_param": number}, {"string_param": str(number)}, {"string_param": f"00{number}"}))


def no_time(rng: Rng) -> Value:
    letters = "abc 0123456789.,-+_e\u0663\u00bd\N{ROMAN NUMERAL FIVE}'\"\\{}[]\n"
    kind: Callable[[], Value] = rng.choice(
        (
            lambda: {"string_param": rng.choice(("500ms", "abc", "", "1e30", "nan", "inf", "-1", "9" * 5000, "1.5"))},
            lambda: {"string_param": "x" + "".join(rng.choices(letters, k=rng.randrange(12)))},
            lambda: {"int64_param": rng.choice((-1, -(2**63), 2**63 - 1, -rng.randrange(1, 2**62)))},
            lambda: {"bool_param": rng.random() < 0.5},
            lambda: {"double_param": rng.choice((math.nan, math.inf, -math.inf, -0.5, 1e30, -1e300))},
            lambda: {"uint64_param": 2**64 - 1 - rng.randrange(1000)},
        )
    )
    return kind()


def other_parameter(rng: Rng) -> Value:
    """Of a name that no service knows."""
    return rng.choice(
        (
            {"string_param": rng.choice(("\u0000", '"', "\\", "\u2028", "\U0001f600", "x" * 9000))},
            {"int64_param": rng.randrange(-(2**63), 2**63)},
            {"bool_param": True},
        )
    )


def asked(rng: Rng) -> Asked:
    service = rng.choice(("embed_query", "embed_document", "rerank"))
    texts = tuple(text.encode() for text in rng.choices(GOOD_TEXTS, k=rng.choice((1, 1, 1, 2, 5))))
    parameters: dict[str, Value] = {}
    if rng.random() < 0.3:
        parameters[f"other_{rng.randrange(9)}"] = other_parameter(rng)
    kind = rng.choice(("plain", "plain", "times", "no time", "no time", "bad text", "late"))
    if kind == "times":
        parameters["deadline_ms"] = good_time(rng, 1000)
        parameters["sent_us"] = rng.choice((good_time(rng, 10**6), {"int64_param": int(time.time() * 1e6)}))
    elif kind == "no time":
        parameters[rng.choice(("deadline_ms", "sent_us"))] = no_time(rng)
    elif kind == "late":
        parameters["deadline_ms"] = {"int64_param": rng.choice((0, 1, int(time.time() * 1000) - 1))}
    elif kind == "bad text":
        place = rng.randrange(len(texts))
        texts = (*texts[:place], rng.choice(BAD_TEXTS), *texts[place + 1 :])
    status = {"no time": "INVALID_ARGUMENT", "bad text": "INVALID_ARGUMENT", "late": "UNAVAILABLE"}.get(kind, "OK")
    return Asked(service, texts, parameters, status)


class Client:
    """Triton's own protocol, one attempt a request."""

    def __init__(self, address: str) -> None:
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))

    def answer(self, one: Asked) -> tuple[str, str | np.ndarray]:
        """The status, and the message or the values, float32 [texts, D]."""
        request = service_pb2.ModelInferRequest(model_name=one.service)
        for name, value in one.parameters.items():
            for field, content in value.items():
                setattr(request.parameters[name], field, content)
        for name in ("query", "document") if one.service == "rerank" else ("text",):
            request.inputs.add(name=name, datatype="BYTES", shape=[len(one.texts), 1])
            request.raw_input_contents.append(b"".join(struct.pack("<I", len(text)) + text for text in one.texts))
        try:
            reply = self._stub.ModelInfer(request, timeout=120)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        (place,) = (n for n, output in enumerate(reply.outputs) if output.name in ("embedding", "score"))
        values = np.frombuffer(reply.raw_output_contents[place], np.float32)
        return "OK", values.reshape(tuple(reply.outputs[place].shape))


@pytest.fixture(scope="module")
def tiny_server(tiny_repository: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(settings_for(tiny_repository)) as running:
        yield running


@pytest.fixture(scope="module")
def expected(tiny_server: EmbeddedServer) -> dict[tuple[str, bytes], np.ndarray]:
    """Each good text's answer, asked alone."""
    client, found = Client(tiny_server.settings.grpc_address), {}
    for service in ("embed_query", "embed_document", "rerank"):
        for text in GOOD_TEXTS:
            status, values = client.answer(Asked(service, (text.encode(),), {}, "OK"))
            assert status == "OK", values
            found[service, text.encode()] = np.asarray(values)[0]
    return found


def test_bad_requests_are_refused_alone(
    tiny_server: EmbeddedServer, expected: dict[tuple[str, bytes], np.ndarray]
) -> None:
    rng = random.Random(SEED)
    requests = [asked(rng) for _ in range(REQUESTS)]
    clients = [Client(tiny_server.settings.grpc_address) for _ in range(CLIENTS)]

    def ask(number: int) -> tuple[str, str | np.ndarray]:
        return clients[number % CLIENTS].answer(requests[number])

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(ask, range(REQUESTS)))
    wrong = [
        (one, status, found) for one, (status, found) in zip(requests, answers, strict=True) if status != one.status
    ]
    assert not wrong, (Counter((one.status, status) for one, status, _ in wrong), wrong[:5])
    for one, (status, found) in zip(requests, answers, strict=True):
        if status == "OK":
            alone = np.array([expected[one.service, text] for text in one.texts])
            np.testing.assert_allclose(found, alone, atol=1e-4)
        else:
            assert "/" not in str(found).split("invalid")[0]  # no paths of the server's
            assert "Traceback" not in str(found)
    assert min(Counter(status for status, _ in answers).values()) > REQUESTS / 20


NO_TIMES = ("null", "[]", "[5]", "{}", '"x"', "true", "-1", "1e30", "9" * 400, "9" * 5000, '"\\ud800"', '"\\u0000"')


def test_bad_requests_of_http_are_refused_alone(
    tiny_server: EmbeddedServer, expected: dict[tuple[str, bytes], np.ndarray]
) -> None:
    """Whatever JSON can hold in place of a time; Triton itself refuses some of it."""
    url = f"http://127.0.0.1:{tiny_server.settings.http_port}/v2/models/embed_query/infer"

    def post(name: str, value: str) -> int:
        text = '{"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": ["x"]}'
        body = f'{{"inputs": [{text}], "parameters": {{"{name}": {value}}}}}'
        try:
            return int(urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=60).status)
        except urllib.error.HTTPError as error:
            return error.code

    bad = [(name, value) for name in ("deadline_ms", "sent_us") for value in NO_TIMES] * 4
    good = Asked("embed_query", (COMPOSED.encode(), b"x"), {}, "OK")
    client = Client(tiny_server.settings.grpc_address)
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = pool.map(post, *zip(*bad, strict=True))
        answers = list(pool.map(lambda _: client.answer(good), range(200)))
        refused = dict(zip(bad, statuses, strict=True))
    assert {asked: status for asked, status in refused.items() if not 400 <= status < 600} == {}
    for status, found in answers:
        assert status == "OK", found
        np.testing.assert_allclose(found, [expected["embed_query", text] for text in good.texts], atol=1e-4)


WHOLE = struct.pack("<I", 5) + b"hello"
CUT_SHORT = (WHOLE[:-1], struct.pack("<I", 900) + b"hello")  # these fail their whole batch
MALFORMED_TENSORS = (*CUT_SHORT, *CUT_SHORT, WHOLE + WHOLE, b"", b"\5\0", struct.pack("<I", 3) + b"hello")
MALFORMED_BODIES = ("", "{", "[]", "{}", '{"inputs": []}', '{"inputs": [{"name": "text"}]}', '{"inputs": "text"}')


def malformed_call(rng: Rng) -> service_pb2.ModelInferRequest:
    """One that Triton refuses: by its tensor, its shape, its type, its names, its version."""
    request = service_pb2.ModelInferRequest(model_name=rng.choice(("embed_query", "embed_document")))
    name, datatype, shape, raw = "text", "BYTES", [1, 1], WHOLE
    kind = rng.choice((*["tensor"] * 8, "shape", "type", "input", "output", "model", "version", "nothing"))
    if kind == "tensor":
        raw = rng.choice(MALFORMED_TENSORS)
    elif kind == "shape":
        shape = rng.choice(([2, 1], [1], [1, 2], [1, 1, 1], [65, 1]))
    elif kind == "type":
        datatype = rng.choice(("INT64", "FP32", "BOOL", "TEXT", ""))
    elif kind == "input":
        name = rng.choice(("Text", "", "query", "\u2028"))
    elif kind == "output":
        request.outputs.add(name="nothing")
    elif kind == "model":
        request.model_name = rng.choice(("", "nobody", "../embed_query", "embed_query/1"))
    elif kind == "version":
        request.model_version = rng.choice(("7", "one"))
    if kind != "nothing":
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append(raw)
    return request


def test_healthy_clients_beside_a_thousand_malformed_requests(tiny_server: EmbeddedServer) -> None:
    """Some of them fail the batch that they are in: our clients ask once more, alone, and nobody is told of it."""
    rng, settings = random.Random(SEED), tiny_server.settings
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(settings.grpc_address))

    def call(request: service_pb2.ModelInferRequest) -> str:
        try:
            stub.ModelInfer(request, timeout=120)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    def post(body: str) -> int:
        url = f"http://127.0.0.1:{settings.http_port}/v2/models/embed_query/infer"
        try:
            return int(urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=60).status)
        except urllib.error.HTTPError as error:
            return error.code

    with HealthyClients(settings.grpc_address, 3) as healthy, ThreadPoolExecutor(6) as pool:
        calls = [malformed_call(rng) for _ in range(700)]
        statuses = pool.map(call, calls)
        codes = pool.map(post, rng.choices(MALFORMED_BODIES, k=300))
        assert [one for one, status in zip(calls, statuses, strict=True) if status == "OK"] == []
        assert not [code for code in codes if not 400 <= code < 600]
    assert healthy.wrong == []
    assert healthy.errors == []


@pytest.mark.parametrize("service", ["embed_query", "embed_document", "rerank"])
@pytest.mark.parametrize(
    ("text", "other"), [(COMPOSED, IN_PARTS), ("password", "pass\u00adword")], ids=["NFD", "hyphen"]
)
def test_every_form_of_a_text_is_one_text(
    expected: dict[tuple[str, bytes], np.ndarray], service: str, text: str, other: str
) -> None:
    np.testing.assert_allclose(expected[service, text.encode()], expected[service, other.encode()], atol=1e-5)
