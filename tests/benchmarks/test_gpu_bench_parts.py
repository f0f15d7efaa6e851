"""Parts of the GPU benchmark: batches, memory that ends, the goal, the card, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlingua.served.text.tokenizer import Tokens
from interlingua_benchmarks.gpu_bench.__main__ import main
from interlingua_benchmarks.gpu_bench.card import read_card
from interlingua_benchmarks.gpu_bench.figures import goal, utilisation
from interlingua_benchmarks.gpu_bench.networks.length_mix import drawn, equal_rows
from interlingua_benchmarks.gpu_bench.networks.network_flops import GOAL_TOKEN, NetworkFlops
from interlingua_benchmarks.gpu_bench.networks.network_runs import NetworkRuns, evenly
from interlingua_benchmarks.gpu_bench.networks.rectangles import Rectangles
from interlingua_benchmarks.gpu_bench.records import BenchReport, BenchRow, MatrixRate, MeasuredCall, MeasuredPoint
from interlingua_benchmarks.gpu_bench.settings import LOOK, Device
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.benchmarks.gpu_bench_models import write_catalogue

FLOPS = NetworkFlops(token=10, pair=2, text=5)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tokenizer_json: dict[str, bytes]) -> Checkpoint:
    catalogue = write_catalogue(tmp_path_factory.mktemp("tiny"), tokenizer_json, ("tiny/bert",))
    return sources.load(resolve("tiny/bert", catalogue), Overrides())


@pytest.fixture
def rectangles(checkpoint: Checkpoint) -> Rectangles:
    return Rectangles(checkpoint, checkpoint.text_encoder(), FLOPS)


def _row(length: int) -> Tokens:
    return Tokens((9,) * length, (0,) * length)


def test_a_call_is_worth_its_real_tokens(rectangles: Rectangles) -> None:
    """3 and 1 tokens in a rectangle of 2 x 3: 30 + 18 + 5 and 10 + 2 + 5."""
    made = rectangles.of([_row(3), _row(1)])
    assert made.call == MeasuredCall(texts=2, longest=3, real_tokens=4, flop=70, flop_half=70)
    assert made.batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


def test_calls_keep_to_the_budget_and_lose_no_text(rectangles: Rectangles) -> None:
    lengths = [5, 40, 8, 8, 31, 6, 5, 90]
    calls = [one.call for one in rectangles.cut([_row(length) for length in lengths], 64, 4.0)]
    assert sum(call.texts for call in calls) == len(lengths)
    assert sum(call.real_tokens for call in calls) == sum(lengths)
    assert all(call.texts * call.longest <= 64 or call.texts == 1 for call in calls)
    assert calls[0].longest == 90


def test_drawn_texts_hold_what_was_asked_for() -> None:
    rows = [_row(3), _row(5)]
    some = drawn(rows, 20, seed=1)
    assert sum(map(len, some)) >= 20 > sum(map(len, some[:-1]))
    assert some == drawn(rows, 20, seed=1)
    assert {len(row) for row in equal_rows(4, 7, 604)} == {7}


def test_some_calls_are_taken_evenly(rectangles: Rectangles) -> None:
    calls = [rectangles.of([_row(length)]) for length in range(10, 0, -1)]
    assert [one.call.longest for one in evenly(calls, 2)] == [8, 3]  # places 2.5 and 7.5 of ten
    assert evenly(calls, 99) == calls


class _Small:
    """A device with memory for so many padded tokens, which answers at once."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.started: list[int] = []

    def place(self, batch: Any) -> int:
        return int(batch["input_ids"].size)

    def start(self, placed: int) -> None:
        if placed > self._room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.started.append(placed)

    def wait(self) -> None:
        """Nothing is under way."""

    def answer(self, batch: Any) -> np.ndarray:
        self.start(self.place(batch))
        return np.zeros((len(batch["input_ids"]), 1), np.float32)

    def close(self) -> None:
        """There is nothing to give back."""


def _runs(network: _Small, rectangles: Rectangles, notes: list[str]) -> NetworkRuns:
    return NetworkRuns(network, rectangles, LOOK, vocabulary=604, max_tokens=96, seed=1, notes=notes)


def test_where_memory_ends_larger_calls_are_not_tried(rectangles: Rectangles) -> None:
    """Room for 300 padded tokens: the budget of 256 fits, that of 512 does not; 2 x 64 tokens do."""
    notes: list[str] = []
    runs = _runs(_Small(300), rectangles, notes)
    assert [point.budget for point in runs.budgets([_row(32), _row(20)])] == [256]
    assert len(notes) == 1
    assert notes[0].endswith("tokens: out of memory")
    assert [(point.calls[0].texts, point.calls[0].longest) for point in runs.sweep()] == [
        (1, 32),
        (2, 32),
        (1, 64),
        (2, 64),
    ]


def test_other_failures_are_not_taken_for_memory(rectangles: Rectangles) -> None:
    class Broken(_Small):
        def start(self, placed: int) -> None:
            raise RuntimeError(f"no kernel for {placed} tokens")

    with pytest.raises(RuntimeError, match="no kernel"):
        next(_runs(Broken(0), rectangles, []).sweep())


def test_latencies_are_those_of_lone_texts(rectangles: Rectangles) -> None:
    network = _Small(1000)
    found = list(_runs(network, rectangles, []).latencies())
    assert [latency.tokens for latency in found] == [12, 64, 96]
    assert set(network.started) == {12, 64, 96}
    assert all(0 < len(latency.call_s) <= LOOK.calls for latency in found)


def test_padding_and_utilisation_by_hand() -> None:
    """A pass of two rounds in 4 s (the median): 2 x 6 padded tokens, 2 x 4 real ones, 2 x 70 FLOPs; the rate is 100."""
    point = MeasuredPoint(64, (MeasuredCall(2, 3, 4, 90, 70),), rounds=2, pass_s=(3.0, 4.0, 9.0))
    assert (point.tokens_per_s, point.padding_share) == (2.0, pytest.approx(1 / 3))
    assert point.utilisation(100.0) == pytest.approx(0.35)
    assert point.utilisation(100.0, half=False) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("token", "rate", "said"),
    [(GOAL_TOKEN, 140.0, "reached"), (GOAL_TOKEN, 141.0, "not reached"), (GOAL_TOKEN - 1, 1.0, "")],
)
def test_the_goal_is_half_the_measured_rate(token: int, rate: float, said: str) -> None:
    """70 FLOPs in a second; 2 rows in 16 / rate seconds are a matrix rate of `rate`."""
    point = MeasuredPoint(64, (MeasuredCall(2, 3, 4, 70, 70),), rounds=1, pass_s=(1.0,))
    row = BenchRow(model="x", runtime="torch", arithmetic="fp16", flops=NetworkFlops(token, 1), points=[point])
    report = BenchReport({}, [MatrixRate("fp16", "torch", {2: (16 / rate,)})], [row])
    assert goal(row, report) == said
    assert utilisation(row, report) == pytest.approx(70 / rate)


def test_without_a_rate_there_is_no_share() -> None:
    row = BenchRow(
        model="x",
        runtime="torch",
        arithmetic="fp16",
        flops=NetworkFlops(GOAL_TOKEN, 1),
        points=[MeasuredPoint(1, (MeasuredCall(1, 1, 1, 1, 1),), 1, (1.0,))],
    )
    report = BenchReport({}, [MatrixRate("fp32", "torch", {2: (1.0,)})], [row])
    assert (utilisation(row, report), goal(row, report)) == (None, "")


_SMI = """#!/bin/sh
case "$2" in
    *event_reasons*) echo "Field is not a valid field to query."; exit 2;;
    *throttle_reasons*) echo "0x0000000000000024";;
    *) echo "3, NVIDIA X, 580.1, 1410, 1980, 699.5, 700.00, 71, [N/A], 81559";;
esac
"""


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "nvidia-smi"
    program.write_text(_SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return program


@pytest.mark.usefixtures("smi")
def test_a_card_that_is_held_down() -> None:
    """0x24: the power limit (0x4) and the temperature (0x20); the older driver's field is asked second."""
    card = read_card(Device("cuda", 0))
    assert card is not None
    assert (card.index, card.name, card.driver) == (3, "NVIDIA X", "580.1")
    assert (card.sm_mhz, card.sm_max_mhz, card.power_w, card.power_limit_w) == (1410, 1980, 699.5, 700)
    assert (card.temperature_c, card.memory_used_mb, card.memory_total_mb) == (71, None, 81559)
    assert card.held_by == ("power limit", "temperature (software)")
    assert read_card(Device("cpu")) is None


def test_no_driver_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_card(Device("cuda", 0)) is None


def test_without_a_gpu_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert main(["--device", "cuda:0"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in ("torch", "onnxruntime", "pip install", "--device cpu"):
        assert part in said


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--precisions", "fp8", "--runtimes", "x", "--budgets", "0"], ["fp8", "--runtimes x", "--budgets 0"]),
        (["--precisions", "tf32"], ["tf32"]),
        (["--device", "tpu"], ["--device tpu"]),
        (["--minutes", "0"], ["--minutes 0"]),
        (["--json", "/nowhere/at/all.json"], ["/nowhere/at/all.json"]),
        (["--models", "BAAI/bge-m4"], ["BAAI/bge-m4", "BAAI/bge-m3"]),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    device = [] if "--device" in arguments else ["--device", "cpu"]
    assert main([*device, *arguments]) == 3
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert all(part in said for part in parts)
