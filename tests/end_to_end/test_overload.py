"""More than a service can do, work that nobody waits for, clocks that differ: on a real Triton."""

from __future__ import annotations

import shutil
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from interlingua.repository.triton_config import read_config, write_config
from interlingua.served.service import LONGEST_WAIT
from interlingua.served.text.counters import TOKEN_SECONDS
from interlingua.served.watch.canary import ask_first
from interlingua_client.deadline import Deadline
from interlingua_client.triton import conversation, messages
from interlingua_client.triton.inference import InferenceClient
from interlingua_loadtest.run.triton_statistics import counters
from interlingua_server.embedded import EmbeddedServer
from interlingua_server.model_control import ModelControl
from tests.support.services import Services, settings_for, tensor


def counts(server: EmbeddedServer, model: str) -> Counter[str]:
    """Our counters of version 1."""
    page = (
        urllib.request.urlopen(f"http://127.0.0.1:{server.settings.metrics_port}/metrics", timeout=60).read().decode()
    )
    return Counter(
        {
            name.removeprefix("interlingua_"): round(value)
            for (name, of, _), value in counters(page).items()
            if of == model and "_total" in name and name.startswith("interlingua_")
        }
    )


def test_what_a_client_no_longer_waits_for_is_not_computed(server: EmbeddedServer, services: Services) -> None:
    services.embed(["first"])
    before = counts(server, "embed_document")
    with pytest.raises(InferenceServerException, match="Deadline Exceeded"):
        services.client.infer("embed_document", [tensor("text", ["long text " * 400] * 64)], client_timeout=0.1)
    services.embed(["the other instance, or the same"])
    while not (risen := counts(server, "embed_document") - before)["requests_total:cancelled"]:
        time.sleep(0.1)
    assert risen["texts_total"] < 64
    assert risen["requests_total:answered"] == 1


def test_every_request_is_counted_by_what_became_of_it(server: EmbeddedServer, services: Services) -> None:
    before = counts(server, "embed_query")
    services.embed(["a"], "embed_query")
    services.embed(["a", "b"], "embed_query")
    for text, parameters in (("", {}), ("late", {"deadline_ms": 1}), ("waited", {"sent_us": sent_us(-30)})):
        with pytest.raises(InferenceServerException):
            services.embed([text], "embed_query", **parameters)
    risen = counts(server, "embed_query") - before
    outcomes = {name: number for name, number in risen.items() if name.startswith("requests")}
    assert outcomes == {"requests_total:answered": 2, "requests_total:invalid": 1, "requests_total:late": 2}
    assert risen["texts_total"] == 3


def sent_us(ago_s: float) -> int:
    return round(1e6 * (time.time() + ago_s))


@pytest.mark.parametrize("off_s", [3600.0, -3600.0, -5.0, 5.0])
def test_a_clients_clock_may_be_wrong(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, off_s: float) -> None:
    wrong = SimpleNamespace(time=lambda: time.time() + off_s, monotonic=time.monotonic)
    for module in (conversation, messages):
        monkeypatch.setattr(module, "time", wrong)
    with InferenceClient.connect(server.settings.grpc_address) as client:
        for _ in range(2):
            assert client.embed(["in time"], "query", Deadline.after(4.0)).vectors.shape == (1, 384)


def test_a_foreign_client_is_told_the_servers_clock(services: Services) -> None:
    stamps = {"sent_us": sent_us(-5), "deadline_ms": sent_us(-3) // 1000}
    with pytest.raises(InferenceServerException, match=r"deadline: passed 30\d\d ms .*server's clock: \d{13}\)"):
        services.embed(["late by its own clock"], **stamps)


@pytest.fixture(scope="module")
def impatient(tiny_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server whose embed_query makes nobody wait for more than half a second."""
    repository = tmp_path_factory.mktemp("impatient") / "models"
    shutil.copytree(tiny_repository, repository)
    path = repository / "embed_query" / "config.pbtxt"
    config = read_config(path)
    config.parameters[LONGEST_WAIT].string_value = "0.5"
    write_config(config, path)
    with EmbeddedServer(settings_for(repository)) as running:
        yield running


def flood(server: EmbeddedServer, requests: int) -> Counter[str]:
    """All at once, without deadlines: what they are told, by its first word."""
    client = triton.InferenceServerClient(server.settings.grpc_address)
    told: Counter[str] = Counter()

    def ended(error: InferenceServerException | None) -> None:
        kind, _, more = (error.message() if error else "answered").partition(":")
        told[kind if ("try again in" in more) == bool(error) else more] += 1

    inputs = [tensor("text", ["twenty words " * 10] * 8)]
    for _ in range(requests):
        client.async_infer("embed_query", inputs, callback=lambda **answer: ended(answer["error"]))
    while told.total() < requests:
        time.sleep(0.05)
    client.close()
    return told


def test_a_queue_that_is_too_long_is_refused_and_our_clients_ride_it_out(impatient: EmbeddedServer) -> None:
    services = Services(impatient)
    services.embed(["what a call costs is known"], "embed_query")
    before = counts(impatient, "embed_query")
    texts = [f"text {number}" for number in range(400)]
    with InferenceClient.connect(impatient.settings.grpc_address) as client, ThreadPoolExecutor(1) as beside:
        flooded = beside.submit(flood, impatient, 2000)
        embedded = client.embed(texts, "query")
        told = flooded.result()
    assert embedded.vectors.shape == (400, 32)
    assert set(told) == {"answered", "overloaded"}
    risen = counts(impatient, "embed_query") - before
    assert risen["requests_total:answered"] == told["answered"] + 50
    assert risen["requests_total:overloaded"] >= told["overloaded"]
    assert services.embed(["alone again"], "embed_query").vectors.shape == (1, 32)


def loaded_again(server: EmbeddedServer, service: str) -> None:
    server.http.reload(service)
    ask_first(server.http, service)


def test_a_service_that_is_loaded_again_under_load_reads_its_queue_again(impatient: EmbeddedServer) -> None:
    with ThreadPoolExecutor(1) as beside:
        flooded = beside.submit(flood, impatient, 1000)
        ModelControl(impatient.settings.grpc_address, impatient.admin_key).load("embed_query")
        flooded.result()
    loaded_again(impatient, "embed_query")
    assert "overloaded" in flood(impatient, 2000)
    page = urllib.request.urlopen(f"http://127.0.0.1:{impatient.settings.metrics_port}/metrics", timeout=60)
    lines = page.read().decode().splitlines()
    pending = [line for line in lines if line.startswith("nv_inference_pending") and '"embed_query"' in line]
    assert [line.split()[-1] for line in pending] == ["0"]


def test_a_service_that_was_started_or_loaded_has_measured_its_network(impatient: EmbeddedServer) -> None:
    def calls() -> float:
        url = f"http://127.0.0.1:{impatient.settings.metrics_port}/metrics"
        page = counters(urllib.request.urlopen(url, timeout=60).read().decode())
        assert {model for (name, model, _), value in page.items() if name == TOKEN_SECONDS and value > 0} == services
        return page["nv_inference_request_success", "embedder", "1"]

    services = {"embed_document", "embed_query", "rerank"}
    calls()
    loaded_again(impatient, "embed_document")
    before = calls()
    Services(impatient).embed(["the first of a user"])
    assert calls() == before + 1
    loaded_again(impatient, "embed_query")  # embed_document's measurement serves it, too
    assert calls() == before + 2
