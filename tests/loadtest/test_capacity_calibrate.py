"""Calibration on a real, tiny network from end to end: measured, fitted, written, read, simulated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua.repository.published import Published
from interlingua.repository.triton_config import Placement, read_config, write_config
from interlingua_exporter.export import export
from interlingua_exporter.export_request import ExportRequest
from interlingua_exporter.graphs.onnx.onnx_session import OnnxSession
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.publication.candidate import ServingOptions
from interlingua_loadtest.capacity.measure.calibrate import calibrate
from interlingua_loadtest.capacity.profile.hardware_profile import HardwareProfile, this_hardware
from interlingua_loadtest.capacity.profile.measured_network import measured_networks
from interlingua_loadtest.capacity.profile.server_layout import ServerLayout
from interlingua_loadtest.capacity.simulate.simulator import simulate
from interlingua_loadtest.capacity.simulate.workload import Workload

MakeFolder = Callable[..., Path]

SERVING = ServingOptions(placement=Placement("cpu", 2, 1), max_batch_size=16, max_batch_tokens=512)


@pytest.fixture(scope="module")
def repository(make_folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny embedder of 96 tokens and a tiny reranker, published."""
    root = tmp_path_factory.mktemp("capacity") / "models"
    for folder in (make_folder("bert", pooling="mean", normalize=True), make_folder("xlm-roberta", labels=1)):
        export(
            ExportRequest(model=resolve(str(folder)), precision="fp32", repository=root, serving=SERVING),
            [].append,
        )
    return root


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def profile(repository: Path, steps: list[str]) -> HardwareProfile:
    return calibrate(Published.read(repository), name="tests", seconds=1.0, server_seconds=0.0, on_step=steps.append)


def test_shapes_keep_to_what_a_service_sends(repository: Path) -> None:
    embedder, reranker = measured_networks(Published.read(repository))
    assert (embedder.name, reranker.name) == ("embedder", "reranker")
    assert (embedder.inputs, embedder.threads, embedder.precision) == (embedder.inputs, 1, "fp32")
    shapes = embedder.shapes()
    assert {length for _, length in shapes} == {8, 16, 32, 64, 96}
    assert max(texts for texts, _ in shapes) == 16
    assert all(texts == 1 or texts * length <= 512 for texts, length in shapes)
    vectors = OnnxSession(embedder.path, threads=1).run(embedder.feed(3, 8))
    assert vectors.shape == (3, 32)


def test_a_profile_holds_what_was_measured(profile: HardwareProfile, steps: list[str]) -> None:
    assert [model.network for model in profile.networks] == ["embedder", "reranker"]
    assert (profile.origin, profile.hardware) == ("measured", this_hardware())
    assert [line.split(" (")[0] for line in steps] == [
        "measuring embedder",
        "measuring reranker",
        "measuring the tokenizer",
    ]
    for model in profile.networks:
        assert model.residuals is not None
        assert model.residuals.executions >= 3 * 20
        assert model.seconds(8, 64) > model.seconds(1, 8) > 0
        assert [calls for calls, _ in model.slowdown] == [1, 2]
        assert all(factor > 0 for _, factor in model.slowdown)
    assert profile.text.token_s + profile.text.text_s + profile.text.batch_s > 0


def test_a_profile_comes_back_from_its_file(profile: HardwareProfile, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    profile.write(path)
    assert HardwareProfile.read(path) == profile
    assert [file.name for file in tmp_path.iterdir()] == ["profile.json"]
    changed = json.loads(path.read_text())
    changed["hardware"]["cores"] = "64"
    path.write_text(json.dumps(changed))
    with pytest.raises(InputError, match="changed by hand"):
        HardwareProfile.read(path)
    path.write_text(json.dumps(changed | {"format": 99}))
    with pytest.raises(InputError, match="format 99"):
        HardwareProfile.read(path)
    path.write_text("{")
    with pytest.raises(InputError, match="not a readable hardware profile"):
        HardwareProfile.read(path)
    with pytest.raises(InputError, match=r"none\.json is not there or cannot be read"):
        HardwareProfile.read(tmp_path / "none.json")


def test_a_layout_is_the_repository_s(repository: Path, profile: HardwareProfile) -> None:
    layout = ServerLayout.of(Published.read(repository), profile, cores=2)
    assert sorted(layout.services) == ["embed_document", "embed_query", "rerank"]
    query = layout.services["embed_query"]
    assert (query.network, query.instances, query.max_batch, query.outstanding_calls) == ("embedder", 2, 16, 2)
    assert (query.max_batch_tokens, query.max_tokens, query.text) == (512, 96, profile.text)
    assert {name: network.instances for name, network in layout.networks.items()} == {"embedder": 2, "reranker": 2}
    assert layout.networks["reranker"].time == profile.find("reranker", "fp32", 1)
    assert dict(layout.slowdown)[1] == 1.0
    timeline = simulate(Workload.of([0.0, 1.0], [[9], [9, 20, 30]], ["embed_query", "search"]), layout)
    assert 0 < timeline.latency.min() < timeline.latency.max() < 1


def test_what_was_not_measured_is_named(repository: Path, profile: HardwareProfile) -> None:
    only = replace(profile, networks=profile.networks[:1])
    with pytest.raises(InputError, match=r"no reranker in fp32 with 1 threads, it has embedder fp32 x 1"):
        ServerLayout.of(Published.read(repository), only)


def test_repositories_that_cannot_be_measured(repository: Path, tmp_path: Path, profile: HardwareProfile) -> None:
    with pytest.raises(InputError, match="holds neither of embedder, reranker"):
        calibrate(Published.read(tmp_path), name="none", on_step=[].append)
    with pytest.raises(InputError, match="holds none of embed_query"):
        ServerLayout.of(Published.read(tmp_path), profile)
    config = read_config(repository / "embedder" / "config.pbtxt")
    config.instance_group[0].kind = type(config.instance_group[0]).KIND_GPU
    shutil.copytree(repository, tmp_path, dirs_exist_ok=True)
    write_config(config, tmp_path / "embedder" / "config.pbtxt")
    with pytest.raises(InputError, match="exported for a GPU"):
        calibrate(Published.read(tmp_path), name="gpu", on_step=[].append)
    config.ClearField("parameters")
    config.instance_group[0].kind = type(config.instance_group[0]).KIND_CPU
    write_config(config, tmp_path / "embedder" / "config.pbtxt")
    write_config(config, tmp_path / "embed_query" / "config.pbtxt")
    with pytest.raises(InputError, match="export again"):
        calibrate(Published.read(tmp_path), name="bare", on_step=[].append)
