"""What `interlingua export` says of an export: the parity gate's figures, what was published; both as JSON too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.exporting.lengths import length_facts, print_build, print_lengths
from interlingua_cli.exporting.trade import agreement_facts, print_trade, trade_facts

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua_exporter.export_request import ExportReport
    from interlingua_exporter.gate.parity import GateReport


def report_facts(report: ExportReport, precision: str, root: Path) -> dict[str, Any]:
    """The export as --json has it."""
    return {
        "model": report.spec.id,
        "revision": report.spec.revision,
        "licence": report.spec.licence,
        "precision": precision,
        "dimension": report.dimension,
        "network_bytes": report.network_bytes,
        "model_repository": str(root),
        "models": list(report.published.models),
        "version": report.published.version,
        "reused": report.published.reused,
        "digest": report.published.digest,
        "notes": list(report.notes),
        "gate": gate_facts(report.gate),
        "trade": trade_facts(report.trade),
        "fused": report.fused,
        "lengths": length_facts(report.lengths),
        "plan_build": str(report.plan_build) if report.plan_build else None,
    }


def print_report(report: ExportReport, precision: str, root: Path) -> None:
    """Notes, fusions, the gate, the trade, and what lies where now."""
    for note in report.notes:
        click.echo(f"note: {note}")
    if report.fused:
        click.echo(f"fused: {', '.join(f'{count} {kind}' for kind, count in sorted(report.fused.items()))}")
    print_gate(report.gate)
    print_trade(report.trade)
    if report.lengths:
        print_lengths(report.lengths)
    if report.plan_build:
        print_build(report.plan_build)
        return
    published = report.published
    size = f"{report.network_bytes / 1e6:.0f} MB"
    models = ", ".join(f"{name}/{published.version}" for name in published.models)
    if published.reused:
        click.echo(f"{report.spec.id} in {precision} is published already, byte for byte: {models} in {root}")
    else:
        click.echo(f"published {report.spec.id} in {precision} ({size}): {models} in {root}")
    click.echo(f"digest {published.digest}")


def print_gate(gate: GateReport) -> None:
    """A row a figure: its worst and mean value, its bound, and where it was worst."""
    from rich.table import Table

    from interlingua.display.terminal import console

    table = Table(title=f"parity with torch: {gate.samples} texts, {gate.languages} languages", title_justify="left")
    table.add_column("figure", no_wrap=True)
    for heading in ("worst", "mean", "bound"):
        table.add_column(heading, no_wrap=True)
    table.add_column("worst at", overflow="fold")
    for figure in gate.figures:
        bound = "" if figure.bound is None else f"{figure.sense} {figure.bound:g}"
        table.add_row(figure.name, f"{figure.worst:.3g}", f"{figure.mean:.3g}", bound, _place(figure.where))
    console().print(table)
    click.echo(f"references: {'; '.join(('torch', *gate.libraries))}")
    if gate.arithmetic:
        click.echo(f"note: {gate.arithmetic}")


def gate_facts(gate: GateReport) -> dict[str, Any]:
    """The gate's report as --json has it."""
    figures = [
        {
            "name": figure.name,
            "worst": figure.worst,
            "mean": figure.mean,
            "bound": figure.bound,
            "sense": figure.sense,
            "where": figure.where,
        }
        for figure in gate.figures
    ]
    return {
        "texts": gate.samples,
        "languages": gate.languages,
        "figures": figures,
        "per_language": agreement_facts(gate),
        "arithmetic": gate.arithmetic,
        "libraries": list(gate.libraries),
    }


def _place(where: str) -> str:
    """Language and kind of text, without the text itself, which --json has."""
    return where if len(where) <= 20 else where.partition(": ")[0]
