"""The services on a real Triton, called as a client in any language would: answers, bad input, load."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import tritonclient.grpc as triton
from tokenizers import Tokenizer
from tritonclient.utils import InferenceServerException

from interlingua.base.errors import DeadlineExceededError, RequestRejectedError
from interlingua_client.deadline import Deadline
from interlingua_client.triton.inference import InferenceClient
from interlingua_server.embedded import EmbeddedServer
from tests.support.services import Services, tensor

TEXTS = [
    "How do I reset my password?",
    "¿Cómo cambio mi contraseña?",
    "パスワードを忘れました。",
    "Мой роутер мигает красным светом с самого утра, и интернета нет ни на одном устройстве.",
    "मेरा कैमरा ऑफ़लाइन है",
    "طرد متضرر " * 30,
]


@pytest.fixture(scope="module")
def reference(repository: Path) -> np.ndarray:
    """The network itself, one text at a time, float32 [texts, D]."""
    tokenizer = Tokenizer.from_file(str(repository / "embed_document/1/tokenizer.json"))
    session = ort.InferenceSession(str(repository / "embedder/1/model.onnx"))
    rows = []
    for text in TEXTS:
        ids = np.array([tokenizer.encode(f"passage: {text}").ids[:512]])
        rows.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    return np.array(rows)


def test_the_service_gives_what_the_network_gives(services: Services, reference: np.ndarray) -> None:
    together = services.embed(TEXTS)
    np.testing.assert_allclose(together.vectors, reference, atol=2e-5)
    assert together.tokens.shape == (len(TEXTS), 1)
    assert (together.stage_us >= 0).all()


def test_query_and_document_prompts_differ(services: Services) -> None:
    query = services.embed(TEXTS[:1], "embed_query").vectors[0]
    document = services.embed(TEXTS[:1], "embed_document").vectors[0]
    assert 0.5 < float(query @ document) < 0.999


def test_a_question_is_nearer_to_its_translation_than_to_another_subject(services: Services) -> None:
    english, spanish, _, russian, *_ = services.embed(TEXTS, "embed_query").vectors
    assert english @ spanish > english @ russian + 0.05


def test_thirty_two_clients_each_get_their_own_answer(services: Services, reference: np.ndarray) -> None:
    def ask(number: int) -> float:
        which = number % len(TEXTS)
        return float(np.abs(services.embed([TEXTS[which]]).vectors[0] - reference[which]).max())

    with ThreadPoolExecutor(32) as clients:
        worst = max(clients.map(ask, range(256)))
    assert worst < 2e-5


BAD_TEXTS = {
    "empty": ("", "is empty"),
    "blank": (" \n\t", "is empty"),
    "invalid UTF-8": (b"caf\xe9 au lait", "not valid UTF-8 at byte 3"),
    "NUL": ("one\0two", "NUL character at position 3"),
    "1 MB": ("x" * (1 << 20), "has 1048576 bytes, this service takes at most 65536"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_a_bad_text_fails_alone(services: Services, reference: np.ndarray, name: str) -> None:
    bad, message = BAD_TEXTS[name]
    failures: list[str] = []

    def ask_badly() -> None:
        for _ in range(8):
            with pytest.raises(InferenceServerException) as caught:
                services.embed([bad])
            failures.append(str(caught.value))

    disturber = threading.Thread(target=ask_badly)
    disturber.start()
    with ThreadPoolExecutor(8) as neighbours:
        answers = list(neighbours.map(lambda which: services.embed([TEXTS[which]]).vectors[0], [0, 1, 2, 4] * 8))
    disturber.join()
    np.testing.assert_allclose(answers, reference[[0, 1, 2, 4] * 8], atol=2e-5)
    assert len(failures) == 8
    assert all("INVALID_ARGUMENT" in failure and message in failure for failure in failures)


def test_a_bad_text_in_a_request_is_named_by_its_row(services: Services) -> None:
    with pytest.raises(InferenceServerException, match=r"invalid text: text\[1\] is empty"):
        services.embed(["fine", "", "fine"])


@pytest.mark.parametrize(
    ("shape", "datatype", "value"),
    [
        pytest.param([1, 2], "BYTES", [["a", "b"]], id="two texts in a row"),
        pytest.param([1], "BYTES", ["a"], id="no batch dimension"),
        pytest.param([1, 1], "INT64", [[7]], id="a number"),
        pytest.param([65, 1], "BYTES", [["a"]] * 65, id="more than max_batch_size"),
    ],
)
def test_a_wrong_shape_or_type_is_refused(
    services: Services, shape: list[int], datatype: str, value: list[list[object]]
) -> None:
    wrong = triton.InferInput("text", shape, datatype)
    wrong.set_data_from_numpy(np.array(value, dtype=np.int64 if datatype == "INT64" else np.object_))
    with pytest.raises(InferenceServerException, match="INVALID_ARGUMENT"):
        services.client.infer("embed_query", [wrong])
    assert services.embed(["still there"], "embed_query").vectors.shape == (1, 384)


def test_a_long_text_is_truncated_and_says_so(services: Services) -> None:
    long = services.embed(["word " * 2000])
    assert long.tokens[0, 0] > 512
    assert services.embed(["word " * 100]).tokens[0, 0] < 512
    # What lies beyond the limit changes nothing.
    other = services.embed(["word " * 2000 + "camera"])
    np.testing.assert_allclose(long.vectors, other.vectors, atol=1e-6)


def test_a_deadline_that_has_passed_is_refused_before_the_work(services: Services) -> None:
    with pytest.raises(InferenceServerException, match=r"UNAVAILABLE.*deadline: passed"):
        services.embed(["late"], deadline_ms=int(time.time() * 1000) - 50)


def test_a_deadline_that_cannot_be_met_is_refused_at_once(services: Services) -> None:
    """Where the machine stalls for 150 ms the deadline has passed meanwhile, and a refusal is late: so one of five."""
    services.embed(["the first request measures the cost of a call"])
    texts = ["long text " * 200] * 32
    refusals: list[tuple[float, str]] = []
    for _ in range(5):
        began = time.monotonic()
        with pytest.raises(InferenceServerException, match="deadline: ") as caught:
            services.embed(texts, deadline_ms=int(time.time() * 1000) + 150)
        refusals.append((time.monotonic() - began, str(caught.value)))
    began = time.monotonic()
    services.embed(texts)
    whole_s = time.monotonic() - began
    assert any(seconds < whole_s / 3 and "it cannot be met" in message for seconds, message in refusals), refusals


def test_a_deadline_far_away_is_met(services: Services) -> None:
    answer = services.embed(["in time"], deadline_ms=int(time.time() * 1000) + 60_000)
    assert answer.vectors.shape == (1, 384)


def test_clients_that_disconnect_leave_the_server_working(services: Services, reference: np.ndarray) -> None:
    for _ in range(5):
        client = triton.InferenceServerClient(services.address)
        for _ in range(8):
            client.async_infer("embed_document", [tensor("text", ["gone " * 300])], callback=lambda **_: None)
        client.close()
    answer = services.embed(TEXTS[:1])
    np.testing.assert_allclose(answer.vectors[0], reference[0], atol=2e-5)


def test_rerank_scores_do_not_depend_on_the_batch(services: Services) -> None:
    documents = [*TEXTS, "short", "much longer " * 20]
    together = services.rerank(TEXTS[0], documents)
    alone = np.concatenate([services.rerank(TEXTS[0], [document]) for document in documents])
    assert together.shape == (len(documents), 1)
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.std(together) > 0


def test_rerank_names_the_bad_side(services: Services) -> None:
    with pytest.raises(InferenceServerException, match=r"invalid text: document\[0\] is empty"):
        services.rerank("query", [""])


def test_the_services_publish_their_metrics(services: Services, server: EmbeddedServer) -> None:
    def read() -> dict[str, float]:
        url = f"http://127.0.0.1:{server.settings.metrics_port}/metrics"
        lines = urllib.request.urlopen(url, timeout=60).read().decode().splitlines()
        ours = [line for line in lines if line.startswith("interlingua_") and 'model="embed_query"' in line]
        return {line.split("{")[0].removeprefix("interlingua_"): float(line.split()[-1]) for line in ours}

    before = read()
    tokens = services.embed(["one two three", "four"], "embed_query").tokens.sum()
    services.embed(["word " * 2000], "embed_query")
    with pytest.raises(InferenceServerException):
        services.embed(["late"], "embed_query", deadline_ms=1)
    after = read()
    change = {name: after[name] - before[name] for name in after}
    assert change["texts_total"] == 3
    assert change["tokens_total"] == tokens + 512
    assert change["truncated_texts_total"] == 1
    assert change["shed_requests_total"] == 1
    assert change["padded_tokens_total"] >= change["tokens_total"]


def test_texts_are_counted_without_being_computed(services: Services, server: EmbeddedServer, repository: Path) -> None:
    def read() -> dict[str, float]:
        url = f"http://127.0.0.1:{server.settings.metrics_port}/metrics"
        lines = urllib.request.urlopen(url, timeout=60).read().decode().splitlines()
        ours = [line for line in lines if line.startswith("interlingua_") and 'model="embed_document"' in line]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in ours}

    tokenizer = Tokenizer.from_file(str(repository / "embed_document/1/tokenizer.json"))
    texts = [*TEXTS, "word " * 2000] * 10
    expected = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
    with InferenceClient.connect(services.address) as client:
        client.embed(["the counters are there once something was computed"], "document")
        before = read()
        assert client.count_tokens(texts, "document") == client.count_tokens(texts, "query") == expected
        assert client.count_tokens([], "document") == []
        with pytest.raises(RequestRejectedError, match=r"invalid text: text\[1\] is empty"):
            client.count_tokens(["fine", " "], "document")
        with pytest.raises(DeadlineExceededError):
            client.count_tokens(["late"], "document", Deadline.after(-1))
    changed = {name: value for name, value in read().items() if value != before[name] and "_seconds" not in name}
    assert {name.split('outcome="')[1].split('"')[0] for name in changed} == {"answered", "invalid"}


def test_pairs_are_counted_both_together(services: Services, repository: Path) -> None:
    tokenizer = Tokenizer.from_file(str(repository / "rerank/1/tokenizer.json"))
    inputs = [tensor("query", TEXTS[:2]), tensor("document", TEXTS[2:4])]
    counted = services.client.infer("rerank", inputs, outputs=[triton.InferRequestedOutput("tokens")])
    alone = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in TEXTS[:4]]
    assert counted.as_numpy("tokens").tolist() == [[alone[0] + alone[2]], [alone[1] + alone[3]]]
    assert counted.as_numpy("score") is None


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("v2/repository/models/embedder/unload", "POST"),
        ("v2/repository/index", "POST"),
        ("v2/systemsharedmemory/status", "GET"),
        ("v2/trace/setting", "GET"),
        ("v2/logging", "GET"),
    ],
)
def test_administration_is_closed(server: EmbeddedServer, path: str, method: str) -> None:
    url = f"http://127.0.0.1:{server.settings.http_port}/{path}"
    request = urllib.request.Request(url, data=b"{}" if method == "POST" else None, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 403


def test_administration_over_grpc_is_closed(services: Services) -> None:
    with pytest.raises(InferenceServerException, match="expecting header"):
        services.client.unload_model("embedder")
    with pytest.raises(InferenceServerException, match="expecting header"):
        services.client.get_system_shared_memory_status()


def test_http_clients_are_served_too(server: EmbeddedServer, reference: np.ndarray) -> None:
    body = {"inputs": [{"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": [TEXTS[1]]}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.settings.http_port}/v2/models/embed_document/infer", json.dumps(body).encode()
    )
    answer = json.loads(urllib.request.urlopen(request, timeout=60).read())
    vector = next(output["data"] for output in answer["outputs"] if output["name"] == "embedding")
    np.testing.assert_allclose(vector, reference[1], atol=2e-5)
