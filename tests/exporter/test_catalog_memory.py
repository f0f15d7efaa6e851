"""Memory from shapes, worked out by hand, and what is free here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from interlingua_exporter.models.memory_need import MemoryNeed, download_bytes, memory_need, parameters
from interlingua_exporter.models.model_facts import DenseLayer, NetworkShape
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.models.this_machine import free_disk, free_memory

SHAPE = NetworkShape(architecture="X", hidden=8, layers=2, heads=2, feed_forward=16, vocabulary=10, parameters=1000)
SPEC = ModelSpec(id="x", role="embedder", source=FolderSource(Path()), max_tokens=4, network=SHAPE)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        # attention 16 x 4 x (16 + 2 x (2 + 2) x 4) + 2 x 4 x 2 x 16 x 4 = 3072 + 1024; feed-forward 16 x 4 x 48 = 3072
        ("fp32", MemoryNeed(4000, 4096)),
        # attention 16 x 2 x 48 + 1024 = 2560
        ("fp16", MemoryNeed(2000, 2560)),
        ("bf16", MemoryNeed(2000, 2560)),
        # attention 16 x 5 x 48 + 1024 = 4864
        ("int8", MemoryNeed(1000, 4864)),
    ],
)
def test_by_hand(precision: str, expected: MemoryNeed) -> None:
    assert memory_need(SPEC, precision, tokens=16) == expected  # type: ignore[arg-type]


def test_a_gate_fewer_key_heads_and_a_long_row() -> None:
    """Rows of 32: a text beyond the budget is a call of its own, T = L = 32.

    attention 32 x 4 x (16 + 2 x (2 + 1) x 6) + 2 x 4 x 2 x 32 x 32 = 6656 + 16384; feed-forward 32 x 4 x (16 + 48).
    """
    shape = replace(SHAPE, key_value_heads=1, head_width=6, gated=True)
    assert memory_need(replace(SPEC, network=shape), "fp32", tokens=16, longest=32) == MemoryNeed(4000, 23040)
    # In rows of 1 the feed-forward layer is the larger: 16 x 4 x 64, against 16 x 4 x 52 + 2 x 4 x 2 x 16.
    assert memory_need(replace(SPEC, network=shape), "fp32", tokens=16, longest=1) == MemoryNeed(4000, 4096)


def test_dense_layers_count() -> None:
    spec = replace(SPEC, dense=(DenseLayer(8, 16), DenseLayer(16, 8, bias=False)))
    assert parameters(spec) == 1000 + 8 * 16 + 16 + 16 * 8
    assert spec.embedding_length == 8


def test_a_published_half_is_half_the_download() -> None:
    assert download_bytes(SPEC) == 4000
    assert download_bytes(replace(SPEC, network=replace(SHAPE, stored_as="bf16"))) == 2000


def test_what_is_not_stated_is_not_made_up() -> None:
    assert memory_need(replace(SPEC, network=None), "fp32") is None
    assert memory_need(replace(SPEC, network=replace(SHAPE, heads=0)), "fp32") == MemoryNeed(4000, 0)


def test_free_memory_is_the_kernels_within_the_containers(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 2000 kB\nMemAvailable: 1000 kB\n")
    assert free_memory(meminfo, tmp_path) == 1_024_000
    (tmp_path / "memory.current").write_text("100\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(meminfo, tmp_path) == 1_024_000
    (tmp_path / "memory.max").write_text("5100\n")
    assert free_memory(meminfo, tmp_path) == 5000
    (tmp_path / "memory.stat").write_text("anon 30\ninactive_file 60\nactive_file 10\n")
    assert free_memory(meminfo, tmp_path) == 5060  # pages of files that nobody uses are free
    (tmp_path / "memory.stat").unlink()
    (tmp_path / "memory.max").write_text("50\n")
    assert free_memory(meminfo, tmp_path) == 0


def test_free_disk_of_a_folder_to_come(tmp_path: Path) -> None:
    assert free_disk(tmp_path / "not" / "there") > 0
