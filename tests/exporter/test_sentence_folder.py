"""Our reranker in the layout of sentence-transformers: the same rows and vectors there, and read back here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from interlingua.base.errors import InputError
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.late_interaction.sides import SideRules
from interlingua.served.text.collate import collate
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.tokenizer import SideRow
from interlingua_cli.adapting.library import command
from interlingua_exporter.gate.library_gate import ask_libraries
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.exporter import late_interaction_models as models
from tests.exporter.multi_vector_folders import ASKED, theirs


@pytest.fixture
def ours(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> Path:
    return models.saved(tmp_path / "ours", tokenizer_json["xlm-roberta"], seed=3)


def vectors(checkpoint: Checkpoint, rules: SideRules) -> list[np.ndarray]:
    tokenizer = SideTokenizer(SealedTokenizers(checkpoint.tokenizer_json), rules)
    found = []
    for row, _ in tokenizer.encode(ASKED):
        assert isinstance(row, SideRow)
        batch = collate([row], (INPUT_IDS, ATTENTION_MASK), pad_token_id=models.PAD, padding_side="right")
        with torch.inference_mode():
            output = checkpoint.graph(*map(torch.from_numpy, batch.values()))[0].numpy()
        found.append(output[list(row.kept), : models.SETTINGS.dimension])
    return found


def test_sentence_transformers_gives_our_vectors(ours: Path, tmp_path: Path) -> None:
    target = tmp_path / "library"
    done = CliRunner().invoke(command, [str(ours), str(target)])
    assert done.exit_code == 0, done.exception
    assert "the weights of a query's tokens are left out" in done.output
    checkpoint, library = sources.load(resolve(str(ours)), Overrides()), theirs(target)
    assert checkpoint.interaction is not None
    pairs = (
        (library.encode_query, checkpoint.interaction.query),
        (library.encode_document, checkpoint.interaction.document),
    )
    for encode, rules in pairs:
        for found, expected in zip(encode(ASKED, convert_to_numpy=True), vectors(checkpoint, rules), strict=True):
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, atol=1e-5)
    back = sources.load(resolve(str(target)), Overrides())
    assert back.interaction is not None
    assert (back.interaction.weighting, back.dimension) == ("mean", models.SETTINGS.dimension)
    assert all(figure.passed for figure in ask_libraries(back).figures)
    assert back.spec.licence == models.SETTINGS.licence


def test_what_cannot_be_written(ours: Path, tmp_path: Path) -> None:
    target = tmp_path / "library"
    assert CliRunner().invoke(command, [str(ours), str(target)]).exit_code == 0
    again = CliRunner().invoke(command, [str(ours), str(target)])
    assert isinstance(again.exception, InputError)
    assert "holds a model already" in str(again.exception)
    other = CliRunner().invoke(command, [str(target), str(tmp_path / "other")])
    assert "no late-interaction reranker with weights of tokens" in str(other.exception)
