"""Progress away from a terminal, and on one."""

from __future__ import annotations

import io

import pytest

from interlingua.display.progress import duration, progress, remaining_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with progress("indexing", unit="documents", total=3, stream=stream) as bar:
        bar.advance(1)
        bar.advance(2)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("indexing: 3/3 documents, ")
    assert line.endswith("in 0 s")


def test_a_bar_on_a_terminal() -> None:
    stream = Terminal()
    with progress("indexing", unit="documents", total=None, stream=stream) as bar:
        bar.advance(2)
    assert "indexing" in stream.getvalue()
    assert "2/?" in stream.getvalue()


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_remaining_time() -> None:
    assert remaining_s(25, 100, 10.0) == pytest.approx(30.0)
    assert remaining_s(0, 100, 10.0) is None
    assert remaining_s(25, None, 10.0) is None
