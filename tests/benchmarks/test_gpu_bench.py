"""The GPU benchmark on a CPU: the same code on tiny models, and its figures are those of its samples."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from interlingua_benchmarks.gpu_bench.__main__ import main
from interlingua_benchmarks.gpu_bench.bench import measure
from interlingua_benchmarks.gpu_bench.products.matrix_rate import matrix_rates
from interlingua_benchmarks.gpu_bench.records import MatrixRate
from interlingua_benchmarks.gpu_bench.settings import LOOK, BenchSettings, Device
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.benchmarks.gpu_bench_models import write_catalogue

SCALE = replace(
    LOOK, matrix_sizes=(32, 48), budgets=(128, 256), lengths=(12,), sweep_lengths=(32,), point_s=0.004, calls=5
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for cores which other tests have make tiny products slow."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    return write_catalogue(folder, tokenizer_json, ("tiny/bert", "tiny/cross", "tiny/qwen"))


def _settings(catalogue: Path, work: Path, **changes: Any) -> BenchSettings:
    plain = BenchSettings(
        device=Device("cpu"),
        models=("tiny/bert",),
        arithmetics=("fp32",),
        runtimes=("torch",),
        scale=SCALE,
        work=work,
        catalogue=catalogue,
    )
    return replace(plain, **changes)


def _silent(_: str) -> None:
    """Steps nobody reads."""


def test_the_command_writes_figures_that_its_samples_make(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gpu.json"
    arguments = ["--device", "cpu", "--catalog", str(catalogue), "--models", "tiny/qwen", "--precisions", "fp32,bf16"]
    status = main([*arguments, "--budgets", "128,256", "--markdown", "--json", str(file)])
    assert status == 0
    content = json.loads(file.read_text())
    rates = {rate["arithmetic"]: rate for rate in content["matrix_rates"]}
    assert rates.keys() == {"fp32", "bf16"}
    rows = {(row["runtime"], row["arithmetic"]): row for row in content["rows"]}
    assert rows.keys() == {(runtime, name) for runtime in ("torch", "onnxruntime") for name in ("fp32", "bf16")}
    for (runtime, name), row in rows.items():
        if (runtime, name) == ("onnxruntime", "bf16"):  # no such kernels on CPUs
            assert row["failed"]
            assert not row["points"]
            continue
        assert (row["failed"], row["whole"]) == ("", True)
        assert row["deviation"] < 0.05
        assert len(row["points"]) >= 1
        for point in row["points"] + row["sweep"]:
            _is_consistent(point, rates[name]["flops"], budget=point["budget"])
        best = max(row["points"], key=lambda point: point["tokens_per_s"])
        assert (row["best_budget"], row["utilisation"]) == (best["budget"], best["utilisation"])
        assert [latency["tokens"] for latency in row["latencies"]] == [12, 64, 96]  # 512 is beyond the model
        assert all(latency["p50_s"] == statistics.median(latency["call_s"]) for latency in row["latencies"])
    printed = capsys.readouterr().out
    assert sum(line.startswith("| tiny/qwen | torch |") for line in printed.splitlines()) == 4  # two tables
    assert "- tiny/qwen, onnxruntime, bf16: " in printed
    assert "on a CPU" in printed
    assert not list((tmp_path).glob(".*"))


def _is_consistent(point: dict[str, Any], rate: float, *, budget: int) -> None:
    seconds = statistics.median(point["pass_s"])
    calls = point["calls"] * point["rounds"]
    real = sum(call["real_tokens"] for call in calls)
    assert point["tokens_per_s"] * seconds == pytest.approx(real)
    padded = sum(call["texts"] * call["longest"] for call in calls)
    assert point["padding_share"] == pytest.approx(1 - real / padded)
    flop = sum(call["flop_half"] for call in calls)
    assert point["utilisation"] == pytest.approx(flop / seconds / rate)
    assert point["utilisation"] < point["utilisation_in_full"]  # of a causal model
    assert not budget or all(call["texts"] * call["longest"] <= budget for call in point["calls"])


def test_rerankers_are_measured_on_pairs(catalogue: Path, tmp_path: Path) -> None:
    report = measure(_settings(catalogue, tmp_path, models=("tiny/cross",), arithmetics=("fp32", "fp16")), _silent)
    assert [row.failed for row in report.rows] == ["", ""]
    assert all(row.best is not None and row.best.flop == row.best.flop_half for row in report.rows)
    assert report.rows[0].deviation == pytest.approx(0, abs=1e-4)


def test_a_model_that_fails_is_a_row_and_the_next_one_is_measured(catalogue: Path, tmp_path: Path) -> None:
    broken = tmp_path / "own.toml"
    folder = catalogue.parent
    broken.write_text(
        catalogue.read_text().replace('path = "tiny-bert"', 'path = "nothing"').replace("tiny-q", f"{folder}/tiny-q")
    )
    report = measure(_settings(broken, tmp_path / "work", models=("tiny/bert", "tiny/qwen")), _silent)
    assert [(row.model, row.whole) for row in report.rows] == [("tiny/bert", False), ("tiny/qwen", True)]
    assert "nothing" in report.rows[0].failed
    assert list((tmp_path / "work").iterdir()) == []


def test_ctrl_c_leaves_what_was_measured(catalogue: Path, tmp_path: Path) -> None:
    def stop(step: str) -> None:
        if step.startswith("tiny/qwen"):
            raise KeyboardInterrupt

    report = measure(_settings(catalogue, tmp_path, models=("tiny/bert", "tiny/qwen")), stop)
    assert report.interrupted
    assert [(row.model, row.whole, row.failed) for row in report.rows] == [("tiny/bert", True, "")]


def test_after_its_time_nothing_is_begun(catalogue: Path, tmp_path: Path) -> None:
    report = measure(_settings(catalogue, tmp_path, scale=replace(SCALE, minutes=1e-9)), _silent)
    assert [(row.best, row.failed.partition(":")[0]) for row in report.rows] == [(None, "not begun")]


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_a_matrix_rate_is_more_than_nothing(runtime: Any) -> None:
    (rate,) = matrix_rates(Device("cpu"), ("fp32",), SCALE, runtime)
    assert (rate.failed, set(rate.product_s)) == ("", {32, 48})
    assert rate.flops is not None
    assert rate.flops > 0


def test_an_arithmetic_that_the_device_lacks_says_so() -> None:
    (rate,) = matrix_rates(Device("cpu"), ("bf16",), SCALE, "onnxruntime")
    assert rate.flops is None
    assert rate.failed.startswith("32 rows: ")


def test_a_matrix_rate_by_hand() -> None:
    """10 rows: 2000 FLOPs in 2 s, the median; 100 rows: 2,000,000 in 4 s."""
    rate = MatrixRate("fp16", "torch", {10: (9.0, 2.0, 1.0), 100: (4.0,)})
    assert rate.by_size == {10: 1000.0, 100: 500_000.0}
    assert rate.flops == 500_000.0


def test_a_network_in_bf16_leaves_the_checkpoint_as_it_was(catalogue: Path) -> None:
    import torch

    from interlingua_benchmarks.gpu_bench.networks.torch_network import placed_graph

    checkpoint = sources.load(resolve("tiny/cross", catalogue), Overrides())
    before = {name: value.clone() for name, value in checkpoint.graph.state_dict().items()}
    half = placed_graph(checkpoint.graph, torch.bfloat16, "cpu")
    kinds = {name: value.dtype for name, value in half.named_parameters()}
    assert {kind for name, kind in kinds.items() if ".roberta." in name} == {torch.bfloat16}
    assert {kind for name, kind in kinds.items() if ".roberta." not in name} == {torch.float32}  # the head
    ids = torch.tensor([[0, 9, 8, 2]])
    with torch.inference_mode():
        theirs, ours = (graph(ids, torch.ones_like(ids)) for graph in (checkpoint.graph, half))
    assert ours.dtype == torch.float32
    assert float((ours - theirs).abs()) < 0.05 * max(float(theirs.abs()), 1.0)
    assert all(torch.equal(value, before[name]) for name, value in checkpoint.graph.state_dict().items())


def test_the_default_reranker_runs_in_half_precision() -> None:
    """The encoder's states are in half precision, the projection and the importance are not."""
    import torch

    from interlingua_benchmarks.gpu_bench.networks.torch_network import placed_graph
    from interlingua_exporter.graphs.late_interaction import LateInteractionReranker
    from tests.benchmarks.gpu_bench_models import TINY
    from tests.support.architecture_models import network_of

    graph = LateInteractionReranker(
        network_of(TINY["tiny/bert"]), dimension=16, separator_id=2, special_ids=(0, 1, 2)
    ).eval()
    ids = torch.tensor([[1, 9, 11, 2, 9, 8, 7, 2]])
    with torch.inference_mode():
        theirs = graph(ids, torch.ones_like(ids))
        ours = placed_graph(graph, torch.bfloat16, "cpu")(ids, torch.ones_like(ids))
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs, atol=0.03, rtol=0.05)
