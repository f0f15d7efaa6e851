"""A late-interaction model of the world on a real Triton answers as sentence-transformers does from the same folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interlingua.served.service import ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS, RERANK
from interlingua.served.token_vectors import unpacked
from interlingua_server.embedded import EmbeddedServer
from tests.exporter import multi_vector_folders as folders
from tests.support.command_line import interlingua
from tests.support.services import Services, settings_for, tensor

QUERY = "where is the capital of france?"
DOCUMENTS = [text for text in folders.ASKED if text.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XLM-R as PyLate saves it: markers, expansion that is not attended, signs that do not count."""
    root = tmp_path_factory.mktemp("multi-vector")
    return folders.pylate(root / "tiny-colbert", folders.backbone(root / "bare", "xlm-roberta"))


@pytest.fixture(scope="module")
def services(folder: Path, tiny_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    root = tmp_path_factory.mktemp("repository") / "models"
    shutil.copytree(tiny_repository, root, ignore=shutil.ignore_patterns("rerank*"))
    done = interlingua("export", folder, "--model-repository", root)
    assert done.returncode == 0, done.stderr
    with EmbeddedServer(settings_for(root)) as running:
        yield Services(running)


def test_vectors_and_scores_are_the_librarys(services: Services, folder: Path) -> None:
    theirs = folders.theirs(folder)
    sides = {ENCODE_QUERY_TOKENS: theirs.encode_query, ENCODE_DOCUMENT_TOKENS: theirs.encode_document}
    for service, encode in sides.items():
        answer = services.client.infer(service, [tensor("text", DOCUMENTS)]).as_numpy("token_vectors")
        for wire, text in zip(answer[:, 0], DOCUMENTS, strict=True):
            expected = encode([text], convert_to_numpy=True)[0]
            found = unpacked(wire)
            assert found.vectors.shape == expected.shape
            np.testing.assert_allclose(found.vectors, expected, atol=1e-5)
            np.testing.assert_array_equal(found.weights, 1)
    asked = [tensor("query", [QUERY] * len(DOCUMENTS)), tensor("document", DOCUMENTS)]
    scores = services.client.infer(RERANK, asked).as_numpy("score")[:, 0]
    wanted = theirs.similarity(theirs.encode_query([QUERY]), theirs.encode_document(DOCUMENTS)).numpy()[0]
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
