"""Repositories that are odd, damaged or large: findings, never a traceback, and nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2 as pb

from interlingua_exporter.lint import Finding, Repository, lint
from tests.exporter.lint.lint_cases import CASES
from tests.exporter.lint.lint_repositories import GOOD, ONNX, ONNX_IO, graph, onnx_model, write

TEXTS = sorted({str(case.trap[name]) for case in CASES.values() for name in case.trap if name.endswith(".pbtxt")})


def linted(root: Path) -> list[Finding]:
    return lint(Repository.read(root))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {**GOOD, "m/1/model.onnx": graph(), "m/warmup/f": b"1"}
    return write(tmp_path_factory.mktemp("any") / "models", files)


def with_config(folder: Path, content: bytes) -> list[Finding]:
    (folder / "m" / "config.pbtxt").write_bytes(content)
    return linted(folder)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=150)
def test_no_bytes_raise(folder: Path, content: bytes) -> None:
    with_config(folder, content)


@given(st.sampled_from(TEXTS), st.integers(0, 400), st.integers(0, 40), st.text(max_size=8))
@settings(deadline=None, max_examples=300)
def test_no_change_of_a_configuration_raises(folder: Path, text: str, start: int, length: int, put: str) -> None:
    changed = text[:start] + put + text[start + length :]
    with_config(folder, changed.encode("utf-8", "surrogatepass"))


NAMES = st.sampled_from(["x", "y", "ids", "m", "", "../f", "a\0b", "n" * 300, "/"])
SIZES = st.sampled_from([-(2**63), -1, 0, 1, 2, 2**31 - 1])


@given(NAMES, SIZES, SIZES, NAMES, st.sampled_from(["onnxruntime", "python", "text", "tensorrt", "ensemble", "", "z"]))
@settings(deadline=None, max_examples=200)
def test_no_value_raises(folder: Path, name: str, size: int, other: int, file: str, backend: str) -> None:
    config = pb.ModelConfig(backend=backend, max_batch_size=min(max(size, -(2**31)), 2**31 - 1))
    config.default_model_filename = file
    config.input.add(name=name, data_type=pb.TYPE_INT64, dims=[other, size])
    config.output.add(name=name, data_type=pb.TYPE_FP16, dims=[size])
    config.dynamic_batching.preferred_batch_size.append(config.max_batch_size)
    sample = config.model_warmup.add(name=name, batch_size=1)
    sample.inputs[name].input_data_file = file
    sample.inputs[name].dims.append(size)
    config.ensemble_scheduling.step.add(model_name=name, model_version=other).input_map[name] = file
    accelerator = config.optimization.execution_accelerators.gpu_execution_accelerator.add(name="tensorrt")
    accelerator.parameters["trt_profile_min_shapes"] = f"{name}:{other}x{size}"
    with_config(folder, text_format.MessageToBytes(config, as_utf8=True))


def test_damage_is_a_finding_with_the_line(tmp_path: Path) -> None:
    root = write(tmp_path / "models", {**GOOD, "m/config.pbtxt": 'backend: "python"\nno_such_field: 3\n'})
    (finding,) = linted(root)
    assert finding.code == "CFG001"
    assert "2:1" in finding.what
    assert "no_such_field" in finding.what


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 10], ids=["bom", "utf-16", "zeros"])
def test_other_encodings_are_findings(tmp_path: Path, content: bytes) -> None:
    root = write(tmp_path / "models", {**GOOD, "m/config.pbtxt": content + b'backend: "python"'})
    assert [finding.code for finding in linted(root)] == ["CFG001"]


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    root = write(tmp_path / "models", {**GOOD, "n/1/model.onnx": os.mkfifo, "n/config.pbtxt": ONNX + ONNX_IO})
    os.mkfifo(root / "m" / "config.pbtxt.new")
    (root / "m" / "config.pbtxt").unlink()
    (root / "m" / "config.pbtxt.new").rename(root / "m" / "config.pbtxt")
    assert ("CFG001", "m") in {(finding.code, finding.model) for finding in linted(root)}


def test_links_in_a_circle(tmp_path: Path) -> None:
    root = write(tmp_path / "models", GOOD)
    (root / "m" / "back").symlink_to(root)
    (root / "loop").symlink_to("loop")
    assert {finding.code for finding in linted(root)} == {"REP001"}


def test_odd_names(tmp_path: Path) -> None:
    names = ["été", "a:b", "-rf", "q\"uote'", "new\nline", os.fsdecode(b"\xff\xfe")]
    files = {f"{name}/{rest.partition('/')[2]}": content for name in names for rest, content in GOOD.items()}
    found = linted(write(tmp_path / "models", files))
    assert [(finding.code, finding.model) for finding in found] == [("REP004", "new\nline")]


def test_thousands_of_models(tmp_path: Path) -> None:
    root = tmp_path / "models"
    for number in range(2000):
        (root / f"m{number}").mkdir(parents=True)
        (root / f"m{number}" / "config.pbtxt").write_text("input [")
    assert len(linted(root)) == 2000


def test_nothing_is_written_and_nothing_runs(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    source = f"open({str(trace)!r}, 'w').close()\n"
    root = write(tmp_path / "models", {**GOOD, **onnx_model(name="n"), "m/1/model.py": source})
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    linted(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert not trace.exists()


def test_a_mended_file_is_read_again(tmp_path: Path) -> None:
    root = write(tmp_path / "models", onnx_model(file=graph(names=("ids", "mask"))))
    assert [finding.code for finding in linted(root)] == ["ONX002"]
    (root / "m" / "1" / "model.onnx").write_bytes(graph())
    assert linted(root) == []
