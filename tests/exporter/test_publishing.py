"""Versions: numbered, never changed, all or nothing, whatever kills the export."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.model_repository import ModelRepository
from interlingua.repository.published import Published
from interlingua.repository.triton_config import Placement, parameters_of, read_config, versions_of
from interlingua.served.service import ServiceSpec
from interlingua_exporter.publication.digests import answer_digest, weights_digest
from tests.support.publication import SERVING, WORDS, publish_bytes

MODELS = ("embedder", "embed_query", "embed_document")


def test_the_first_version(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "models"
    done = publish_bytes(root, b"first")
    assert (done.models, done.version, done.reused) == (MODELS, 1, False)
    assert (root / "embedder/1/model.onnx").read_bytes() == b"first"
    assert (root / "embedder/1/model.onnx.data").read_bytes() == b"firstfirst"
    assert (root / "embed_query/1/tokenizer.json").read_bytes() == WORDS
    assert sorted(path.name for path in root.parent.iterdir()) == ["models"]
    specs = {
        name: ServiceSpec.from_parameters(parameters_of(read_config(root / name / "config.pbtxt")), 1)
        for name in MODELS[1:]
    }
    query, document = specs["embed_query"], specs["embed_document"]
    assert (query.prompt, document.prompt) == ("q: ", "d: ")
    assert dataclasses.replace(query, prompt="") == dataclasses.replace(document, prompt="")
    assert (query.network, query.network_inputs, query.dimension) == ("embedder", "input_ids,attention_mask", 8)
    assert (query.max_tokens, query.max_batch_tokens, query.digest) == (64, 1024, done.digest)


def test_warm_up_files_are_there_for_the_network_only(tmp_path: Path) -> None:
    publish_bytes(tmp_path / "models", b"first")
    config = read_config(tmp_path / "models/embedder/config.pbtxt")
    named = {tensor.input_data_file for sample in config.model_warmup for tensor in sample.inputs.values()}
    assert named == {path.name for path in (tmp_path / "models/embedder/warmup").iterdir()}
    assert not (tmp_path / "models/embed_query/warmup").exists()


def test_a_second_version_keeps_the_first(tmp_path: Path) -> None:
    root = tmp_path / "models"
    first = publish_bytes(root, b"first")
    before = parameters_of(read_config(root / "embed_query/config.pbtxt"))
    second = publish_bytes(root, b"second", prompt="ask: ")
    assert (second.version, second.reused) == (2, False)
    assert second.digest != first.digest
    for name in MODELS:
        assert versions_of(read_config(root / name / "config.pbtxt")) == (1, 2)
    after = parameters_of(read_config(root / "embed_query/config.pbtxt"))
    assert before.items() <= after.items()
    assert after["2/prompt"] == "ask: "
    assert (root / "embedder/1/model.onnx").read_bytes() == b"first"
    assert Published.read(root).versions("embedder") == (1, 2)


def test_a_version_that_was_removed_by_hand_goes_out_of_the_configs(tmp_path: Path) -> None:
    root = tmp_path / "models"
    publish_bytes(root, b"first")
    publish_bytes(root, b"second")
    for name in MODELS:
        shutil.rmtree(root / name / "1")
    assert publish_bytes(root, b"third").version == 3
    for name in MODELS:
        config = read_config(root / name / "config.pbtxt")
        assert versions_of(config) == (2, 3)
        assert not [key for key in parameters_of(config) if key.startswith("1/")]


def test_the_same_bytes_again_reuse_the_version(tmp_path: Path) -> None:
    root = tmp_path / "models"
    first = publish_bytes(root, b"first")
    publish_bytes(root, b"second")
    again = publish_bytes(root, b"first", serving=dataclasses.replace(SERVING, placement=Placement("cpu", 7, 1)))
    assert (again.version, again.reused, again.digest) == (1, True, first.digest)
    assert sorted(path.name for path in (root / "embedder").iterdir() if path.name.isdigit()) == ["1", "2"]
    assert Published.read(root).required("embedder").network.instances == 7


def test_a_version_is_never_changed(tmp_path: Path) -> None:
    root = tmp_path / "models"
    publish_bytes(root, b"first", version=5)
    with pytest.raises(InputError, match="embedder/5 is published and is another network"):
        publish_bytes(root, b"second", version=5)
    assert (root / "embedder/5/model.onnx").read_bytes() == b"first"
    assert publish_bytes(root, b"first", version=5).reused
    assert publish_bytes(root, b"second").version == 6
    assert sorted(path.name for path in root.parent.iterdir()) == ["models"]


def test_other_tensors_cannot_share_the_configuration(tmp_path: Path) -> None:
    root = tmp_path / "models"
    publish_bytes(root, b"first")
    with pytest.raises(
        InputError, match=r"8 values out \(embedding\); tests/tiny has input_ids, attention_mask and 16"
    ):
        publish_bytes(root, b"second", dimension=16)


def test_warm_up_suits_every_version(tmp_path: Path) -> None:
    """Samples go to all versions: no id beyond the smallest vocabulary, no text beyond the shortest limit."""
    root = tmp_path / "models"
    serving = dataclasses.replace(SERVING, placement=Placement("gpu", 1, 1))
    publish_bytes(root, b"first", vocabulary=50, max_tokens=24, serving=serving)
    publish_bytes(root, b"second", vocabulary=100, max_tokens=64, serving=serving)
    samples = [np.frombuffer(path.read_bytes(), "<i8") for path in (root / "embedder/warmup").glob("*input_ids")]
    assert samples
    assert max(int(ids.max()) for ids in samples) == 49
    assert max(len(ids) for ids in samples) == 24


def test_two_exports_at_once(tmp_path: Path) -> None:
    root = tmp_path / "models"
    with ModelRepository(root).staging(), pytest.raises(ExportError, match="another export is at work"):
        publish_bytes(root, b"first")
    assert publish_bytes(root, b"first").version == 1


def test_a_repository_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        publish_bytes(tmp_path / "models", b"first")


def check_whole(root: Path, version: int, content: bytes) -> None:
    """Every file of a version is there and belongs to its digests."""
    assert (
        weights_digest(root / "embedder" / str(version))
        == parameters_of(read_config(root / "embedder/config.pbtxt"))[f"{version}/weights_digest"]
    )
    assert (root / f"embedder/{version}/model.onnx").read_bytes() == content
    for name in MODELS[1:]:
        parameters = parameters_of(read_config(root / name / "config.pbtxt"))
        digest = answer_digest(
            parameters_of(read_config(root / "embedder/config.pbtxt"))[f"{version}/weights_digest"],
            (root / name / str(version) / "tokenizer.json").read_bytes(),
            query_prompt="q: ",
            document_prompt="d: ",
            max_tokens=64,
        )
        assert parameters[f"{version}/digest"] == digest


def check_loadable(root: Path) -> None:
    """What Triton would find: no model without a config, no version or sample that a config names and is missing.

    A service's versions are the network's, or fewer.
    """
    network: tuple[int, ...] = ()
    for name in MODELS:
        if not (root / name).is_dir():
            continue
        config = read_config(root / name / "config.pbtxt")
        assert all((root / name / str(version)).is_dir() for version in versions_of(config))
        for sample in config.model_warmup:
            for tensor in sample.inputs.values():
                assert (root / name / "warmup" / tensor.input_data_file).is_file()
        network = network or versions_of(config)
        assert set(versions_of(config)) <= set(network)


@pytest.mark.parametrize("with_first", [False, True], ids=["empty repository", "one version there"])
def test_killed_at_every_step(tmp_path: Path, with_first: bool) -> None:
    base, scratch = tmp_path / "base" / "models", tmp_path / "killed"
    scratch.mkdir()
    if with_first:
        publish_bytes(base, b"first")
    command = [sys.executable, "-m", "tests.exporter.killed_publication", str(base), str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = done.stdout.split("\n")[:-1]
    assert len(steps) > 30
    assert steps[-1].endswith("whole")
    number = 2 if with_first else 1
    finished = set()
    for step in range(len(steps)):
        root = scratch / str(step) / "models"
        if root.is_dir():
            check_loadable(root)
        if with_first:
            check_whole(root, 1, b"first")
        repository = ModelRepository(root)
        repository.recover()
        check_loadable(root)
        versions = repository.read().versions("embedder")
        assert versions in ((), (1,)) if not with_first else versions in ((1,), (1, 2))
        finished.add(number in versions)
        done_again = publish_bytes(root, b"second")
        assert (done_again.version, done_again.reused) == (number, number in versions)
        check_whole(root, number, b"second")
        check_loadable(root)
        assert sorted(path.name for path in root.parent.iterdir()) == ["models"]
    assert finished == {False, True}
