"""A report as tables: Grids, for the terminal (interlingua/display/terminal.py) and as Markdown.

BenchReport --grids--> matrix rates; one row a model, runtime and arithmetic; calls of equal texts --as_markdown--> text
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from interlingua.display.grid import Cell, Grid, row
from interlingua.display.markdown import markdown
from interlingua_benchmarks.gpu_bench.figures import GOAL, goal, utilisation

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.card import CardState
    from interlingua_benchmarks.gpu_bench.records import BenchReport, BenchRow, MatrixRate, MeasuredPoint

_ROW = ("model", "runtime", "precision")
_FIGURES = ("tokens/s", "padding", "latency ms: p50 (p99)", "utilisation", f"goal {GOAL:.0%}", "best budget", "memory")
_TERA = 1e12


def header_lines(report: BenchReport) -> Iterator[str]:
    """The facts, a line each."""
    facts = report.header
    card, packages = facts["card"], ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    if facts["device"] == "cpu":
        yield "on a CPU: the figures show the way to them, and tell nothing of a GPU"
        yield facts["hardware"]["cpu"]
    elif card:
        yield f"{card['name']}, driver {card['driver']}, power limit {_whole(card['power_limit_w'], ' W')}"
    else:
        yield f"{facts['device']}; nvidia-smi says nothing of it"
    yield f"{packages}, CUDA {facts['cuda'] or 'none'}, cuDNN {facts['cudnn'] or 'none'}, Python {facts['python']}"
    commit = (facts["commit"] or "unknown")[:12] + (" with changes" if facts["modified"] else "")
    yield f"{facts['date']}, commit {commit}"
    if report.interrupted:
        yield "broken off: what was measured until then"


def grids(report: BenchReport) -> Iterator[Grid]:
    """All tables that have rows."""
    if report.rates:
        yield _rates(report)
    if report.rows:
        yield Grid(
            "Networks",
            _ROW + _FIGURES,
            tuple(_network(one, report) for one in report.rows),
            notes=_notes(report),
            names=3,
        )
    if any(one.sweep for one in report.rows):
        yield _sweep(report)


def as_markdown(report: BenchReport) -> str:
    """For a document."""
    lines = [f"- {line}" for line in header_lines(report)]
    return "\n".join([*lines, *(f"\n{markdown(grid)}" for grid in grids(report))])


def _rates(report: BenchReport) -> Grid:
    sizes = sorted({size for rate in report.rates for size in rate.by_size})
    header = ("precision", "TFLOP/s", *(f"{size} rows" for size in sizes), "through", "clock", "held down by")
    notes = tuple(f"{rate.arithmetic}: {rate.failed}" for rate in report.rates if rate.failed)
    return Grid("Measured matrix rate", header, tuple(_rate(rate, sizes) for rate in report.rates), notes=notes)


def _rate(rate: MatrixRate, sizes: list[int]) -> tuple[Cell, ...]:
    by_size = [_tera(rate.by_size.get(size)) for size in sizes]
    return row(rate.arithmetic, _tera(rate.flops), *by_size, rate.runtime, _clock(rate.card), _held_by(rate.card))


def _network(one: BenchRow, report: BenchReport) -> tuple[Cell, ...]:
    name = Cell(one.model, "" if one.weights == "published" else "random weights")
    best, share = one.best, utilisation(one, report)
    if best is None:
        return row(name, one.runtime, one.arithmetic, "none, see below", *[""] * (len(_FIGURES) - 1))
    rate = report.rate(one.arithmetic)
    full = best.utilisation(rate, half=False) if rate and best.flop != best.flop_half else None
    return row(
        name,
        one.runtime,
        one.arithmetic,
        f"{best.tokens_per_s:,.0f}",
        f"{best.padding_share:.1%}",
        ", ".join(_latency(one)),
        Cell("-" if share is None else f"{share:.1%}", "" if full is None else f"{full:.1%} in full"),
        goal(one, report),
        f"{best.budget:,}",
        _whole(one.memory_mb, " MB"),
    )


def _latency(one: BenchRow) -> Iterator[str]:
    for latency in one.latencies:
        p50, p99 = (1e3 * latency.percentile_s(percent) for percent in (50, 99))
        yield f"{latency.tokens}: {p50:.2f} ({p99:.2f})"


def _notes(report: BenchReport) -> tuple[str, ...]:
    said: dict[str, None] = {}
    for one in report.rows:
        where = f"{one.model}, {one.runtime}, {one.arithmetic}"
        held = ("held down by " + _held_by(one.card),) if one.card and one.card.held_by else ()
        failed = (one.failed,) if one.failed else ()
        said |= dict.fromkeys(f"{where}: {note}" for note in (*one.notes, *held, *failed))
    return tuple(said)


def _sweep(report: BenchReport) -> Grid:
    shapes = sorted({_shape(point) for one in report.rows for point in one.sweep})
    header = (*_ROW, *(f"{texts} x {length}" for length, texts in shapes))
    rows = []
    for one in report.rows:
        if one.sweep:
            found = {_shape(point): point for point in one.sweep}
            cells = (_swept(found.get(shape), report.rate(one.arithmetic)) for shape in shapes)
            rows.append(row(one.model, one.runtime, one.arithmetic, *cells))
    return Grid("Calls of equal texts (texts x tokens): tokens/s, utilisation", header, tuple(rows), names=3)


def _shape(point: MeasuredPoint) -> tuple[int, int]:
    return point.calls[0].longest, point.calls[0].texts


def _swept(point: MeasuredPoint | None, rate: float | None) -> Cell | str:
    if point is None:
        return "-"
    return Cell(f"{point.tokens_per_s:,.0f}", f"{point.utilisation(rate):.1%}" if rate else "")


def _tera(flops: float | None) -> str:
    return "-" if flops is None else f"{flops / _TERA:,.3g}"


def _whole(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:,.0f}{unit}"


def _clock(card: CardState | None) -> str:
    if card is None or card.sm_mhz is None:
        return "-"
    return f"{card.sm_mhz:.0f} of {_whole(card.sm_max_mhz, ' MHz')}"


def _held_by(card: CardState | None) -> str:
    return "-" if card is None else ", ".join(card.held_by) or "nothing"
