"""The build folder of a plan and its scripts.

There is no TensorRT where these tests run: what is generated is parsed, and build_plan.sh runs with stand-ins for
trtexec and nvidia-smi, which show what the script itself does.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from interlingua.base.errors import InputError
from interlingua_exporter.lint.rules.profiles import parse
from interlingua_exporter.tensorrt.graph_stamp import stamp
from tests.exporter.tensorrt_exports import PLAN, command_of, facts, run

MakeFolder = Callable[..., Path]

# trtexec 10 and 11, `trtexec --help`: the flags that are used here, and whether they take a value.
FLAGS = {
    "--onnx": True,
    "--saveEngine": True,
    "--stronglyTyped": False,
    "--profile": True,
    "--minShapes": True,
    "--optShapes": True,
    "--maxShapes": True,
    "--timingCacheFile": True,
    "--memPoolSize": True,
    "--skipInference": False,
}


@pytest.fixture(scope="module")
def built(make_folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder beside an empty repository."""
    root = tmp_path_factory.mktemp("built") / "models"
    folder = make_folder("bert", pooling="mean", normalize=True)
    done = run(folder, "--model-repository", root, *PLAN, "--max-batch-tokens", 1024, "--json")
    return Path(facts(done)["plan_build"])


def test_stamped_names_differ_by_weights_and_answers_do_not(built: Path, tmp_path: Path) -> None:
    values = []
    for name in ("as exported", "other weights"):
        network = tmp_path / name
        shutil.copytree(built, network, ignore=shutil.ignore_patterns("build*", "tokenizer.json"))
        if values:
            content = bytearray((network / "model.onnx.data").read_bytes())
            content[0] ^= 1  # the last bit of a float's fraction
            (network / "model.onnx.data").write_bytes(content)
        feed = {tensor: np.ones((2, 5), np.int64) for tensor in ("input_ids", "attention_mask")}
        before = ort.InferenceSession(network / "model.onnx").run(None, feed)[0]
        mark = stamp(network)
        onnx.checker.check_model(network / "model.onnx")
        np.testing.assert_array_equal(ort.InferenceSession(network / "model.onnx").run(None, feed)[0], before)
        nodes = onnx.load(network / "model.onnx", load_external_data=False).graph.node
        inner = {value for node in nodes for value in node.output} - {"embedding"}
        assert all(value.endswith(f"_{mark}") for value in inner)
        values.append(inner)
    assert not values[0] & values[1]


def test_nothing_is_published_before_there_is_a_plan(built: Path) -> None:
    repository = built.parents[1] / "models"
    assert built.parent == built.parents[1] / "models.tensorrt"
    assert list(repository.iterdir()) == []
    assert {path.name for path in built.iterdir()} == {
        "build.json",
        "build_plan.py",
        "build_plan.sh",
        "model.onnx",
        "model.onnx.data",
        "tokenizer.json",
    }
    result = run("plan", built, "--model-repository", repository)
    assert isinstance(result.exception, InputError)
    assert "model.plan is not there: run" in str(result.exception)
    assert list(repository.iterdir()) == []


def test_the_trtexec_command(built: Path) -> None:
    arguments = command_of((built / "build_plan.sh").read_text())
    flags = [argument.partition("=")[0] for argument in arguments]
    assert set(flags) <= set(FLAGS)
    assert all(FLAGS[flag] == ("=" in argument) for flag, argument in zip(flags, arguments, strict=True))
    assert not {"--fp16", "--bf16", "--int8", "--best"} & set(flags)
    # trtexec takes a profile's shapes from the three arguments right behind it.
    starts = [place for place, flag in enumerate(flags) if flag == "--profile"]
    assert [arguments[place] for place in starts] == ["--profile=0", "--profile=1", "--profile=2"]
    inputs = [entry.name for entry in onnx.load(built / "model.onnx", load_external_data=False).graph.input]
    # Edges 16, 48 and the model's 96; budget 1024: 64 texts of 1, 60 of 17, 20 of 49 at the most.
    sizes = [((1, 1), (64, 16), (64, 16)), ((1, 17), (21, 48), (60, 48)), ((1, 49), (10, 96), (20, 96))]
    for place, shapes in zip(starts, sizes, strict=True):
        for offset, (kind, shape) in enumerate(zip(("min", "opt", "max"), shapes, strict=True), start=1):
            flag, _, text = arguments[place + offset].partition("=")
            assert flag == f"--{kind}Shapes"
            assert parse(text) == dict.fromkeys(inputs, shape)


def test_the_scripts_parse(built: Path) -> None:
    subprocess.run(["bash", "-n", built / "build_plan.sh"], check=True)
    assert os.access(built / "build_plan.sh", os.X_OK)
    ast.parse((built / "build_plan.py").read_text(), feature_version=(3, 10))  # the container's Python


STAND_IN = """#!/usr/bin/env bash
if [ "$1" = --help ]; then echo "&&&& RUNNING TensorRT.trtexec [TensorRT v{version}] [b18] # trtexec --help"; exit; fi
printf '%s\\n' "$@" >arguments.txt
for argument in "$@"; do
    case $argument in --saveEngine=*) echo plan >"${{argument#--saveEngine=}}" ;; esac
done
exit {status}
"""


def run_script(
    built: Path, scratch: Path, version: str = "100500", status: int = 0, gpu: bool = True
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """build_plan.sh in a copy of the build folder, with stand-ins on its PATH."""
    folder, programs = Path(shutil.copytree(built, scratch / "build")), scratch / "bin"
    programs.mkdir()
    for name, text in (
        ("trtexec", STAND_IN.format(version=version, status=status)),
        ("nvidia-smi", f"#!/bin/sh\necho 'NVIDIA H200, 560.35'\nexit {int(not gpu)}\n"),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:/usr/bin:/bin"}
    script = [folder / "build_plan.sh"]
    return folder, subprocess.run(script, env=environment, capture_output=True, text=True, check=False)


def test_the_script_leaves_a_plan(built: Path, tmp_path: Path) -> None:
    folder, done = run_script(built, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (folder / "plan/model.plan").read_text() == "plan\n"
    assert not (folder / "plan/model.plan.part").exists()
    assert (folder / "plan_built_with.txt").read_text() == "TensorRT 100500; NVIDIA H200, 560.35\n"
    assert (folder / "arguments.txt").read_text().splitlines() == command_of((folder / "build_plan.sh").read_text())


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"version": "8601"}, "does not take int64 inputs"),
        ({"version": ""}, "does not say which TensorRT"),
        ({"gpu": False}, "no GPU to be seen"),
        ({"status": 1}, ""),
    ],
    ids=["old", "no version", "no GPU", "trtexec fails"],
)
def test_the_script_leaves_no_plan(built: Path, tmp_path: Path, case: dict[str, Any], message: str) -> None:
    folder, done = run_script(built, tmp_path, **case)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (folder / "plan/model.plan").exists()


def test_the_python_twin_says_what_is_missing(built: Path) -> None:
    done = subprocess.run([sys.executable, built / "build_plan.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no TensorRT in this Python")
    assert "Traceback" not in done.stderr
