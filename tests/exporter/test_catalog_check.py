"""An entry against a checkpoint's folder, and the road from such an entry to a loaded model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from interlingua.base.errors import ExportError, InputError
from interlingua_exporter.models.catalog_check import folder_faults, require_agreement
from interlingua_exporter.models.model_facts import NetworkShape
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.weights import catalogued_folder
from interlingua_exporter.weights.checkpoint_folder import Overrides

MakeFolder = Callable[..., Path]

# The sizes of tests/conftest.py's models; the count of parameters plays no part here.
SHAPE = NetworkShape(
    architecture="BertModel", hidden=32, layers=2, heads=4, feed_forward=64, vocabulary=600, parameters=1
)


def entry(folder: Path, **changes: object) -> ModelSpec:
    made = ModelSpec(id="a/b", role="embedder", source=FolderSource(folder), max_tokens=64, network=SHAPE)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_folder_that_fits(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    assert folder_faults(entry(folder), folder) == ()


def test_every_contradiction_in_words(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    other = replace(SHAPE, architecture="XLMRobertaModel", hidden=48, layers=3, vocabulary=601)
    with pytest.raises(InputError) as error:
        require_agreement(entry(folder, network=other), folder)
    assert f"{folder} is not the model that the catalogue calls a/b" in str(error.value)
    for fault in (
        "hidden_size is 32, and the entry says 48",
        "num_hidden_layers is 2, and the entry says 3",
        "vocab_size is 600, and the entry says 601",
        "its class is BertModel, and the entry says XLMRobertaModel",
    ):
        assert fault in str(error.value)


def test_labels(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", labels=3)
    shape = replace(SHAPE, architecture="BertForSequenceClassification")
    spec = entry(folder, role="reranker", pooling="none", head="classifier", network=shape)
    assert folder_faults(spec, folder) == ("it has 3 labels, and the entry's head classifier has 1",)
    assert folder_faults(spec, make_folder("bert", labels=1)) == ()


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "cannot be read"), ("{", "not JSON"), ("[]", "not a JSON object")]
)
def test_no_config(tmp_path: Path, content: str | None, fault: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    assert fault in folder_faults(entry(tmp_path), tmp_path)[0]


def test_sizes_of_an_inner_configuration(tmp_path: Path) -> None:
    config = {"text_config": {"hidden_size": 33, "num_hidden_layers": 2}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert folder_faults(entry(tmp_path), tmp_path) == ("hidden_size is 33, and the entry says 32",)


def test_the_entry_goes_before_the_folder_and_the_user_before_the_entry(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean", normalize=True, prompts={"query": "folder: "})
    spec = entry(folder, pooling="cls", query_prompt="entry: ", document_prompt="d: ", licence="MIT", rerank_weight=0.5)
    loaded = catalogued_folder.load(spec).spec
    assert (loaded.id, loaded.pooling, loaded.query_prompt, loaded.document_prompt) == ("a/b", "cls", "entry: ", "d: ")
    assert (loaded.max_tokens, loaded.licence, loaded.rerank_weight) == (64, "MIT", 0.5)
    assert catalogued_folder.load(spec, Overrides(max_tokens=16, query_prompt="")).spec.max_tokens == 16
    assert catalogued_folder.load(spec, Overrides(max_tokens=16, query_prompt="")).spec.query_prompt == ""


def test_where_the_folder_is_followed_it_is_said(make_folder: MakeFolder) -> None:
    checkpoint = catalogued_folder.load(entry(make_folder("bert", pooling="mean", normalize=False)))
    assert not checkpoint.spec.normalize
    assert checkpoint.notes == ("normalize is False, as the folder says; the catalogue has True",)


def test_another_model_is_refused_before_it_is_loaded(make_folder: MakeFolder) -> None:
    folder = make_folder("xlm-roberta", pooling="mean")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="its class is XLMRobertaModel"):
        catalogued_folder.load(entry(folder))


def test_what_is_not_built_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="two adapters are two networks"):
        catalogued_folder.load(entry(tmp_path / "missing", obstacle="two adapters are two networks"))
