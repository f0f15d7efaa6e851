"""A plan's way into the repository. Its content is made up: nothing here reads a plan, only Triton would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.triton_config import Placement, parameters_of, read_config
from interlingua.served.text.tokenizer import Tokens
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.publication.candidate import Candidate, ServingOptions
from interlingua_exporter.publication.tensorrt_serving import TensorRtServing
from interlingua_exporter.tensorrt.plan_build import PlanBuild, require_standard_operators, write_build
from tests.exporter.tensorrt_exports import PLAN, command_of, complaints, facts, run

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="module")
def embedder_folder(make_folder: MakeFolder) -> Path:
    return make_folder("bert", pooling="mean", normalize=True, prompts={"query": "q: ", "document": "d: "})


@pytest.fixture(scope="module")
def built(embedder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder beside an empty repository."""
    root = tmp_path_factory.mktemp("built") / "models"
    return Path(facts(run(embedder_folder, "--model-repository", root, *PLAN, "--json"))["plan_build"])


def with_plan(built: Path, target: Path, content: bytes = b"plan") -> Path:
    folder = Path(shutil.copytree(built, target))
    (folder / "plan").mkdir()
    (folder / "plan/model.plan").write_bytes(content)
    return folder


def test_a_plan_is_published(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "models"
    done = facts(run("plan", with_plan(built, tmp_path / "build"), "--model-repository", root, "--json"))
    assert (done["models"], done["version"]) == (["embedder", "embed_query", "embed_document"], 1)
    config = read_config(root / "embedder/config.pbtxt")
    assert (config.platform, config.backend) == ("tensorrt_plan", "tensorrt")
    assert [(entry.name, list(entry.dims)) for entry in config.input] == [("input_ids", [-1]), ("attention_mask", [-1])]
    (group,) = config.instance_group
    assert list(group.profile) == ["0", "1", "2"]
    assert not config.HasField("optimization")
    shapes = {(sample.batch_size, sample.inputs["input_ids"].dims[0]) for sample in config.model_warmup}
    assert shapes == {(1, 16), (1, 48), (1, 96), (64, 16), (64, 48), (64, 96)}
    assert (root / "embedder/1/model.plan").read_bytes() == b"plan"
    service = parameters_of(read_config(root / "embed_query/config.pbtxt"))
    assert (service["1/prompt"], service["1/max_tokens"], service["1/digest"]) == ("q: ", "96", done["digest"])
    assert complaints(root) == []


def test_a_plan_is_verified_by_its_files(built: Path, embedder_folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "models"
    run("plan", with_plan(built, tmp_path / "build"), "--model-repository", root)
    (version,) = facts(run("verify", "--model-repository", root, "--json"))
    assert (version["network"], version["files"], version["gate"]) == ("embedder/1", "as published", None)
    asked = run("verify", embedder_folder, "--model-repository", root)
    assert isinstance(asked.exception, InputError)
    assert "only TensorRT can run" in str(asked.exception)
    (root / "embedder/1/model.plan").write_bytes(b"another")
    changed = run("verify", "--model-repository", root)
    assert isinstance(changed.exception, ExportError)
    assert "its config says" in str(changed.exception)


def test_plans_of_one_repository_share_their_profiles(built: Path, embedder_folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "models"
    first = with_plan(built, tmp_path / "first")
    assert facts(run("plan", first, "--model-repository", root, "--json"))["version"] == 1
    assert facts(run("plan", first, "--model-repository", root, "--json"))["reused"]
    second = with_plan(built, tmp_path / "second", b"another")
    assert facts(run("plan", second, "--model-repository", root, "--json"))["version"] == 2
    assert complaints(root) == []
    record = json.loads((second / "build.json").read_text())
    record["serving"]["tensorrt"]["edges"] = [32, 96]
    (second / "build.json").write_text(json.dumps(record))
    (second / "plan/model.plan").write_bytes(b"a third")
    before = (root / "embedder/config.pbtxt").read_bytes()
    refused = run("plan", second, "--model-repository", root)
    assert isinstance(refused.exception, InputError)
    assert "Build it with --buckets 16,48,96" in str(refused.exception)
    assert (root / "embedder/config.pbtxt").read_bytes() == before
    mixed = run(embedder_folder, "--model-repository", root, "--json")
    assert isinstance(mixed.exception, InputError)
    assert "run by tensorrt-plan, this one would be by ONNX Runtime" in str(mixed.exception)


def test_the_same_build_again_keeps_its_plan_and_another_does_not(built: Path, tmp_path: Path) -> None:
    def build(edges: tuple[int, ...]) -> PlanBuild:
        shutil.copytree(built, tmp_path / "network", ignore=shutil.ignore_patterns("build*", "tokenizer.json"))
        candidate = Candidate(
            spec=ModelSpec(id="tests/tiny", role="embedder", source=FolderSource(tmp_path), max_tokens=96),
            precision="fp32",
            network=tmp_path / "network",
            inputs=("input_ids", "attention_mask"),
            dimension=32,
            vocabulary=600,
            pad_token_id=0,
            tokenizer_json=b"{}",
            sample=Tokens((1, 5, 2), (0, 0, 0)),
        )
        tensorrt = TensorRtServing("tensorrt-plan", edges, edges[0])
        done = write_build(candidate, repository, ServingOptions(placement=Placement("gpu", 1, 1), tensorrt=tensorrt))
        shutil.rmtree(tmp_path / "network")
        return done

    repository = ModelRepository(tmp_path / "models")
    first = build((16, 96))
    first.plan.parent.mkdir()
    first.plan.write_bytes(b"plan")
    assert build((16, 96)).plan.read_bytes() == b"plan"
    for before in ({**first.record, "languages": "0.1"}, {k: v for k, v in first.record.items() if k != "languages"}):
        (first.folder / "build.json").write_text(json.dumps(before))
        assert build((16, 96)).plan.read_bytes() == b"plan"
        assert PlanBuild.read(first.folder).record == first.record
    other = build((32, 96))
    assert other.folder == first.folder
    assert not other.plan.exists()
    assert "--maxShapes=input_ids:64x32,attention_mask:64x32" in command_of(
        (other.folder / "build_plan.sh").read_text()
    )


def test_operators_that_tensorrt_does_not_know_are_named(tmp_path: Path) -> None:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    nodes = [helper.make_node("FastGelu", ["x"], ["y"], domain="com.microsoft")]
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", value[:1], value[1:])), path)
    with pytest.raises(ExportError, match=r"does not know com\.microsoft\.FastGelu"):
        require_standard_operators(path)


def test_a_folder_that_is_no_build_folder(tmp_path: Path) -> None:
    result = run("plan", tmp_path, "--model-repository", tmp_path / "models")
    assert isinstance(result.exception, InputError)
    assert "is no build folder" in str(result.exception)
