"""`interlingua export`: weights to ONNX, through the parity gate, into the model repository."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from interlingua.base.paths import DEFAULT_MODEL_REPOSITORY
from interlingua_cli.export_lengths import length_options, publish_plan, wishes_of
from interlingua_cli.export_report import print_report, report_facts
from interlingua_cli.export_trade import comparison_facts, print_comparison
from interlingua_cli.export_verify import verify_published

if TYPE_CHECKING:
    from interlingua.served.kinds import Precision, WeightBits
    from interlingua_exporter.export_request import Weights
    from interlingua_exporter.models.exportable import Runtime
    from interlingua_exporter.publication.candidate import ServingOptions
    from interlingua_exporter.weights.checkpoint_folder import Overrides


@click.command()
@click.argument("model", required=False)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "bf16", "int8"]), default="fp32", show_default=True)
@click.option(
    "--weight-bits",
    type=click.Choice(["7", "8"]),
    default="7",
    show_default=True,
    help="Of int8 products. 7 are exact on every CPU; 8 are wrong on x86 CPUs without VNNI.",
)
@click.option(
    "--weights",
    type=click.Choice(["real", "dummy"]),
    default="real",
    show_default=True,
    help="dummy: random ones in a catalogue entry's true shape, to measure speed and memory without the download.",
)
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
@click.option("--instances", type=click.IntRange(1), help="Copies.  [default: cores; 1 on a GPU and with torch]")
@click.option("--threads", type=click.IntRange(1), help="Threads of one copy.  [default: 1; all cores with torch]")
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
@click.option("--trust-remote-code", is_flag=True, help="Run the model's own Python code, here and in the server.")
@click.option("--revision", help="Commit of a model on the Hub; a model with code of its own needs one.")
@click.option(
    "--runtime",
    type=click.Choice(["onnx", "torch"]),
    help="torch: what ONNX cannot hold, on transformers itself.  [default: the entry's own; onnx]",
)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Entries of your own, as in `interlingua models`.",
)
@click.option("--ignore-limits", is_flag=True, help="Try although memory or disk seem too small.")
@length_options
def command(
    model: str | None,
    precision: str,
    weight_bits: str,
    weights: str,
    fuse: bool,
    compare: bool,
    model_repository: Path,
    version: int | None,
    verify: bool,
    as_json: bool,
    catalog: Path | None,
    runtime: Runtime | None,
    ignore_limits: bool,
    **options: Any,
) -> None:
    """Export MODEL: a catalogue name, a folder, or a Hub id.

    Without MODEL it is multilingual-e5-small. A folder is in transformers or sentence-transformers layout, or what
    `interlingua adapt` wrote; a sequence classifier with one logit, or a network of late interaction, becomes the
    reranker. What fails the parity gate is not published.

    fp16 and bf16 keep norms, softmax, pooling and head in fp32. --compare answers which precision to take: size, speed
    on this machine, and rankings in the language that loses most.
    """
    from interlingua_exporter.models.extra import require_export_extra
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights import dummy_folder, sources

    require_export_extra()
    if options["plan"]:
        publish_plan(options["plan"], model, model_repository, version, as_json=as_json)
        return
    if weight_bits != "7" and precision != "int8":
        raise click.UsageError(f"--weight-bits {weight_bits} is for --precision int8, not for {precision}")
    overrides = _overrides(options)
    if compare and weights == "dummy":
        raise click.UsageError("--compare goes without --weights dummy: rankings by random weights mean nothing")
    if compare and runtime == "torch":
        raise click.UsageError("--compare goes without --runtime torch: it compares ONNX networks")
    if compare:
        _compare(model, overrides, catalog, as_json, fuse=fuse, verify=verify, ignore_limits=ignore_limits)
        return
    if verify:
        load = sources.load if weights == "real" else dummy_folder.load
        loaded = partial(load, overrides=overrides)
        source = resolve(model, catalog) if model else None
        verify_published(source, model_repository, version, catalog, loaded, _cores(), _say, as_json=as_json)
        return
    from interlingua_exporter.export import export
    from interlingua_exporter.export_request import ExportRequest
    from interlingua_exporter.loading import runtime_for
    from interlingua_exporter.models.catalog import DEFAULT_MODEL
    from interlingua_exporter.weights.room import exhaustion_told

    resolved = resolve(model or DEFAULT_MODEL, catalog)
    runtime = runtime or runtime_for(resolved, cast("Weights", weights))
    request = ExportRequest(
        model=resolved,
        precision=cast("Precision", precision),
        fuse=fuse,
        repository=model_repository,
        serving=_serving(options, runtime),
        version=version,
        overrides=overrides,
        threads=_cores(),
        weights=cast("Weights", weights),
        lengths=wishes_of(options),
        runtime=runtime,
        ignore_limits=ignore_limits,
        weight_bits=cast("WeightBits", int(weight_bits)),
    )
    with exhaustion_told():
        report = export(request, _say)
    if as_json:
        click.echo(json.dumps(report_facts(report, request.precision, model_repository), ensure_ascii=False))
    else:
        print_report(report, request.precision, model_repository)


def _compare(
    model: str | None,
    overrides: Overrides,
    catalog: Path | None,
    as_json: bool,
    *,
    fuse: bool,
    verify: bool,
    ignore_limits: bool,
) -> None:
    from interlingua_exporter.models.catalog import DEFAULT_MODEL
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.precision_comparison import compare
    from interlingua_exporter.weights.room import exhaustion_told

    if fuse or verify:
        raise click.UsageError("--compare goes without --fuse and --verify")
    with exhaustion_told():
        resolved = resolve(model or DEFAULT_MODEL, catalog)
        comparison = compare(resolved, overrides, _cores(), _say, ignore_limits=ignore_limits)
    if as_json:
        click.echo(json.dumps(comparison_facts(comparison), ensure_ascii=False))
    else:
        print_comparison(comparison)


def _serving(options: dict[str, Any], runtime: Runtime) -> ServingOptions:
    from interlingua.repository.triton_config import Placement
    from interlingua_exporter.publication.candidate import ServingOptions

    kind = "gpu" if options["kind"] == "gpu" else "cpu"
    threads = options["threads"] or (_cores() if runtime == "torch" and kind == "cpu" else 1)
    default = 1 if kind == "gpu" or runtime == "torch" else max(_cores() // threads, 1)
    return ServingOptions(
        placement=Placement(kind, options["instances"] or default, threads),  # type: ignore[arg-type]
        max_batch_size=options["max_batch_size"],
        max_batch_tokens=options["max_batch_tokens"],
        max_text_bytes=options["max_text_bytes"],
    )


def _overrides(options: dict[str, Any]) -> Overrides:
    from interlingua_exporter.weights.checkpoint_folder import Overrides

    texts = ("query_prompt", "document_prompt", "max_tokens", "task", "trust_remote_code", "revision")
    names = ("pooling", "head", "score_tokens", "dimension", *texts)
    return Overrides(**{name: options[name] for name in names})


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


def _say(step: str) -> None:
    click.echo(f"{step} ...", err=True)
