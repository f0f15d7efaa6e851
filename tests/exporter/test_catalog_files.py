"""A catalogue of the user's own: found, read, put over ours, and its faults named."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_exporter.models.catalog import entries, find, nearest, read_catalog, user_catalog
from interlingua_exporter.models.spec import FolderSource, HubSource

OWN = """
[languages]
ours = ["de", "fr"]

[[model]]
id = "BAAI/bge-m3"
aliases = ["house"]
like = "BAAI/bge-m3"
query_prompt = "frage: "
network = { layers = 12 }
languages = { list = "ours", count = 2 }
source = { reader = "folder", path = "weights" }
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("INTERLINGUA_CATALOG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    return path


def test_an_entry_replaces_ours_and_takes_over_what_it_is_like(own: Path) -> None:
    known = entries(own)
    assert sum(entry.spec.id == "BAAI/bge-m3" for entry in known) == 1
    spec, ours = find("house", known), find("BAAI/bge-m3", read_catalog())
    assert spec is not None
    assert ours is not None
    assert spec.revision == ours.revision
    assert (spec.query_prompt, spec.pooling, spec.max_tokens, spec.licence) == ("frage: ", "cls", 8192, "MIT")
    assert spec.network is not None
    assert ours.network is not None
    assert (spec.network.layers, spec.network.hidden, ours.network.layers) == (12, 1024, 24)
    assert spec.languages.tags == ("de", "fr")
    assert spec.source == FolderSource(own.parent / "weights")
    assert isinstance(ours.source, HubSource)
    assert find("bge-m3", known) is None  # our row's alias went with it
    assert find("multilingual-e5-small", known) is not None


def test_like_may_go_through_several_entries_and_never_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    row = '[[model]]\nid = "{}"\nlike = "{}"\n'
    path.write_text(row.format("me/tuned", "Qwen/Qwen3-Embedding-4B"))  # which is like the 0.6B
    spec = read_catalog(path)[0].spec
    assert spec.network is not None
    assert (spec.network.hidden, spec.network.head_width, spec.pooling) == (2560, 128, "last")
    assert (spec.source, spec.revision) == (HubSource(id="me/tuned"), "")
    path.write_text(row.format("a/b", "c/d") + row.format("c/d", "a/b"))
    with pytest.raises(InputError, match="which is no other entry"):
        read_catalog(path)


def test_where_the_file_is_looked_for(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user_catalog() is None
    standard = tmp_path / "config" / "interlingua" / "catalog.toml"
    standard.parent.mkdir(parents=True)
    standard.write_text(OWN.replace("house", "standard"))
    assert user_catalog() == standard
    assert find("standard") is not None
    monkeypatch.setenv("INTERLINGUA_CATALOG", str(own))
    assert find("standard") is None
    assert find("house") is not None
    monkeypatch.setenv("INTERLINGUA_CATALOG", str(tmp_path / "missing.toml"))
    with pytest.raises(InputError, match=r"missing\.toml: the catalogue cannot be read"):
        find("house")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("like = 'BAAI/bge-m3'\nnetwork = { layers = 0 }", "network: layers is 0, not a", id="size"),
        pytest.param("network = { layers = 2 }", r"network\.hidden is missing", id="inner key left out"),
        pytest.param("network = { depth = 3 }", r"unknown field network\.depth", id="inner key"),
        pytest.param("network = 3", "network is 3, not a table", id="no table"),
        pytest.param("tasks = [{ query_prompt = 'x' }]", r"tasks\[1\]\.name is missing", id="list of tables"),
        pytest.param("tasks = 'x'", "tasks is 'x', not a list", id="no list"),
        pytest.param("query_prompt = 3", "query_prompt is 3, not a text", id="text"),
        pytest.param("normalize = 'yes'", "normalize is 'yes', not true or false", id="truth"),
        pytest.param("dimensions = ['a']", r"dimensions\[1\] is 'a', not a whole number", id="number"),
        pytest.param("dense = [{ inputs = 2, outputs = 2, activation = 'relu' }]", "activation is 'relu'", id="choice"),
        pytest.param("query_template = 'no hole'", "query_template has no {text}", id="template"),
        pytest.param("aliases = 'x'", "aliases is 'x', not a list of texts", id="aliases"),
        pytest.param("like = 'no/such'", "like is 'no/such'", id="like"),
        pytest.param("languages = { list = 'none' }", "languages.list is 'none', known are", id="language list"),
        pytest.param("head = 'yes-no'", "an embedder has no head", id="head"),
        pytest.param(
            "precisions = ['int8']\nprecision_limits = [{ precision = 'int8', verdict = 'forbidden', why = 'x' }]",
            "precisions has int8, which precision_limits forbids",
            id="forbidden",
        ),
        pytest.param("colour = 1\nnormalize = 3", "unknown field colour; normalize is 3", id="all of them"),
    ],
)
def test_a_fault_names_file_entry_and_key(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'[[model]]\nid = "a/b"\nrole = "embedder"\nsource = {{ reader = "hub" }}\n{line}\n')
    with pytest.raises(InputError, match=rf"mine\.toml: model a/b: .*{message}"):
        read_catalog(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[model]\nid = 'a'", r"write \[\[model\]\]", id="one table"),
        pytest.param("model = [1]", r"write \[\[model\]\]", id="list of numbers"),
        pytest.param("[[models]]\nid = 'a'", "unknown models", id="other name"),
        pytest.param('[[model]]\nid = "a/b"\nrole = "embedder"\nsource = { reader = "ftp" }', "'ftp'", id="reader"),
    ],
)
def test_a_file_that_is_no_catalogue(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_catalog(path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bge-m33", "BAAI/bge-m3"),
        ("BAAI/bge_m3", "BAAI/bge-m3"),
        ("baai/BGE-M3", "BAAI/bge-m3"),
        ("multilingual-e5-smal", "intfloat/multilingual-e5-small"),
        ("qwen3-embeding-0.6b", "Qwen/Qwen3-Embedding-0.6B"),
    ],
)
def test_a_mistyped_name(typed: str, meant: str) -> None:
    assert nearest(typed, read_catalog())[0] == meant


def test_nothing_is_near_nonsense() -> None:
    assert nearest("zzzzzzzz", read_catalog()) == ()
