"""A model repository read into values: what counts as a version, which one is the newest, what is said of the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua.repository.families import role_of
from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.published import Published
from interlingua.repository.triton_config import Placement
from interlingua.served.promotion import Promotion
from tests.support.written_repository import service_spec, write_embedder

SPEC = service_spec(prompt="query: ", max_tokens=96, max_batch_tokens=512, pad_token_id=0)
VERSIONS = (1, 2, 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An embedder in versions 1 to 3, on two instances of four threads; version 3 is int8 of 8 bits."""
    stated = {f"{n}/precision": "fp32" for n in (1, 2)} | {"3/precision": "int8", "3/vocabulary": "50"}
    placement = Placement("cpu", 2, 4)
    return write_embedder(
        tmp_path / "models", SPEC, versions=VERSIONS, stated=stated, placement=placement, outstanding_calls=2
    )


def test_a_version_is_served_and_on_the_disk_in_every_model(root: Path) -> None:
    assert Published.read(root).versions("embedder") == VERSIONS
    (root / "embedder" / "4").mkdir()  # no configuration names it
    shutil.rmtree(root / "embed_document" / "3")  # half removed
    newest = Published.read(root).required("embedder")
    assert (newest.version, newest.name, newest.folder) == (2, "embedder/2", root / "embedder" / "2")
    assert newest.tokenizer("embed_query") == root / "embed_query" / "2" / "tokenizer.json"
    assert [found.version for found in Published.read(root).all_versions()] == [1, 2]


def test_values_are_those_of_the_configurations(root: Path) -> None:
    found = Published.read(root).version("embedder", 3)
    network = found.network
    assert (network.kind, network.instances, network.threads, network.max_batch) == ("cpu", 2, 4, 16)
    assert (network.inputs, network.outputs, network.dimension) == (("input_ids",), {"embedding": 8}, 8)
    assert (network.named, network.inexact) == (VERSIONS, (3,))
    assert (found.spec, found.number("vocabulary"), found.stated("trust_remote_code")) == (SPEC, 50, "")
    assert found.models["embed_query"].number("outstanding_calls") == 2


def test_what_is_not_published_is_said(root: Path, tmp_path: Path) -> None:
    published = Published.read(root)
    assert published.newest("reranker") is published.reranker is None
    assert [found.role for found in published.newest_versions()] == ["embedder"]
    with pytest.raises(InputError, match="has no published reranker: run `interlingua export` first"):
        published.required("reranker")
    with pytest.raises(InputError, match="no published version with the number 9: run `interlingua export`"):
        published.all_versions(9)
    assert Published.read(tmp_path / "nowhere").models == {}


def test_a_configuration_of_others_is_named_by_whoever_needs_it(root: Path) -> None:
    (root / "theirs").mkdir()
    (root / "theirs" / "config.pbtxt").write_text("no such field: {")
    published = Published.read(root)
    assert (published.embedder, list(published.unreadable)) == (SPEC, ["theirs"])
    with pytest.raises(InputError, match=r"theirs/config.pbtxt: not a readable config.pbtxt"):
        published.model("theirs")
    path = root / "embed_query" / "config.pbtxt"
    path.write_text(path.read_text().replace("3/max_tokens", "3/other"))
    with pytest.raises(InputError, match=r"embed_query/config.pbtxt: not as `interlingua export` writes it.*3/max_tok"):
        Published.read(root).required("embedder")
    assert Published.read(root).version("embedder", 2).spec == SPEC


def test_changes_of_configurations_and_their_way_back(root: Path) -> None:
    repository = ModelRepository(root)
    put_back = repository.way_back("embedder")
    repository.note("embedder", Promotion(current=2, previous=1))
    repository.drop("embedder", [1])
    changed = repository.read()
    assert (changed.versions("embedder"), changed.promotion("embedder")) == ((2, 3), Promotion(2, 1))
    assert not any(key.startswith("1/") for model in changed.models.values() for key in model.parameters)
    put_back()
    assert repository.read() == Published.read(root.absolute())
    assert (repository.read().versions("embedder"), repository.read().promotion("embedder")) == (VERSIONS, Promotion())


def test_every_service_has_a_role() -> None:
    assert [role_of(name) for name in ("embed_query", "embed_document", "rerank")] == ["embedder"] * 2 + ["reranker"]
