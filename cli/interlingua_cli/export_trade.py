"""What `interlingua export` says of precisions: the trade of one export, the table of `--compare`; both as JSON too."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.precision.trade import Trade
    from interlingua_exporter.precision_comparison import PrecisionComparison, PrecisionRow


def print_trade(trade: Trade) -> None:
    """Size, speed and quality, a line each."""
    click.echo(f"size: {_megabytes(trade.network_bytes)}, {_share(trade)} of fp32's {_megabytes(trade.full_bytes)}")
    click.echo(f"speed: {_speed(trade)}")
    worst = trade.worst
    click.echo(
        f"rankings against torch, worst language: {worst.language}, top-10 overlap {worst.overlap:.3f}, correlation "
        f"{worst.correlation:.4f}; least in {worst.worst_pair} ({worst.worst_pair_correlation:.4f})"
    )


def print_comparison(comparison: PrecisionComparison) -> None:
    """One row a precision, and what is wrong with those that fail."""
    from rich.table import Table

    from interlingua.display.terminal import console

    table = Table(title=f"{comparison.spec.id}: precisions, nothing published", title_justify="left")
    for heading in ("precision", "size", "of fp32", "texts/s", "worst language", "overlap", "correlation", "verdict"):
        table.add_column(heading, no_wrap=heading != "verdict")
    for row in comparison.rows:
        table.add_row(*_cells(row))
    console().print(table)
    for row in comparison.rows:
        if row.trade and row.trade.caveat:
            click.echo(f"{row.precision}, speed: {row.trade.caveat}")
        if row.gate and row.gate.arithmetic:
            click.echo(f"{row.precision}, gate: {row.gate.arithmetic}")
        if row.why:
            click.echo(f"{row.precision} {row.verdict}: {row.why}")


def trade_facts(trade: Trade) -> dict[str, Any]:
    """For --json."""
    return {
        "network_bytes": trade.network_bytes,
        "fp32_bytes": trade.full_bytes,
        "texts_per_second": trade.speed,
        "fp32_texts_per_second": trade.full_speed,
        "speed_caveat": trade.caveat,
        "worst_language": asdict(trade.worst),
    }


def agreement_facts(gate: GateReport) -> list[dict[str, Any]]:
    """Every language's rankings, for --json."""
    return [asdict(language) for language in gate.agreements]


def comparison_facts(comparison: PrecisionComparison) -> dict[str, Any]:
    """For --json."""
    rows = [
        {
            "precision": row.precision,
            "verdict": row.verdict,
            "why": row.why,
            "trade": trade_facts(row.trade) if row.trade else None,
            "arithmetic": row.gate.arithmetic if row.gate else "",
            "per_language": agreement_facts(row.gate) if row.gate else [],
        }
        for row in comparison.rows
    ]
    return {"model": comparison.spec.id, "precisions": rows}


def _cells(row: PrecisionRow) -> list[str]:
    trade = row.trade
    if trade is None:
        return [row.precision, *["-"] * 6, row.verdict]
    speed = "-" if trade.speed is None else f"{trade.speed:.1f}"
    worst = trade.worst
    return [
        row.precision,
        _megabytes(trade.network_bytes),
        _share(trade),
        speed,
        worst.language,
        f"{worst.overlap:.3f}",
        f"{worst.correlation:.4f}",
        row.verdict,
    ]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.2f} MB"


def _share(trade: Trade) -> str:
    return f"{trade.network_bytes / trade.full_bytes:.0%}"


def _speed(trade: Trade) -> str:
    if trade.speed is None:
        return trade.caveat
    shown = f"{trade.speed:.1f} texts/s on this CPU"
    if trade.precision != "fp32" and trade.full_speed:
        shown += f", fp32 {trade.full_speed:.1f}"
    return f"{shown} ({trade.caveat})" if trade.caveat else shown
