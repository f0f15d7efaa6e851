"""A tiny reranker for the evaluation's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.weights.late_interaction.late_interaction_folder import load
from tests.support.tiny_reranker import save_tiny_reranker


@pytest.fixture(scope="session")
def reranker_folder(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Path:
    return save_tiny_reranker(tmp_path_factory.mktemp("rerankers") / "tiny", tokenizer_json["xlm-roberta"])


@pytest.fixture(scope="session")
def reranker(reranker_folder: Path) -> Checkpoint:
    return load(reranker_folder)
