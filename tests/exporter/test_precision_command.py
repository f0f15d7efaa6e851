"""`interlingua export` in other precisions: what is refused before any work, the trade, `export compare`, `--fuse`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto

from interlingua.base.errors import ExportError, InputError
from interlingua.repository.triton_config import parameters_of, read_config
from interlingua.served.limits import GPU_BATCH_TOKENS
from interlingua_cli.export import command
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.graphs.onnx.value_kinds import element_kinds
from interlingua_exporter.precision.build import convert, write_full
from interlingua_exporter.precision.half_precision import FORMATS, Half
from tests.exporter.half_networks import Networks

MakeFolder = Callable[..., Path]

BERT = {"family": "bert", "pooling": "mean", "normalize": True}
CATALOGUE = """
[[model]]
id = "tests/no-fp16"
role = "embedder"
precision_limits = [{ precision = "fp16", verdict = "forbidden", why = "activations of this family overflow" }]
[model.source]
reader = "folder"
path = "not-there"
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_precision_that_the_entry_forbids_is_refused_before_loading(tmp_path: Path) -> None:
    """The weights are not even there: nobody looked for them."""
    (tmp_path / "own.toml").write_text(CATALOGUE)
    options = ("--catalog", tmp_path / "own.toml", "--model-repository", tmp_path / "models")
    result = run("tests/no-fp16", "--precision", "fp16", *options)
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == (
        "tests/no-fp16 must not be exported in fp16, only in fp32, bf16, int8: activations of this family overflow"
    )
    assert "loading" not in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--precision", "bf16"], "bf16 runs on GPUs alone.*add --kind gpu"),
        (["--fuse"], "--fuse is for GPUs.*add --kind gpu"),
        (["--fuse", "--kind", "gpu", "--precision", "int8"], "--fuse does not go with int8"),
    ],
    ids=["bf16 on a CPU", "fused on a CPU", "fused int8"],
)
def test_what_a_server_could_not_use_is_refused_before_loading(
    make_folder: MakeFolder, options: list[str], message: str
) -> None:
    result = run(make_folder("bert"), *options)
    assert isinstance(result.exception, InputError)
    assert re.search(message, str(result.exception))
    assert "loading" not in result.stderr


def test_an_export_says_what_was_traded_and_is_verified(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder, root = make_folder(**BERT), tmp_path / "models"
    result = run(folder, "--precision", "bf16", "--kind", "gpu", "--fuse", "--model-repository", root, "--json")
    assert result.exception is None, result.exception
    done = json.loads(result.stdout)
    trade = done["trade"]
    assert done["precision"] == "bf16"
    assert parameters_of(read_config(root / "embed_document/config.pbtxt"))["1/max_batch_tokens"] == str(
        GPU_BATCH_TOKENS
    )
    assert done["fused"] == {"Attention": 2, "SkipLayerNormalization": 4, "BiasGelu": 2}
    assert trade["network_bytes"] < trade["fp32_bytes"]
    assert (trade["texts_per_second"], trade["speed_caveat"]) == (None, "not measured: this CPU has no kernels for it")
    assert trade["fp32_texts_per_second"] > 0
    languages = done["gate"]["per_language"]
    assert trade["worst_language"]["correlation"] == min(row["correlation"] for row in languages)
    assert len(languages) == done["gate"]["languages"]
    (checked,) = json.loads(run("verify", folder, "--model-repository", root, "--json").stdout)
    assert checked["gate"]["arithmetic"].startswith("bf16 emulated")


def test_compare_gates_every_precision_and_publishes_nothing(
    make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("compare", make_folder(**BERT), "--json")
    assert result.exception is None, result.exception
    rows = {row["precision"]: row for row in json.loads(result.stdout)["precisions"]}
    assert list(rows) == ["fp32", "fp16", "bf16", "int8"]
    assert {row["verdict"] for row in rows.values()} == {"passes"}
    sizes = {name: row["trade"]["network_bytes"] for name, row in rows.items()}
    assert sizes["fp16"] == pytest.approx(sizes["bf16"], rel=0.02)
    assert sizes["fp16"] < sizes["fp32"]
    assert [name for name, row in rows.items() if row["trade"]["texts_per_second"] is None] == ["bf16"]
    assert list(tmp_path.iterdir()) == []


def test_compare_goes_without_the_options_of_an_export() -> None:
    assert run("compare", "--verify").exit_code == 2
    assert run("compare", "--fuse").exit_code == 2


@pytest.mark.parametrize(("flag", "verb"), [("--verify", "verify"), ("--compare", "compare"), ("--plan", "plan")])
def test_a_flag_of_former_versions_is_the_verb_that_it_is_now(flag: str, verb: str) -> None:
    result = run(flag, "--help")
    assert result.exit_code == 0
    assert f"note: {flag} is `interlingua export {verb}` now" in result.stderr
    assert result.stdout == run(verb, "--help").stdout


def test_the_value_of_a_former_flag_goes_with_it(tmp_path: Path) -> None:
    result = run("--model-repository", tmp_path, f"--plan={tmp_path}")
    assert str(result.exception) == str(run("plan", tmp_path, "--model-repository", tmp_path).exception)
    assert isinstance(result.exception, InputError)


def test_fused_operators_answer_as_the_plain_ones(networks: Networks) -> None:
    """Two layers: one attention, two norms with their residual and bias, one Gelu with its bias each."""
    fused, plain = networks.full("bert", fuse=True), networks.full("bert")
    kinds = [node.op_type for node in fused.model.graph.node if node.domain == "com.microsoft"]
    assert sorted(kinds) == ["Attention"] * 2 + ["BiasGelu"] * 2 + ["SkipLayerNormalization"] * 4
    assert "Softmax" not in {node.op_type for node in fused.model.graph.node}
    np.testing.assert_allclose(fused.answers(), plain.answers(), rtol=1e-3, atol=2e-6)
    assert gate_network(fused.checkpoint, "fp32", fused.folder, 1).languages >= 12


@pytest.mark.parametrize("half", ["fp16", "bf16"])
def test_fused_norms_stay_in_fp32_and_the_rest_does_not(networks: Networks, tmp_path: Path, half: Half) -> None:
    fused = networks.full("bert", fuse=True)
    convert(fused.checkpoint, fused.folder, half, tmp_path / "half", 1)
    model = onnx.load(tmp_path / "half" / "model.onnx", load_external_data=False)
    kinds = element_kinds(model.graph, 18)
    number = FORMATS[half].number
    expected = {"SkipLayerNormalization": TensorProto.FLOAT, "Attention": number, "BiasGelu": number}
    seen = set()
    for node in (node for node in model.graph.node if node.op_type in expected):
        floats = {kinds[value] for value in (*node.input, *node.output) if value} - {TensorProto.INT32}
        assert floats == {expected[node.op_type]}, node.op_type
        seen.add(node.op_type)
    assert seen == set(expected)
    assert gate_network(fused.checkpoint, half, tmp_path / "half", 1).languages >= 12


def test_a_kind_that_the_optimizer_does_not_know(networks: Networks, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"fusions are known for bert.*this is qwen3: leave --fuse out"):
        write_full(networks.checkpoint("qwen3"), tmp_path / "fused", fuse=True)
