"""Models made of code of their own, from their folders through a real Triton with the torch backend to a client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tritonclient.grpc as triton
from click.testing import CliRunner
from tokenizers import Tokenizer
from tritonclient.utils import InferenceServerException

from interlingua.base.errors import ExportError, InputError
from interlingua_cli.export import command as export
from interlingua_cli.lint import command as lint
from interlingua_server.embedded import EmbeddedServer
from tests.end_to_end.own_code_models import MAX_TOKENS, TEMPLATE, VOCABULARY, catalogue, save
from tests.support.command_line import interlingua
from tests.support.services import Services, settings_for

TEXTS = ["At nine.", "The library opens at nine and closes at six.", "Die Bibliothek", "x", "\u56f3\u66f8\u9928"]


class Models(NamedTuple):
    embedder: Path
    judge: Path
    catalogue: Path
    marker: Path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Models:
    root = tmp_path_factory.mktemp("own-code")
    marker = root / "the code ran"
    folders = [save(kind, root / kind, marker, tokenizer_json["bert"]) for kind in ("embedder", "judge")]
    (root / "own.toml").write_text(catalogue(folders[1]), encoding="utf-8")
    return Models(*folders, root / "own.toml", marker)


@pytest.fixture(scope="module")
def repository(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exported, but first refused: the order matters to who looks for the marker."""
    folder = tmp_path_factory.mktemp("torch") / "models"
    wishes = (
        (models.embedder, "--pooling", "cls", "--runtime", "torch"),
        ("tests/own-judge", "--catalog", models.catalogue),
    )
    for wish in wishes:
        with pytest.raises(InputError, match="--trust-remote-code"):
            run(export, *wish, "--model-repository", folder)
        assert not models.marker.exists()
    for wish in wishes:
        done = interlingua("export", *wish, "--trust-remote-code", "--model-repository", folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def services(repository: Path) -> Iterator[Services]:
    with EmbeddedServer(settings_for(repository)) as running:
        yield Services(running)


def run(verb: Any, *arguments: str | Path) -> str:
    """A verb in this process: its standard output."""
    return CliRunner().invoke(verb, [str(argument) for argument in arguments], catch_exceptions=False).stdout


def plain(kind: str, folder: Path) -> Any:
    import transformers

    return getattr(transformers, kind).from_pretrained(folder, trust_remote_code=True).eval()


def test_an_embedder_answers_as_transformers_does(services: Services, models: Models) -> None:
    import torch

    network, tokenizer = (
        plain("AutoModel", models.embedder),
        Tokenizer.from_file(str(models.embedder / "tokenizer.json")),
    )
    found = services.embed(TEXTS)
    for text, vector in zip(TEXTS, found.vectors, strict=True):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            state = network(ids, torch.ones_like(ids)).last_hidden_state[0, 0]
        np.testing.assert_allclose(vector, (state / state.norm()).numpy(), atol=1e-4)


def test_a_judge_with_experts_answers_as_transformers_does(services: Services, models: Models) -> None:
    import torch

    network = plain("AutoModelForSequenceClassification", models.judge)
    tokenizer = Tokenizer.from_file(str(models.judge / "tokenizer.json"))
    found = services.rerank("When?", TEXTS)[:, 0]
    for text, score in zip(TEXTS, found, strict=True):
        ids = torch.tensor([tokenizer.encode(TEMPLATE.replace("{query}", "When?").replace("{document}", text)).ids])
        square = torch.ones(1, 1, ids.shape[1], ids.shape[1]).tril().bool()
        with torch.no_grad():
            no, yes = network(ids, square, torch.arange(ids.shape[1])[None]).logits[0].tolist()
        assert ids[0, -1] == 1  # [CLS]
        assert score == pytest.approx(yes - no, abs=1e-4)


def test_a_bad_request_is_refused_and_the_next_one_answered(services: Services) -> None:
    def ask(ids: list[int], mask: list[int]) -> np.ndarray:
        inputs = []
        for name, row in (("input_ids", ids), ("attention_mask", mask)):
            made = triton.InferInput(name, [1, len(row)], "INT64")
            made.set_data_from_numpy(np.array([row], dtype=np.int64))
            inputs.append(made)
        values: np.ndarray = services.client.infer("embedder", inputs).as_numpy("embedding")
        return values

    before = ask([1, 20, 2], [1, 1, 1])
    for ids, mask, reason in (
        ([1, VOCABULARY, 2], [1, 1, 1], f"input_ids has {VOCABULARY}"),
        ([1, -1, 2], [1, 1, 1], "input_ids has -1"),
        ([1, 20, 2], [0, 0, 0], "without a single token"),
        ([1] * (MAX_TOKENS + 1), [1] * (MAX_TOKENS + 1), f"1 to {MAX_TOKENS} tokens"),
    ):
        with pytest.raises(InferenceServerException, match=reason):
            ask(ids, mask)
    np.testing.assert_array_equal(ask([1, 20, 2], [1, 1, 1]), before)
    with pytest.raises(InferenceServerException, match="is empty"):
        services.embed([" "])


def test_what_is_published_is_checked_and_linted(repository: Path, models: Models) -> None:
    verify = ("verify", "--model-repository", repository)
    assert run(export, *verify).count("every file is as it was published") == 2
    findings = json.loads(run(lint, repository, "--json"))["findings"]
    assert [each for each in findings if each["severity"] == "error"] == []
    arguments = ("tests/own-judge", "--catalog", models.catalogue, "--trust-remote-code")
    assert json.loads(run(export, *arguments, "--model-repository", repository, "--json"))["reused"] is True
    (repository / "reranker/1/model/modeling_tiny.py").write_text("changed", encoding="utf-8")
    with pytest.raises(ExportError, match="reranker's files have digest"):
        run(export, *verify)
