"""`interlingua export` and `export verify`, as a user runs them, on tiny models."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.published import Published
from interlingua.repository.triton_config import parameters_of, read_config, write_config
from interlingua.served.service import ServiceSpec
from interlingua_cli.export import command
from tests.support.command_line import interlingua

MakeFolder = Callable[..., Path]


JSON = "--json"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def facts(result: Result) -> Any:
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def embedder_folder(make_folder: MakeFolder) -> Path:
    return make_folder("bert", pooling="mean", normalize=True, prompts={"query": "q: ", "document": "d: "})


@pytest.fixture(scope="module")
def exported(embedder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exported") / "models"
    assert facts(run(embedder_folder, "--model-repository", root, "--json"))["version"] == 1
    return root


@pytest.fixture
def repository(tmp_path: Path, exported: Path) -> Path:
    """A repository with one version, for one test to change."""
    return Path(shutil.copytree(exported, tmp_path / "models"))


def service(root: Path, name: str, version: int = 1) -> ServiceSpec:
    return ServiceSpec.from_parameters(parameters_of(read_config(root / name / "config.pbtxt")), version)


def test_a_folder_becomes_an_embedder_and_two_services(tmp_path: Path, embedder_folder: Path) -> None:
    root = tmp_path / "models"
    done = facts(
        run(embedder_folder, "--model-repository", root, "--instances", 3, "--max-batch-tokens", 512, "--json")
    )
    assert (done["model"], done["precision"], done["dimension"], done["version"]) == ("tiny-bert", "fp32", 32, 1)
    assert done["models"] == ["embedder", "embed_query", "embed_document"]
    assert all(figure["bound"] is not None or figure["sense"] == "info" for figure in done["gate"]["figures"])
    query, document = service(root, "embed_query"), service(root, "embed_document")
    assert (query.prompt, document.prompt, query.digest) == ("q: ", "d: ", done["digest"])
    assert (query.max_batch_tokens, query.max_tokens, query.model_id) == (512, 96, "tiny-bert")
    assert Published.read(root).required("embedder").network.instances == 3
    text = (root / "embedder/config.pbtxt").read_text() + (root / "embed_query/config.pbtxt").read_text()
    assert str(embedder_folder.parent) not in text


def test_a_cross_encoder_becomes_a_reranker_and_its_service(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = tmp_path / "models"
    done = facts(run(make_folder("bert", labels=1), "--model-repository", root, "--json"))
    assert done["models"] == ["reranker", "rerank"]
    config = read_config(root / "reranker/config.pbtxt")
    assert [entry.name for entry in config.input] == ["input_ids", "attention_mask", "token_type_ids"]
    assert [(entry.name, list(entry.dims)) for entry in config.output] == [("score", [1])]
    rerank = service(root, "rerank")
    assert (rerank.network, rerank.dimension, rerank.prompt) == ("reranker", 0, "")
    assert [entry.name for entry in read_config(root / "rerank/config.pbtxt").input] == ["query", "document"]
    assert facts(run("verify", make_folder("bert", labels=1), "--model-repository", root, "--json"))[0]["gate"]


def test_the_same_export_again_says_so(repository: Path, embedder_folder: Path) -> None:
    result = run(embedder_folder, "--model-repository", repository)
    assert "published already, byte for byte: embedder/1" in result.stdout
    assert "parity with torch: " in result.stdout
    second = facts(run(embedder_folder, "--model-repository", repository, "--precision", "int8", "--json"))
    assert (second["version"], second["reused"]) == (2, False)
    assert service(repository, "embed_query", 1).precision == "fp32"
    assert service(repository, "embed_query", 2).precision == "int8"
    assert len(facts(run("verify", "--model-repository", repository, "--json"))) == 2


def test_another_dimension_is_refused_before_the_work(repository: Path, make_folder: MakeFolder) -> None:
    result = run(make_folder("bert", pooling="mean", hidden=16), "--model-repository", repository)
    assert isinstance(result.exception, InputError)
    assert "32 values out (embedding); tiny-bert has input_ids, attention_mask and 16" in str(result.exception)
    assert "parity gate" not in result.stderr


def test_verify_with_the_source(repository: Path, embedder_folder: Path) -> None:
    (found,) = facts(run("verify", embedder_folder, "--model-repository", repository, "--json"))
    assert (found["network"], found["files"]) == ("embedder/1", "as published")
    assert found["gate"]["languages"] >= 12


def test_verify_without_the_source(repository: Path) -> None:
    result = run("verify", "--model-repository", repository)
    assert result.exception is None
    assert "every file is as it was published" in result.stdout
    assert "give MODEL to compare with torch" in result.stdout


def test_verify_with_another_source(repository: Path, make_folder: MakeFolder) -> None:
    result = run("verify", make_folder("xlm-roberta"), "--model-repository", repository)
    assert isinstance(result.exception, InputError)
    assert "embedder/1 is tiny-bert, not tiny-xlm-roberta" in str(result.exception)


def test_verify_with_other_weights(repository: Path, make_folder: MakeFolder) -> None:
    other = make_folder("bert", pooling="mean", normalize=True, prompts={"query": "q: ", "document": "d: "}, seed=1)
    result = run("verify", other, "--model-repository", repository)
    assert isinstance(result.exception, ExportError)
    assert "error against torch" in str(result.exception)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _change_prompt(path: Path) -> None:
    config = read_config(path)
    config.parameters["1/prompt"].string_value = "other: "
    write_config(config, path)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("embedder/1/model.onnx.data", _flip, "embedder's files have digest"),
        ("embed_document/1/tokenizer.json", _flip, "embed_document's tokenizer"),
        ("embed_document/1/prepared_tokenizer", _flip, "embed_document's prepared_tokenizer is not what"),
        ("embed_query/1/tokenizer.json", Path.unlink, r"embed_query has no tokenizer\.json"),
        ("embed_query/config.pbtxt", _change_prompt, "give digest"),
        ("embedder/warmup/v1_1x16_input_ids", Path.unlink, "v1_1x16_input_ids is missing"),
        ("embed_query/config.pbtxt", lambda path: path.write_text("{"), "not a readable"),
    ],
    ids=["weights", "tokenizer", "prepared", "no tokenizer", "prompt", "warm-up", "config"],
)
def test_verify_names_what_was_changed(
    repository: Path, file: str, damage: Callable[[Path], Any], message: str
) -> None:
    damage(repository / file)
    result = run("verify", "--model-repository", repository)
    assert isinstance(result.exception, ExportError | InputError)
    assert re.search(message, str(result.exception))


def test_verify_an_empty_repository(tmp_path: Path) -> None:
    result = run("verify", "--model-repository", tmp_path)
    assert isinstance(result.exception, InputError)
    assert "interlingua export" in str(result.exception)


def test_the_command_line_stays_light() -> None:
    light = "interlingua_cli.export, interlingua.repository.model_repository, interlingua_exporter.models.spec"
    code = f"import sys, {light}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_error_is_one_line_and_its_exit_code() -> None:
    done = interlingua("export", "no-such-model")
    assert done.returncode == 3
    assert "error: 'no-such-model' is no folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_task_that_the_entry_does_not_have(tmp_path: Path) -> None:
    result = run("intfloat/multilingual-e5-large-instruct", "--task", "poetry", "--model-repository", tmp_path)
    assert isinstance(result.exception, InputError)
    assert "has no task 'poetry'" in str(result.exception)


def test_a_task_of_a_folder(tmp_path: Path, embedder_folder: Path) -> None:
    result = run(embedder_folder, "--task", "poetry", "--model-repository", tmp_path)
    assert isinstance(result.exception, InputError)
    assert "is not in the catalogue, which names tasks" in str(result.exception)
