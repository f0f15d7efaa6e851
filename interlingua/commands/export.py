"""`interlingua export`: weights to ONNX, through the parity gate, into the model repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from interlingua.commands.export_trade import (
    agreement_facts,
    comparison_facts,
    print_comparison,
    print_trade,
    trade_facts,
)
from interlingua.errors import ArchiveError, InputError
from interlingua.paths import DEFAULT_MODEL_REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.export import ExportReport
    from exporter.gate.parity import GateReport
    from exporter.models.spec import Precision
    from exporter.publication.publish import ServingOptions
    from exporter.weights.checkpoint import Checkpoint
    from exporter.weights.checkpoint_folder import Overrides


@click.command()
@click.argument("model", required=False)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "bf16", "int8"]), default="fp32", show_default=True)
@click.option("--fuse", is_flag=True, help="Fuse attention, LayerNorm and Gelu for GPUs; with --kind gpu.")
@click.option("--compare", is_flag=True, help="Build and gate every precision, print a table, publish nothing.")
@click.option(
    "--model-repository",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_MODEL_REPOSITORY,
    help="Where to publish.  [default: model_repository]",
)
@click.option("--version", type=click.IntRange(1), help="Number to publish as, or to verify.  [default: the next]")
@click.option("--verify", is_flag=True, help="Check what is published again, and publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.option("--kind", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True, help="Where it runs.")
@click.option("--instances", type=click.IntRange(1), help="Copies of the network.  [default: cores; 1 on a GPU]")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of one copy.")
@click.option("--max-batch-size", type=click.IntRange(1), default=64, show_default=True, help="Texts in a batch.")
@click.option(
    "--max-batch-tokens", type=click.IntRange(16), default=1024, show_default=True, help="Padded tokens in a call."
)
@click.option("--max-text-bytes", type=click.IntRange(64), default=65_536, show_default=True, help="Longest text.")
@click.option("--pooling", type=click.Choice(["mean", "cls", "last"]), help="Instead of what the folder says.")
@click.option(
    "--head",
    type=click.Choice(["classifier", "class-difference", "yes-no", "yes"]),
    help="What makes the score of a reranker.",
)
@click.option("--score-token", "score_tokens", multiple=True, help="Whose logits make it; the good pair's first.")
@click.option("--dimension", type=click.IntRange(1), help="Cut vectors to this; one of the entry's `dimensions`.")
@click.option("--task", help="Prompts of one of the entry's tasks.")
@click.option("--query-prompt", help="Instead of what the folder says.")
@click.option("--document-prompt", help="Instead of what the folder says.")
@click.option("--max-tokens", type=click.IntRange(8), help="Less than the model's own limit.")
@click.option("--trust-remote-code", is_flag=True, help="Run Python code that lies in the model's folder.")
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Entries of your own, as in `interlingua models`.",
)
def command(
    model: str | None,
    precision: str,
    fuse: bool,
    compare: bool,
    model_repository: Path,
    version: int | None,
    verify: bool,
    as_json: bool,
    catalog: Path | None,
    **options: Any,
) -> None:
    """Export MODEL: a catalogue name, a folder, or a Hub id.

    Without MODEL it is multilingual-e5-small. A folder is in transformers or sentence-transformers layout, or what
    `interlingua adapt` wrote; a sequence classifier with one logit, or a network of late interaction, becomes the
    reranker. What fails the parity gate is not published.

    fp16 and bf16 keep norms, softmax, pooling and head in fp32. --compare answers which precision to take: size, speed
    on this machine, and rankings in the language that loses most.
    """
    from exporter.extra import require_export_extra
    from exporter.weights.sources import load

    require_export_extra()
    overrides = _overrides(options)
    if compare:
        _compare(model, overrides, catalog, as_json, fuse=fuse, verify=verify)
        return
    if verify:
        _verify(model, model_repository, version, lambda source: load(source, overrides, catalog), as_json)
        return
    from exporter.export import ExportRequest, export
    from exporter.models.catalog import DEFAULT_MODEL

    request = ExportRequest(
        model=model or DEFAULT_MODEL,
        precision=cast("Precision", precision),
        fuse=fuse,
        repository=model_repository,
        serving=_serving(options),
        version=version,
        overrides=overrides,
        threads=_cores(),
        catalogue=catalog,
    )
    report = export(request, _say)
    if as_json:
        click.echo(json.dumps(_report_facts(report, request.precision, model_repository), ensure_ascii=False))
    else:
        _print_report(report, request.precision, model_repository)


def _compare(
    model: str | None, overrides: Overrides, catalog: Path | None, as_json: bool, *, fuse: bool, verify: bool
) -> None:
    from exporter.models.catalog import DEFAULT_MODEL
    from exporter.precision.precision_comparison import compare

    if fuse or verify:
        raise click.UsageError("--compare goes without --fuse and --verify")
    comparison = compare(model or DEFAULT_MODEL, overrides, catalog, _cores(), _say)
    if as_json:
        click.echo(json.dumps(comparison_facts(comparison), ensure_ascii=False))
    else:
        print_comparison(comparison)


def _serving(options: dict[str, Any]) -> ServingOptions:
    from exporter.publication.publish import ServingOptions
    from exporter.publication.triton_config import Placement

    kind = "gpu" if options["kind"] == "gpu" else "cpu"
    default = 1 if kind == "gpu" else max(_cores() // options["threads"], 1)
    return ServingOptions(
        placement=Placement(kind, options["instances"] or default, options["threads"]),  # type: ignore[arg-type]
        max_batch_size=options["max_batch_size"],
        max_batch_tokens=options["max_batch_tokens"],
        max_text_bytes=options["max_text_bytes"],
    )


def _overrides(options: dict[str, Any]) -> Overrides:
    from exporter.weights.checkpoint_folder import Overrides

    texts = ("query_prompt", "document_prompt", "max_tokens", "task", "trust_remote_code")
    names = ("pooling", "head", "score_tokens", "dimension", *texts)
    return Overrides(**{name: options[name] for name in names})


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


def _say(step: str) -> None:
    click.echo(f"{step} ...", err=True)


def _verify(
    model: str | None, root: Path, version: int | None, loaded: Callable[[str], Checkpoint], as_json: bool
) -> None:
    from exporter.gate.verify import check_answers, check_files, published
    from exporter.models.catalog import find
    from exporter.publication.repository import ModelRepository

    repository = ModelRepository(root)
    facts = []
    for found in published(repository, version):
        name = f"{found.family.network}/{found.version}"
        _say(f"checking the files of {name} and its services")
        check_files(repository, found)
        source = model or (found.spec.model_id if find(found.spec.model_id) else None)
        gate, reason = None, "its source is not in the catalogue; give MODEL to compare with torch"
        if source:
            try:
                checkpoint = loaded(source)
                _say(f"comparing {name} with torch")
                gate = check_answers(repository, found, checkpoint, _cores())
            except (ArchiveError, InputError) as error:
                if model:
                    raise
                reason = f"its source is not at hand ({error})"
        facts.append(
            {
                "model": found.spec.model_id,
                "precision": found.spec.precision,
                "network": name,
                "digest": found.spec.digest,
                "files": "as published",
                "gate": _gate_facts(gate) if gate else None,
            }
        )
        if not as_json:
            click.echo(f"{name} ({found.spec.model_id}, {found.spec.precision}): every file is as it was published")
            if gate:
                _print_gate(gate)
            else:
                click.echo(f"values were not compared: {reason}")
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))


def _gate_facts(gate: GateReport) -> dict[str, Any]:
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
    }


def _report_facts(report: ExportReport, precision: str, root: Path) -> dict[str, Any]:
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
        "gate": _gate_facts(report.gate),
        "trade": trade_facts(report.trade),
        "fused": report.fused,
    }


def _print_report(report: ExportReport, precision: str, root: Path) -> None:
    for note in report.notes:
        click.echo(f"note: {note}")
    if report.fused:
        click.echo(f"fused: {', '.join(f'{count} {kind}' for kind, count in sorted(report.fused.items()))}")
    _print_gate(report.gate)
    print_trade(report.trade)
    published = report.published
    size = f"{report.network_bytes / 1e6:.0f} MB"
    models = ", ".join(f"{name}/{published.version}" for name in published.models)
    if published.reused:
        click.echo(f"{report.spec.id} in {precision} is published already, byte for byte: {models} in {root}")
    else:
        click.echo(f"published {report.spec.id} in {precision} ({size}): {models} in {root}")
    click.echo(f"digest {published.digest}")


def _print_gate(gate: GateReport) -> None:
    from rich.table import Table

    from interlingua.terminal import console

    table = Table(title=f"parity with torch: {gate.samples} texts, {gate.languages} languages", title_justify="left")
    table.add_column("figure", no_wrap=True)
    for heading in ("worst", "mean", "bound"):
        table.add_column(heading, no_wrap=True)
    table.add_column("worst at", overflow="fold")
    for figure in gate.figures:
        bound = "" if figure.bound is None else f"{figure.sense} {figure.bound:g}"
        table.add_row(figure.name, f"{figure.worst:.3g}", f"{figure.mean:.3g}", bound, _place(figure.where))
    console().print(table)
    if gate.arithmetic:
        click.echo(f"note: {gate.arithmetic}")


def _place(where: str) -> str:
    """Language and kind of text, without the text itself, which --json has."""
    return where if len(where) <= 20 else where.partition(": ")[0]
