"""`interlingua export`: weights to ONNX, through the parity gate, into the model repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua.base.extras import require
from interlingua.served.kinds import EXACT_BITS, PRECISIONS
from interlingua.served.limits import GPU_BATCH_TOKENS, MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, MAX_TEXT_BYTES
from interlingua_cli.exporting.lengths import length_options, wishes_of
from interlingua_cli.exporting.options import (
    cores,
    json_option,
    limits_option,
    overrides_of,
    published_option,
    source_options,
    weights_option,
)
from interlingua_cli.exporting.report import print_report, report_facts
from interlingua_cli.options.deployment_options import say
from interlingua_cli.verb_group import VerbWithVerbs

if TYPE_CHECKING:
    from interlingua.served.kinds import Device, Precision, WeightBits
    from interlingua_exporter.export_request import Weights
    from interlingua_exporter.models.exportable import Runtime
    from interlingua_exporter.publication.candidate import ServingOptions

VERBS = {
    "verify": "check what is published again: its files, and its values where its source is at hand",
    "compare": "build and gate every precision, print size, speed and rankings, publish nothing",
    "plan": "publish a TensorRT plan that was built in a folder of --provider tensorrt-plan",
}


@click.command("export", cls=VerbWithVerbs, verbs=VERBS, prefix="interlingua_cli.exporting.")
@source_options
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="fp32",
    show_default=True,
    help="The numbers of the network's products.",
)
@click.option(
    "--weight-bits",
    type=click.Choice([7, 8]),
    default=EXACT_BITS,
    show_default=True,
    help="Bits of the weights in int8 products. 7 are exact on every CPU; 8 are wrong on x86 CPUs without VNNI.",
)
@weights_option
@click.option("--fuse", is_flag=True, help="Fuse attention, LayerNorm and Gelu for GPUs; with --kind gpu.")
@published_option
@click.option("--version", type=click.IntRange(1), help="Publish as this number.  [default: the next]")
@json_option
@click.option(
    "--kind",
    type=click.Choice(["cpu", "gpu"]),
    default="cpu",
    show_default=True,
    help="What the server runs the network on.",
)
@click.option(
    "--instances", type=click.IntRange(1), help="Copies of the network.  [default: cores; 1 on a GPU and with torch]"
)
@click.option("--threads", type=click.IntRange(1), help="Threads of one copy.  [default: 1; all cores with torch]")
@click.option(
    "--max-batch-size",
    type=click.IntRange(1),
    default=MAX_BATCH_TEXTS,
    show_default=True,
    help="Texts in a batch, at most.",
)
@click.option(
    "--max-batch-tokens",
    type=click.IntRange(16),
    help=f"Padded tokens in a call, at most.  [default: {MAX_BATCH_TOKENS}; {GPU_BATCH_TOKENS} on a GPU]",
)
@click.option(
    "--max-text-bytes",
    type=click.IntRange(64),
    default=MAX_TEXT_BYTES,
    show_default=True,
    help="Bytes of the longest text that is taken.",
)
@click.option(
    "--runtime",
    type=click.Choice(["onnx", "torch"]),
    help="torch serves what ONNX cannot hold, on transformers itself.  [default: the entry's own; onnx]",
)
@limits_option
@length_options
def command(
    model: str | None,
    precision: Precision,
    weight_bits: WeightBits,
    weights: Weights,
    fuse: bool,
    model_repository: Path,
    version: int | None,
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

    fp16 and bf16 keep norms, softmax, pooling and head in fp32. `interlingua export compare` answers which precision
    to take.
    """
    require("export")
    if weight_bits != EXACT_BITS and precision != "int8":
        raise click.UsageError(f"--weight-bits {weight_bits} is for --precision int8, not for {precision}")
    from interlingua_exporter.export import export
    from interlingua_exporter.export_request import ExportRequest
    from interlingua_exporter.loading import runtime_for
    from interlingua_exporter.models.catalog import DEFAULT_MODEL
    from interlingua_exporter.models.resolve import resolve
    from interlingua_exporter.weights.room_check import exhaustion_told

    lengths = wishes_of(options)
    resolved = resolve(model or DEFAULT_MODEL, catalog)
    runtime = runtime or runtime_for(resolved, weights)
    request = ExportRequest(
        model=resolved,
        precision=precision,
        fuse=fuse,
        repository=model_repository,
        serving=_serving(options, runtime),
        version=version,
        overrides=overrides_of(options),
        threads=cores(),
        weights=weights,
        lengths=lengths,
        runtime=runtime,
        ignore_limits=ignore_limits,
        weight_bits=weight_bits,
    )
    with exhaustion_told():
        report = export(request, say)
    if as_json:
        click.echo(json.dumps(report_facts(report, precision, model_repository), ensure_ascii=False))
    else:
        print_report(report, precision, model_repository)


def _serving(options: dict[str, Any], runtime: Runtime) -> ServingOptions:
    from interlingua.repository.triton_config import Placement
    from interlingua_exporter.publication.candidate import ServingOptions

    kind: Device = options["kind"]
    threads = options["threads"] or (cores() if runtime == "torch" and kind == "cpu" else 1)
    default = 1 if kind == "gpu" or runtime == "torch" else max(cores() // threads, 1)
    return ServingOptions(
        placement=Placement(kind, options["instances"] or default, threads),
        max_batch_size=options["max_batch_size"],
        max_batch_tokens=options["max_batch_tokens"] or (GPU_BATCH_TOKENS if kind == "gpu" else MAX_BATCH_TOKENS),
        max_text_bytes=options["max_text_bytes"],
    )
