"""Which network is the same as one that was exported: whatever the process, and nothing but the network."""

from __future__ import annotations

import os
import time
from pathlib import Path

from interlingua_exporter.weights import checkpoint_folder
from tests.support.once import once
from tests.support.shared_exports import _is_kept, _is_whole, _key, kept_exports
from tests.support.tiny_models import MakeFolder


def test_the_order_of_a_set_is_no_other_network(make_folder: MakeFolder) -> None:
    """Strings come in another order in each process; 0 and 8, which share a slot, in that of their coming."""
    assert list({0, 8}) != list({8, 0})
    checkpoint = checkpoint_folder.load(make_folder("bert"))
    keys = []
    for marks in ({0, 8}, {8, 0}, {0, 9}, frozenset({0, 8})):
        checkpoint.graph.marks = marks  # type: ignore[assignment]
        keys.append(_key(checkpoint, "/nowhere"))
    assert None not in keys
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_the_weights_and_the_places_of_a_network(make_folder: MakeFolder) -> None:
    folders = [make_folder("bert"), make_folder("bert"), make_folder("bert", seed=1)]
    first, again, other = (_key(checkpoint_folder.load(folder), "/nowhere") for folder in folders)
    assert first == again
    assert first != other


def test_a_network_of_a_tests_own_code_is_kept_for_no_other_run(make_folder: MakeFolder) -> None:
    import torch

    class Own(torch.nn.Module):
        pass

    checkpoint = checkpoint_folder.load(make_folder("bert"))
    assert _is_kept(checkpoint)
    checkpoint.graph.own = Own()
    assert not _is_kept(checkpoint)


def test_what_other_code_left_goes_a_day_after_its_last_use(tmp_path: Path) -> None:
    for name, age_s in (("old", 90_000), ("new", 80_000)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    mine = kept_exports(tmp_path)
    assert kept_exports(tmp_path) == mine
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["new", mine.name])


def test_an_export_that_was_damaged_is_made_again(tmp_path: Path) -> None:
    def export(folder: Path) -> None:
        made.append(folder)
        for name in ("model.onnx", "model.onnx.data"):
            (folder / name).write_bytes(b"weights")

    made: list[Path] = []
    folder = tmp_path / "key"
    for damage in (lambda: None, lambda: (folder / "model.onnx").write_bytes(b""), (folder / "model.onnx").unlink):
        assert once(folder, export, _is_whole) == folder
        assert (folder / "model.onnx").read_bytes() == b"weights"
        damage()
    assert once(folder, export, _is_whole) == folder
    assert len(made) == 3
