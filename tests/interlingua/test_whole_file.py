"""A file is there whole or not at all, and nothing is left beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlingua.base.whole_file import whole


@pytest.mark.parametrize("durable", [False, True], ids=["quick", "durable"])
def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    with whole(file, durable=durable) as partial:
        partial.write_text("new")
        assert file.read_text() == "old"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("durable", [False, True], ids=["quick", "durable"])
def test_after_an_error_the_old_one_stays(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    with pytest.raises(OSError, match="disk is full"):
        _half_written(file, durable)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def _half_written(file: Path, durable: bool) -> None:
    with whole(file, durable=durable) as partial:
        partial.write_text("ne")
        raise OSError("disk is full")
