"""What a precision costs and saves, as `interlingua export` and `export compare` print it, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.precision.trade import Trade


def print_trade(trade: Trade) -> None:
    """Size, speed and quality, a line each."""
    click.echo(f"size: {megabytes(trade.network_bytes)}, {share(trade)} of fp32's {megabytes(trade.full_bytes)}")
    click.echo(f"speed: {_speed(trade)}")
    worst = trade.worst
    click.echo(
        f"rankings against torch, worst language: {worst.language}, top-10 overlap {worst.overlap:.3f}, correlation "
        f"{worst.correlation:.4f}; least in {worst.worst_pair} ({worst.worst_pair_correlation:.4f})"
    )


def trade_facts(trade: Trade) -> dict[str, Any]:
    """The trade as JSON has it."""
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


def megabytes(size: int) -> str:
    """A file's size in MB, to three figures or so."""
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.2f} MB"


def share(trade: Trade) -> str:
    """The network's size as a share of fp32's."""
    return f"{trade.network_bytes / trade.full_bytes:.0%}"


def _speed(trade: Trade) -> str:
    if trade.speed is None:
        return trade.caveat
    shown = f"{trade.speed:.1f} texts/s on this CPU"
    if trade.precision != "fp32" and trade.full_speed:
        shown += f", fp32 {trade.full_speed:.1f}"
    return f"{shown} ({trade.caveat})" if trade.caveat else shown
