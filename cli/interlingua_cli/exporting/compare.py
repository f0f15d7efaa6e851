"""`interlingua export compare`: every precision of a model built and gated, a row each, and nothing published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.extras import require
from interlingua_cli.exporting.options import cores, json_option, limits_option, overrides_of, source_options
from interlingua_cli.exporting.trade import agreement_facts, megabytes, share, trade_facts
from interlingua_cli.options.deployment_options import say

if TYPE_CHECKING:
    from interlingua_exporter.precision_comparison import PrecisionComparison, PrecisionRow


@click.command()
@source_options
@limits_option
@json_option
def command(model: str | None, catalog: Path | None, ignore_limits: bool, as_json: bool, **options: Any) -> None:
    """Build and gate every precision of MODEL that its entry allows, print a table, and publish nothing.

    It answers which precision to take: size, speed on this machine, and rankings in the language that loses most.
    """
    require("export")
    from interlingua_exporter.models.catalog import DEFAULT_MODEL
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.precision_comparison import compare
    from interlingua_exporter.weights.room_check import exhaustion_told

    overrides = overrides_of(options)
    with exhaustion_told():
        resolved = resolve(model or DEFAULT_MODEL, catalog)
        comparison = compare(resolved, overrides, cores(), say, ignore_limits=ignore_limits)
    if as_json:
        click.echo(json.dumps(comparison_facts(comparison), ensure_ascii=False))
    else:
        print_comparison(comparison)


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


def comparison_facts(comparison: PrecisionComparison) -> dict[str, Any]:
    """The rows as JSON has them."""
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
        megabytes(trade.network_bytes),
        share(trade),
        speed,
        worst.language,
        f"{worst.overlap:.3f}",
        f"{worst.correlation:.4f}",
        row.verdict,
    ]
