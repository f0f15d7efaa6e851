"""Models that cannot be exported: one error that says what, where and what to do, and nothing left behind.

Every case is an export of a real folder, damaged in one way.
"""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from interlingua.base.errors import ExportError, InputError, InterlinguaError
from interlingua_cli.export import command
from tests.support.architecture_models import Tiny, save

WEIGHTS = "model.safetensors"
EMBEDDER = Tiny(family="Bert", kind="BertModel", modules=("mean", "normalize"))
DENSE = Tiny(family="Bert", kind="BertModel", modules=("cls", "tanh", "normalize"))
CROSS_ENCODER = Tiny(family="XLMRoberta", kind="XLMRobertaForSequenceClassification", labels=1)
SCORED = Tiny(family="Qwen3", kind="Qwen3ForSequenceClassification", labels=1)
CAUSAL = Tiny(family="Qwen3", kind="Qwen3ForCausalLM", tied=False)
THREE_LABELS = Tiny(family="Bert", kind="BertForSequenceClassification", labels=3)

# The sizes of the embedder above.
NETWORK = {"architecture": '"BertModel"', "hidden": 32, "layers": 2, "heads": 4, "feed_forward": 64, "vocabulary": 604}


def keep(folder: Path, wanted: Callable[[str], bool], rename: Callable[[str], str] = str) -> None:
    """Writes some of the weights back, under other names."""
    state = {rename(name): value for name, value in load_file(folder / WEIGHTS).items() if wanted(name)}
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})


def left_out(word: str) -> Callable[[Path], None]:
    return lambda folder: keep(folder, lambda name: word not in name)


def renamed(folder: Path) -> None:
    keep(folder, lambda _: True, lambda name: f"query_tower.{name}")


def renamed_and_pickled(folder: Path) -> None:
    renamed(folder)
    torch.save(load_file(folder / WEIGHTS), folder / "pytorch_model.bin")
    (folder / WEIGHTS).unlink()


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def configured(**values: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return edit


def cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:2000])


def not_a_number(folder: Path) -> None:
    state = load_file(folder / WEIGHTS)
    state["encoder.layer.1.output.dense.weight"][0, 0] = float("nan")
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})


def broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")


@dataclass(frozen=True)
class Case:
    """A model, what was done to it, the options of the export, and the words of the message."""

    tiny: Tiny
    damage: Callable[[Path], None]
    message: str
    options: tuple[str, ...] = ()


CASES = {
    "no weights": Case(EMBEDDER, without(WEIGHTS), r"from \S+/tiny: it has no weights.*fetch them"),
    "no weights of a reranker": Case(CROSS_ENCODER, without(WEIGHTS), "it has no weights"),
    "weights cut short": Case(EMBEDDER, cut, r"cannot be loaded from \S+/tiny: .*header"),
    "no tokenizer": Case(EMBEDDER, without("tokenizer.json"), "no tokenizer: neither tokenizer.json nor a vocabulary"),
    "broken tokenizer": Case(EMBEDDER, broken_tokenizer, r"/tiny/tokenizer\.json is not a tokenizer"),
    "no configuration": Case(EMBEDDER, without("config.json"), r"/tiny/config\.json is missing"),
    # Heads, and everything else that transformers would fill with random numbers.
    "no head": Case(CROSS_ENCODER, left_out("classifier"), r"of 41, 4 missing: classifier\.dense\.bias"),
    "no score": Case(SCORED, left_out("score"), r"of 25, 1 missing: score\.weight\. Give"),
    "no language model's head": Case(CAUSAL, left_out("lm_head"), r"lm_head\.weight", ("--head", "yes-no")),
    "no dense layer": Case(DENSE, without("2_Dense/pytorch_model.bin"), "2_Dense: the dense layer has no weights"),
    "no second layer": Case(EMBEDDER, left_out("layer.1."), r"16 missing: encoder\.layer\.1\.attention"),
    "nothing of an embedder": Case(EMBEDDER, renamed, r"37 missing.*39 that are none of its own: query_tower\.embed"),
    "nothing of a reranker": Case(CROSS_ENCODER, renamed, "none is made up: of 41, 41 missing"),
    "nothing of a causal model": Case(CAUSAL, renamed, r"lm_head\.weight", ("--head", "yes-no")),
    "nothing of a pickled one": Case(EMBEDDER, renamed_and_pickled, "37 missing.*the trained model, whole"),
    "other sizes": Case(EMBEDDER, configured(hidden_size=48), r"of another size: .*is \[32\] instead of \[48\]"),
    "fewer tokens": Case(EMBEDDER, configured(vocab_size=100), r"word_embeddings.*\[604, 32\] instead of \[100, 32\]"),
    "more layers": Case(EMBEDDER, configured(num_hidden_layers=3), r"encoder\.layer\.2\.attention"),
    "three labels": Case(THREE_LABELS, lambda _: None, "3 labels; a reranker has one logit"),
}


def run(*arguments: object) -> InterlinguaError:
    """The error of an export."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert isinstance(result.exception, InterlinguaError), result.exception
    return result.exception


@pytest.fixture
def make(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> Callable[[Tiny], Path]:
    return lambda tiny: save(tiny, tmp_path / "tiny", tokenizer_json)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_damaged_folder(case: Case, make: Callable[[Tiny], Path], tmp_path: Path) -> None:
    folder = make(case.tiny)
    case.damage(folder)
    error = run(folder, *case.options, "--model-repository", tmp_path / "models" / "here")
    assert isinstance(error, InputError)
    assert re.search(case.message, str(error)), str(error)
    assert "\n" not in str(error)
    assert not (tmp_path / "models").exists()


def test_a_gate_that_fails_publishes_nothing(make: Callable[[Tiny], Path], tmp_path: Path) -> None:
    folder = make(EMBEDDER)
    not_a_number(folder)
    error = run(folder, "--model-repository", tmp_path / "models" / "here")
    assert isinstance(error, ExportError)
    assert re.search("nothing was published: error against [a-z-]+ nan, must be <=", str(error))
    assert list((tmp_path / "models").rglob("*")) == [tmp_path / "models" / "here"]


def catalogue(tmp_path: Path, folder: Path, *lines: str, **sizes: object) -> tuple[str, ...]:
    """Arguments that export a folder as the model of an entry."""
    network = [f"{key} = {value}" for key, value in (NETWORK | {"parameters": 50_000} | sizes).items()]
    source = f'source = {{ reader = "folder", path = "{folder}" }}'
    text = "\n".join(['[[model]]\nid = "me/mine"', source, *lines, "[model.network]", *network])
    (tmp_path / "own.toml").write_text(text)
    return ("me/mine", "--catalog", str(tmp_path / "own.toml"), "--model-repository", str(tmp_path / "models"))


@pytest.mark.parametrize(
    ("sizes", "fault"),
    [
        ({"hidden": 48}, "hidden_size is 32, and the entry says 48"),
        ({"layers": 3}, "num_hidden_layers is 2, and the entry says 3"),
        ({"vocabulary": 700}, "vocab_size is 604, and the entry says 700"),
        ({"architecture": '"XLMRobertaModel"'}, "its class is BertModel, and the entry says XLMRobertaModel"),
    ],
    ids=["hidden size", "layers", "vocabulary", "class"],
)
def test_a_folder_that_contradicts_its_entry(
    sizes: dict[str, object], fault: str, make: Callable[[Tiny], Path], tmp_path: Path
) -> None:
    error = run(*catalogue(tmp_path, make(EMBEDDER), 'role = "embedder"', **sizes))
    assert isinstance(error, InputError)
    assert f"{tmp_path / 'tiny'} is not the model that the catalogue calls me/mine: {fault}. Correct" in str(error)
    assert not (tmp_path / "models").exists()


def test_labels_that_contradict_the_entry(make: Callable[[Tiny], Path], tmp_path: Path) -> None:
    lines = ('role = "reranker"', 'pooling = "none"', 'head = "classifier"')
    wanted = {"architecture": '"BertForSequenceClassification"'}
    error = run(*catalogue(tmp_path, make(THREE_LABELS), *lines, **wanted))
    assert "it has 3 labels, and the entry's head classifier has 1" in str(error)


def test_too_little_memory_and_disk_is_said_before_anything_is_looked_for(tmp_path: Path) -> None:
    """Ten to the thirteen parameters are 40,000 GB, and torch and ONNX Runtime hold them twice."""
    arguments = catalogue(tmp_path, tmp_path / "not-there", 'role = "embedder"', parameters=10**13)
    error = run(*arguments)
    assert isinstance(error, InputError)
    for words in (
        "exporting me/mine in fp32 needs 80000.",
        "GB of memory and ",
        "(end other programs, or take a smaller model); and 40000.0 GB of disk for the model repository",
        "--model-repository, TMPDIR, HF_HOME",
        "Nothing was fetched or written; --ignore-limits tries all the same",
    ):
        assert words in str(error)
    assert not (tmp_path / "models").exists()
    # The folder is what is missing once nobody looks for room.
    assert "not-there/config.json is missing" in str(run(*arguments, "--ignore-limits"))
    assert "of disk for temporary files in" in str(run("compare", *arguments[:3]))


@pytest.mark.parametrize("name", ["multilingual-e5-smal", "intfloat/multilingual-e5-smal"])
def test_an_unknown_name_gets_the_nearest(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    error = run(name, "--model-repository", tmp_path / "models")
    assert isinstance(error, InputError)
    assert "Did you mean intfloat/multilingual-e5-small or " in str(error)
    assert not (tmp_path / "models").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    assert str(run(path)) == f"{path} is a file: give the folder that holds config.json, the weights and the tokenizer"


@pytest.mark.usefixtures("torch_exports")
def test_a_disk_that_fills_up_in_the_middle(make: Callable[[Tiny], Path], tmp_path: Path) -> None:
    """No file may grow beyond 30 kB, and the network has 150: the first to write it fails, and says why."""
    folder, (soft, hard) = make(EMBEDDER), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        error = run(folder, "--model-repository", tmp_path / "models")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(error, ExportError)
    assert "File too large" in str(error)
    assert list((tmp_path / "models").iterdir()) == []
