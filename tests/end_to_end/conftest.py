"""A real Triton on a repository that the command line exported: the default embedder and a tiny reranker."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tritonclient.grpc as triton

from interlingua.repository.triton_config import Placement
from interlingua_exporter.export import export
from interlingua_exporter.export_request import ExportRequest
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.publication.candidate import ServingOptions
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

ONE_INSTANCE = ServingOptions(placement=Placement("cpu", 1, 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "end_to_end" in item.path.parts:
            item.add_marker("server")


def interlingua(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run our command line; fails the test if it hangs."""
    command = [sys.executable, "-m", "interlingua", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory, make_folder: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for model in ("multilingual-e5-small", make_folder("xlm-roberta", labels=1)):
        done = interlingua("export", model, "--model-repository", folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def tiny_repository(tmp_path_factory: pytest.TempPathFactory, make_folder: Callable[..., Path]) -> Path:
    """A tiny embedder and a tiny reranker, both version 1, an instance each; nobody changes it."""
    folder = tmp_path_factory.mktemp("tiny-repository")
    for model in (make_folder("xlm-roberta", pooling="mean"), make_folder("xlm-roberta", labels=1)):
        named = resolve(str(model))
        export(ExportRequest(model=named, precision="fp32", repository=folder, serving=ONE_INSTANCE), lambda _: None)
    return folder


def settings_for(repository: Path, **options: Any) -> ServerSettings:
    grpc, http, metrics = free_ports(3)
    return ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics, **options)


@pytest.fixture(scope="session")
def server(repository: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(settings_for(repository)) as running:
        yield running


class Embedding(NamedTuple):
    vectors: np.ndarray
    tokens: np.ndarray
    stage_us: np.ndarray


class Services:
    """The services as a client in any language would call them."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.address = server.settings.grpc_address
        self.client = triton.InferenceServerClient(self.address)

    def embed(self, texts: Sequence[str | bytes], service: str = "embed_document", **parameters: int) -> Embedding:
        result = self.client.infer(service, [tensor("text", texts)], parameters=parameters or None)
        return Embedding(*(result.as_numpy(name) for name in ("embedding", "tokens", "stage_us")))

    def rerank(self, query: str, documents: Sequence[str]) -> np.ndarray:
        inputs = [tensor("query", [query] * len(documents)), tensor("document", documents)]
        scores: np.ndarray = self.client.infer("rerank", inputs).as_numpy("score")
        return scores


def tensor(name: str, texts: Sequence[str | bytes]) -> triton.InferInput:
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    made = triton.InferInput(name, [len(raw), 1], "BYTES")
    made.set_data_from_numpy(np.array([[text] for text in raw], dtype=np.object_))
    return made


@pytest.fixture(scope="session")
def services(server: EmbeddedServer) -> Services:
    return Services(server)
