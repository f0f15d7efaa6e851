"""A tiny random model of every architecture class: folder, export, gate, publication, Triton, client.

Classes with the same tensors are versions of one repository, so two servers have them all. What the client gets is
compared with transformers alone (tests/support/architecture_classes.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from interlingua_client.triton.inference import InferenceClient
from interlingua_exporter.export import export
from interlingua_exporter.export_request import ExportRequest
from interlingua_exporter.models.exportable import TESTED_CLASSES
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import checkpoint_folder
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_server.embedded import EmbeddedServer
from tests.support.architecture_classes import CASES, PAIRS, TEXTS, Exported, plain_transformers
from tests.support.architecture_models import Tiny, save
from tests.support.services import ONE_INSTANCE, settings_for

MEAN = ("mean", "normalize")
PLAIN = {
    "bert mean": (Tiny(family="Bert", kind="BertModel", modules=MEAN), Overrides()),
    "xlm-r mean": (Tiny(family="XLMRoberta", kind="XLMRobertaModel", modules=MEAN), Overrides()),
    "bert one logit": (Tiny(family="Bert", kind="BertForSequenceClassification", labels=1, layers=1), Overrides()),
    "xlm-r one logit": (Tiny(family="XLMRoberta", kind="XLMRobertaForSequenceClassification", labels=1), Overrides()),
}
EVERY = {**PLAIN, **CASES}


class Served(NamedTuple):
    exported: Exported
    version: int
    address: str


@pytest.fixture(scope="module")
def served(tokenizer_json: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    scratch = tmp_path_factory.mktemp("every-class")
    versions: dict[str, tuple[Exported, int, Path]] = {}
    for number, (name, (tiny, overrides)) in enumerate(EVERY.items()):
        folder = save(tiny, scratch / str(number), tokenizer_json)
        checkpoint = checkpoint_folder.load(folder, overrides=overrides)
        repository = scratch / ("bert" if tiny.family == "Bert" else "others")
        asked = ExportRequest(
            model=resolve(str(folder)),
            precision="fp32",
            repository=repository,
            serving=ONE_INSTANCE,
            overrides=overrides,
        )
        report = export(asked, lambda _: None)
        versions[name] = Exported(tiny, folder, checkpoint, folder), report.published.version, repository
    servers = {
        repository: EmbeddedServer(settings_for(repository)) for repository in {made[2] for made in versions.values()}
    }
    try:
        for server in servers.values():
            server.start()
        yield {
            name: Served(exported, version, servers[repository].settings.grpc_address)
            for name, (exported, version, repository) in versions.items()
        }
    finally:
        for server in servers.values():
            server.stop(at_once=True)


def answers(made: Served, texts: list[Any]) -> np.ndarray:
    """Through the client: [texts, dimension] or [texts, 1]."""
    if made.exported.checkpoint.spec.role == "embedder":
        with InferenceClient.connect(made.address, version=made.version) as client:
            return client.embed(texts, "document").vectors
    with InferenceClient.connect(made.address, rerank_version=made.version) as client:
        return np.stack([client.rerank(query, [document]).scores for query, document in texts])


@pytest.mark.parametrize("name", EVERY)
def test_the_client_gets_what_transformers_computes(served: dict[str, Served], name: str) -> None:
    made = served[name]
    texts = [*TEXTS[:3], *TEXTS[-2:]] if made.exported.checkpoint.spec.role == "embedder" else [*PAIRS[:2], PAIRS[-1]]
    expected = np.stack([plain_transformers(made.exported, text) for text in texts])
    np.testing.assert_allclose(answers(made, texts), expected, rtol=1e-3, atol=1e-4)


def test_no_class_is_missing() -> None:
    assert {tiny.kind for tiny, _ in EVERY.values()} == set(TESTED_CLASSES)
