"""The embedded Triton of a test, and its services as a client in any language would call them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tritonclient.grpc as triton

from interlingua.repository.triton_config import Placement
from interlingua_exporter.publication.candidate import ServingOptions
from interlingua_server.embedded import EmbeddedServer, ServerSettings
from interlingua_server.ports import free_ports

ONE_INSTANCE = ServingOptions(placement=Placement("cpu", 1, 1))


def settings_for(repository: Path, **options: Any) -> ServerSettings:
    grpc, http, metrics = free_ports(3)
    return ServerSettings(model_repository=repository, grpc_port=grpc, http_port=http, metrics_port=metrics, **options)


class Embedding(NamedTuple):
    vectors: np.ndarray
    tokens: np.ndarray
    stage_us: np.ndarray


class Services:
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
