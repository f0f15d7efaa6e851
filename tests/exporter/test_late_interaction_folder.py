"""The folder of a late-interaction reranker: written, read, and refused where its files do not fit each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from interlingua.base.errors import InputError
from interlingua_cli.export import command
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.models.spec import FolderSource
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.late_interaction import late_interaction_folder
from interlingua_exporter.weights.late_interaction.late_interaction_settings import read_settings
from tests.exporter import late_interaction_models as models


@pytest.fixture
def folder(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> Path:
    return models.saved(tmp_path / "tiny", tokenizer_json["xlm-roberta"], seed=3)


def test_what_was_saved_is_loaded(folder: Path) -> None:
    checkpoint = sources.load(resolve(str(folder)), Overrides())
    saved = models.random_reranker(seed=3).state_dict()
    loaded = checkpoint.graph.state_dict()
    assert saved.keys() == loaded.keys()
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)
    assert read_settings(folder) == models.SETTINGS
    spec = checkpoint.spec
    assert (spec.id, spec.role, spec.head, spec.pooling) == ("tiny-late", "reranker", "late-interaction", "none")
    assert (spec.max_tokens, spec.rerank_weight, spec.licence) == (models.MAX_TOKENS, 0.25, "MIT")
    assert spec.source == FolderSource(folder.resolve())
    assert (checkpoint.vocabulary, checkpoint.dimension, checkpoint.pad_token_id) == (600, 25, models.PAD)


def test_a_folder_is_saved_over_itself(folder: Path) -> None:
    """The loaded tensors may still be mapped from the file that is replaced."""
    checkpoint = sources.load(resolve(str(folder)), Overrides())
    network = checkpoint.graph
    late_interaction_folder.save(
        network,  # type: ignore[arg-type]
        models.SETTINGS,
        folder,
        tokenizer_json=checkpoint.tokenizer_json,
    )
    again = sources.load(resolve(str(folder)), Overrides()).graph.state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in network.state_dict().items())
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "interlingua.json",
        "model.safetensors",
        "tokenizer.json",
    ]


def test_a_shorter_limit(folder: Path) -> None:
    assert sources.load(resolve(str(folder)), Overrides(max_tokens=32)).spec.max_tokens == 32
    with pytest.raises(InputError, match="--max-tokens 65 is beyond the model's own 64"):
        sources.load(resolve(str(folder)), Overrides(max_tokens=65))
    with pytest.raises(InputError, match="it has no pooling and no prompts"):
        sources.load(resolve(str(folder)), Overrides(pooling="cls"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"kind": "cross-encoder"}, "kind is 'cross-encoder'; only 'late-interaction'", id="kind"),
        pytest.param({"separator_id": None, "base": None}, "lacks separator_id, base", id="missing keys"),
        pytest.param({"dimension": "24"}, "dimension is '24', not a whole number", id="wrong type"),
        pytest.param({"max_tokens": True}, "max_tokens is True, not a whole number", id="a boolean"),
        pytest.param({"special_ids": [0, 1.5]}, r"special_ids is \(0, 1.5\), not a list of whole", id="special ids"),
        pytest.param(
            {"rerank_weight": 1.5, "dimension": 0}, "dimension is 0.*rerank_weight is 1.5", id="all impossible values"
        ),
        pytest.param({"separator_id": 5}, r"separator_id 5 is not among special_ids \[0, 1, 2\]", id="separator"),
        pytest.param(
            {"special_ids": [0, 1, 2, 700]}, r"special_ids \[700\] are not in the vocabulary of 600", id="vocabulary"
        ),
        pytest.param({"separator_id": 1}, r"pair template \[0, 2, 2, 2\] has no separator_id 1", id="no separator"),
        pytest.param({"special_ids": [1, 2]}, r"template adds \[0\], which special_ids do not", id="unnamed special"),
        pytest.param({"max_tokens": 65}, "max_tokens is 65, the network has 64 positions", id="window"),
        pytest.param(
            {"dimension": 16}, r"projection.weight is \[24, 32\] instead of \[16, 32\]", id="another dimension"
        ),
    ],
)
def test_settings_that_cannot_be(folder: Path, changes: dict[str, object], message: str) -> None:
    models.changed_settings(folder, **changes)
    with pytest.raises(InputError, match=message):
        sources.load(resolve(str(folder)), Overrides())


def test_settings_that_are_no_json(folder: Path) -> None:
    (folder / "interlingua.json").write_text('{"kind": ')
    with pytest.raises(InputError, match=r"interlingua\.json: cannot be read"):
        sources.load(resolve(str(folder)), Overrides())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"num_hidden_layers": 3}, r"16 tensors are missing, encoder\.encoder\.layer\.2", id="more layers"),
        pytest.param({"num_hidden_layers": 1}, r"16 tensors are unknown, encoder\.encoder\.layer\.1", id="fewer"),
        pytest.param(
            {"vocab_size": 601},
            r"word_embeddings.weight is \[600, 32\] instead of \[601, 32\]",
            id="another vocabulary",
        ),
        pytest.param({"model_type": "xlm-roberta"}, "model_type is 'xlm-roberta'", id="another kind of encoder"),
        pytest.param({"num_attention_heads": 5}, r"config\.json: not a readable encoder config", id="impossible"),
    ],
)
def test_weights_of_another_architecture(folder: Path, changes: dict[str, object], message: str) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(InputError, match=message):
        sources.load(resolve(str(folder)), Overrides())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_or_damaged_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"{")
    with pytest.raises(InputError, match=name):
        sources.load(resolve(str(folder)), Overrides())
    (folder / name).unlink()
    with pytest.raises(InputError, match=name):
        sources.load(resolve(str(folder)), Overrides())


def test_a_weight_that_is_no_number_publishes_nothing(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["projection.weight"][0, 0] = float("nan")
    save_file(weights, folder / "other")
    (folder / "other").replace(folder / "model.safetensors")
    result = CliRunner().invoke(command, [str(folder), "--model-repository", str(tmp_path / "models")])
    assert "error against torch nan" in str(result.exception)
    assert list((tmp_path / "models").iterdir()) == []
