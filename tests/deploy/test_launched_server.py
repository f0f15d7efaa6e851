"""launch.py starts a real Triton of the container's release; the one difference is our own onnxruntime backend.

A tiny network made by hand (the sum of the ids, and their number) keeps it fast.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
import tritonclient.grpc as triton
from onnx import TensorProto, helper

from interlingua.served.watch.restart_metric import RESTARTS
from interlingua_server.backend_folder import compose_backends
from interlingua_server.embedded import _environment
from interlingua_server.environment import prepare_runtime
from interlingua_server.ports import free_ports
from tests.deploy.deploy_files import DEPLOY
from tests.deploy.metric_names import COUNTERS, GAUGES, own
from tests.support.written_repository import service_spec, write_embedder

pytestmark = pytest.mark.server
KEY = "a-key-for-this-test"
INPUTS = ("input_ids", "attention_mask")


def write_network(path: Path) -> None:
    """embedding [n, 2] = (sum of the ids, sum of the mask) as float."""
    rows = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in INPUTS]
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 2])
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("ReduceSum", ["input_ids", "axis"], ["ids"], keepdims=1),
        helper.make_node("ReduceSum", ["attention_mask", "axis"], ["count"], keepdims=1),
        helper.make_node("Concat", ["ids", "count"], ["both"], axis=1),
        helper.make_node("Cast", ["both"], ["embedding"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(nodes, "tiny", rows, [out], initializer=[axis])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def write_models(folder: Path, tokenizer: bytes) -> None:
    spec = service_spec(network_inputs=",".join(INPUTS), dimension=2, max_tokens=32, max_text_bytes=4096)
    write_embedder(folder, spec, services=("embed_query",), max_batch_size=64, tokenizer=tokenizer)
    write_network(folder / "embedder" / "1" / "model.onnx")


@dataclass(frozen=True, kw_only=True)
class Launched:
    process: subprocess.Popen[bytes]
    http: int
    metrics: int
    grpc: int
    environment: dict[str, str]
    log: Path

    def get(self, port: int, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def wait(self) -> None:
        while not self.is_ready():
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            self.get(self.http, "/v2/health/ready")
        except (urllib.error.URLError, OSError):
            return False
        return True


def launch(folder: Path) -> Launched:
    """The launcher on what lies in a folder, whose user wants one restart at most."""
    runtime = prepare_runtime()
    http, grpc, metrics = free_ports(3)
    environment = _environment(runtime) | {
        "INTERLINGUA_MODELS": str(folder / "models"),
        "INTERLINGUA_BACKENDS": str(folder / "backends"),
        "INTERLINGUA_ADMIN_KEY_FILE": str(folder / "key"),
        "INTERLINGUA_MOST_RESTARTS": "1",
        "PYTHONPATH": str(folder / "backends"),
    }
    environment["PATH"] = f"{runtime.binary.parent}:{environment['PATH']}"
    flags = [f"--{name}-address=127.0.0.1" for name in ("grpc", "metrics")]
    flags += [f"--http-port={http}", f"--grpc-port={grpc}", f"--metrics-port={metrics}"]
    line = [sys.executable, str(DEPLOY / "launch.py"), *flags, "--metrics-config=summary_latencies=true"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    return Launched(process=process, http=http, grpc=grpc, metrics=metrics, environment=environment, log=folder / "log")


def end(launched: Launched) -> None:
    """Its Triton ends with it."""
    if launched.process.poll() is None:
        launched.process.kill()
        launched.process.wait()


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Path:
    folder = tmp_path_factory.mktemp("container")
    write_models(folder / "models", tokenizer_json["bert"])
    (folder / "key").write_text(KEY)
    compose_backends(prepare_runtime(), folder / "backends")
    return folder


@pytest.fixture(scope="module")
def launched(container: Path) -> Iterator[Launched]:
    running = launch(container)
    try:
        running.wait()
        yield running
    finally:
        end(running)


def triton_of(launched: Launched) -> psutil.Process:
    (found,) = [child for child in psutil.Process(launched.process.pid).children() if child.name() == "tritonserver"]
    return found


def test_a_text_is_answered(launched: Launched) -> None:
    """The second value is the number of tokens, which the service says as well."""
    text = triton.InferInput("text", [1, 1], "BYTES")
    text.set_data_from_numpy(np.array([["where is my parcel?"]], dtype=np.object_))
    with triton.InferenceServerClient(f"127.0.0.1:{launched.grpc}") as client:
        result = client.infer("embed_query", [text])
    embedding, tokens = result.as_numpy("embedding"), result.as_numpy("tokens")
    assert embedding.shape == (1, 2)
    assert embedding[0, 1] == tokens[0, 0] > 2


def test_the_metrics_page_has_what_dashboard_and_alerts_ask_for(launched: Launched) -> None:
    """All but the GPU's, which need one."""
    while RESTARTS not in (page := launched.get(launched.metrics, "/metrics")):
        time.sleep(0.2)  # written by the supervisor, read by a service with its question
    named = set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))
    wanted = {name for name in GAUGES | COUNTERS | own() | {RESTARTS} if not name.startswith("nv_gpu_")}
    assert wanted <= named
    for quantile in ("0.5", "0.99"):
        assert re.search(rf'^nv_inference_request_summary_us{{.*quantile="{quantile}"', page, re.MULTILINE)


_HEADER = "triton-grpc-protocol-interlingua-admin-key"  # as Triton wants it over gRPC


@pytest.mark.parametrize("header", [{}, {_HEADER: "wrong"}], ids=["no key", "another key"])
def test_management_is_closed_without_the_key(launched: Launched, header: dict[str, str]) -> None:
    with triton.InferenceServerClient(f"127.0.0.1:{launched.grpc}") as client:
        with pytest.raises(triton.InferenceServerException, match="restricted"):
            client.get_model_repository_index(headers=header)
        index = client.get_model_repository_index(headers={_HEADER: KEY})
    assert {model.name for model in index.models} == {"embedder", "embed_query"}


def ready(launched: Launched, *more: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "interlingua.served.watch.ready", "--port", str(launched.http), *more]
    return subprocess.run(line, env=launched.environment, capture_output=True, text=True, check=False)


def test_readiness_asks_a_question(launched: Launched) -> None:
    """As compose's health check and Kubernetes' probes ask."""
    done = ready(launched)
    assert (done.returncode, done.stdout) == (0, "ready: embed_query answers\n"), done.stderr


def test_a_killed_process_of_a_model_is_started_again_and_counted(launched: Launched) -> None:
    triton = triton_of(launched)
    for stub in [child for child in triton.children() if "embed_query" in " ".join(child.cmdline())]:
        stub.kill()
    line = re.compile(r'^interlingua_restarts_total{what="embed_query"} 1$', re.MULTILINE)
    while not line.search(launched.get(launched.metrics, "/metrics")):
        time.sleep(0.2)
    assert ready(launched).returncode == 0
    assert triton_of(launched).pid == triton.pid


def test_another_restart_than_may_be_ends_it_with_a_line(launched: Launched) -> None:
    """The launcher was told that one of each is enough; that of a model is none of the server's. The last test."""
    killed = triton_of(launched)
    killed.kill()
    while "ready again after" not in launched.log.read_text():
        time.sleep(0.2)
    assert triton_of(launched).pid != killed.pid
    triton_of(launched).kill()
    assert launched.process.wait() == 4
    assert ready(launched).returncode == 4
    (line,) = [line for line in launched.log.read_text().splitlines() if line.startswith("error: ")]
    assert line.startswith(
        "error: Triton ended with status -9; tritonserver was restarted 1 times within 600 s, which is the most "
        "(all restarts since the beginning: "
    )
    assert {"embed_query 1", "tritonserver 1"} == set(line.partition("beginning: ")[2].partition(")")[0].split(", "))


def test_sigterm_ends_it_and_all_its_processes(container: Path) -> None:
    launched = launch(container)
    try:
        launched.wait()
        children = psutil.Process(launched.process.pid).children(recursive=True)
        assert len(children) >= 3
        launched.process.send_signal(signal.SIGTERM)
        assert launched.process.wait() == 0
        assert not [child for child in children if child.is_running()]
    finally:
        end(launched)
