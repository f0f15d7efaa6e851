"""Exports for ONNX Runtime's TensorRT provider on tiny models, read back and linted; and options that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from interlingua.base.errors import InputError
from interlingua.repository.triton_config import read_config
from interlingua.served.limits import GPU_BATCH_TOKENS
from interlingua_cli.exporting.lengths import parse_buckets
from interlingua_exporter.lint.rules.profiles import parse
from tests.exporter.tensorrt_exports import complaints, facts, run

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="module")
def embedder_folder(make_folder: MakeFolder) -> Path:
    return make_folder("bert", pooling="mean", normalize=True, prompts={"query": "q: ", "document": "d: "})


@pytest.fixture(scope="module")
def provided(make_folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a reranker, which has three inputs, for ONNX Runtime's provider."""
    folder = tmp_path_factory.mktemp("provided")
    rows = [{"id": str(n), "title": f"word {n}", "text": "word " * (n % 40 + 1)} for n in range(60)]
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    gpu = ("--kind", "gpu", "--provider", "tensorrt", "--lengths", folder / "corpus.jsonl", "--buckets", 3)
    done = facts(
        run(
            make_folder("bert", labels=1),
            "--model-repository",
            folder / "models",
            *gpu,
            "--precision",
            "fp16",
            "--json",
        )
    )
    (folder / "facts.json").write_text(json.dumps(done))
    return folder


def test_the_buckets_are_reported_and_warm_ups_use_them(provided: Path) -> None:
    lengths = json.loads((provided / "facts.json").read_text())["lengths"]
    assert lengths["texts"] == 60
    assert [len(choice["edges"]) for choice in lengths["choices"]] == [1, 2, 3]
    assert lengths["edges"] == lengths["choices"][-1]["edges"]
    assert lengths["edges"][-1] == 96
    config = read_config(provided / "models/reranker/config.pbtxt")
    shapes = {(sample.batch_size, sample.inputs["input_ids"].dims[0]) for sample in config.model_warmup}
    full = {(min(GPU_BATCH_TOKENS // edge, 64), edge) for edge in lengths["edges"]}
    assert shapes == {(1, edge) for edge in lengths["edges"]} | full


def test_every_dynamic_input_of_the_graph_has_a_profile(provided: Path) -> None:
    config = read_config(provided / "models/reranker/config.pbtxt")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    graph = onnx.load(provided / "models/reranker/1/model.onnx", load_external_data=False).graph
    dynamic = [entry.name for entry in graph.input if any(axis.dim_param for axis in entry.type.tensor_type.shape.dim)]
    assert dynamic == ["input_ids", "attention_mask", "token_type_ids"]
    for kind, shape in (("min", (1, 1)), ("max", (64, 96))):
        assert parse(accelerator.parameters[f"trt_profile_{kind}_shapes"]) == dict.fromkeys(dynamic, shape)
    assert accelerator.name == "tensorrt"
    assert accelerator.parameters["trt_engine_cache_path"] == "/var/cache/interlingua/tensorrt/reranker"
    assert accelerator.parameters["trt_engine_cache_prefix"] == "reranker"
    assert not any("fp16" in name or "precision" in name for name in accelerator.parameters)
    assert complaints(provided / "models") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--provider", "tensorrt", "--buckets", "16,96"), "add --kind gpu"),
        (("--kind", "gpu", "--provider", "tensorrt"), "needs to know the lengths"),
        (("--kind", "gpu", "--provider", "tensorrt", "--buckets", "96,16"), "do not rise"),
        (("--kind", "gpu", "--provider", "tensorrt", "--buckets", "16,128"), "not at the model's limit of 96"),
        (
            ("--kind", "gpu", "--provider", "tensorrt", "--buckets", "16,96", "--precision", "int8"),
            "fp16, bf16 or fp32",
        ),
        (("--buckets", "many"), "give a number of buckets"),
    ],
    ids=["cpu", "no lengths", "falling", "beyond the limit", "int8", "no number"],
)
def test_wishes_that_cannot_be(embedder_folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(embedder_folder, "--model-repository", tmp_path / "models", *arguments)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [("--buckets", "4"), ("--tensorrt-cache", "cache"), ("--queries", "README.md")],
    ids=["a number without a corpus", "relative cache", "queries alone"],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...]) -> None:
    assert run("nothing", *arguments).exit_code == 2


def test_buckets_as_written() -> None:
    assert parse_buckets("4") == (4, ())
    assert parse_buckets("32, 128,512") == (3, (32, 128, 512))
