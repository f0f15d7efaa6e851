"""Progress of long work on standard error: a bar on a terminal, a plain line every few seconds elsewhere.

with progress("indexing", unit="documents", total=480) as bar:
    bar.advance(64)
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """Something that counts."""

    def advance(self, amount: int) -> None:
        """So many more are done."""
        ...

    def skip(self, amount: int) -> None:
        """So many more were done before: they count as done, and not for the rate."""
        ...


@contextmanager
def progress(label: str, *, unit: str, total: int | None, stream: IO[str] | None = None) -> Iterator[Progress]:
    """Show how far a piece of work is, at what rate, and how long it will still take.

    Args:
        unit: what is counted, in the plural.
        total: None when nobody knows; then there is no remaining time.
    """
    stream = sys.stderr if stream is None else stream
    if stream.isatty():
        with _bar(label, unit, total, stream) as bar:
            yield bar
    else:
        lines = _Lines(label, unit, total, stream)
        yield lines
        lines.end()


def remaining_s(done: int, total: int | None, elapsed_s: float, skipped: int = 0) -> float | None:
    """Seconds that the rest will take at the rate of the `done` less the `skipped`; None when that cannot be said."""
    if total is None or done <= skipped or elapsed_s <= 0:
        return None
    return max(total - done, 0) * elapsed_s / (done - skipped)


def duration(seconds: float) -> str:
    """`4 s`, `3 min 05 s`, `2 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class _Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, label: str, unit: str, total: int | None, stream: IO[str]) -> None:
        self._label, self._unit, self._total, self._stream = label, unit, total, stream
        self._started = self._last_line = time.monotonic()
        self._done = self._skipped = 0

    def skip(self, amount: int) -> None:
        self._skipped += amount
        self.advance(amount)

    def advance(self, amount: int) -> None:
        self._done += amount
        now = time.monotonic()
        if now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            self._write(now - self._started, over=False)

    def end(self) -> None:
        self._write(time.monotonic() - self._started, over=True)

    def _write(self, elapsed_s: float, *, over: bool) -> None:
        of_total = f"/{self._total}" if self._total is not None else ""
        rate = (self._done - self._skipped) / elapsed_s if elapsed_s > 0 else 0.0
        parts = [f"{self._label}: {self._done}{of_total} {self._unit}", f"{rate:.1f}/s"]
        left = remaining_s(self._done, self._total, elapsed_s, self._skipped)
        if over:
            parts.append(f"in {duration(elapsed_s)}")
        elif left is not None:
            parts.append(f"{duration(left)} left")
        print(", ".join(parts), file=self._stream, flush=True)


@contextmanager
def _bar(label: str, unit: str, total: int | None, stream: IO[str]) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{unit}  {{task.fields[rate]}}"),
        TextColumn("{task.fields[left]}") if total is not None else TimeElapsedColumn(),
    ]
    with RichProgress(*columns, console=Console(file=stream)) as display:
        task = display.add_task(label, total=total, rate="", left="")
        started, done, skipped = time.monotonic(), 0, 0

        class Bar:
            def advance(self, amount: int) -> None:
                nonlocal done
                done += amount
                elapsed_s = max(time.monotonic() - started, 1e-9)
                left = remaining_s(done, total, elapsed_s, skipped)
                rate = (done - skipped) / elapsed_s
                shown = "" if left is None else f"{duration(left)} left"
                display.update(task, advance=amount, rate=f"{rate:.1f}/s", left=shown)

            def skip(self, amount: int) -> None:
                nonlocal skipped
                skipped += amount
                self.advance(amount)

        yield Bar()
