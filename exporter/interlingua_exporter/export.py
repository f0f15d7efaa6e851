"""One export from beginning to end.

MODEL --load--> Checkpoint --ONNX, precision--> network in the staging folder --gate--> publish --> ExportReport
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.processor import this_processor
from interlingua.repository.model_repository import ModelRepository
from interlingua_exporter.export_request import ExportReport, ExportRequest
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.loading import load_for, runtime_for
from interlingua_exporter.precision.build import Build, build, speed_of
from interlingua_exporter.precision.precision_choice import caution, require_exact_gate, require_runnable
from interlingua_exporter.precision.trade import Trade, folder_bytes
from interlingua_exporter.publication.candidate import Candidate, ServingOptions
from interlingua_exporter.publication.language_measurement import measure_languages
from interlingua_exporter.publication.publish import Publication, check_tensors, publish
from interlingua_exporter.publication.tensorrt_serving import require_same_runner, require_tensorrt
from interlingua_exporter.publication.warmup_text import warmup_tokens
from interlingua_exporter.tensorrt.graph_stamp import stamp
from interlingua_exporter.tensorrt.plan_build import write_build
from interlingua_exporter.tensorrt.sized_serving import LengthReport, sized

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua_exporter.graphs.checkpoint import Checkpoint


def export(request: ExportRequest, on_step: Callable[[str], None]) -> ExportReport:
    """Export, check and publish a model.

    Args:
        on_step: called with a line before each step.

    Raises:
        InputError: the model, or a wish about it, cannot be.
        ArchiveError: its archive cannot be had.
        ExportError: it cannot be turned into a graph, or fails the gate; nothing was published.
    """
    if (request.runtime or runtime_for(request.model, request.weights)) == "torch":
        from interlingua_exporter.torch_export import export_torch

        return export_torch(request, on_step)
    require_runnable(request.precision, request.serving.placement, fuse=request.fuse)
    if request.precision == "int8":
        require_exact_gate(request.weight_bits, this_processor())
    if request.lengths.runner:
        require_tensorrt(request.precision, request.serving.placement, fuse=request.fuse)
    asked = (request.model, (request.precision,), request.overrides)
    checkpoint = load_for(*asked, on_step, request.weights, plan=request.plan())
    if request.lengths.corpus:
        on_step(f"measuring the lengths of {request.lengths.corpus}")
    serving, lengths = sized(request.lengths, checkpoint, request.serving)
    repository = ModelRepository(request.repository)
    with repository.staging() as staging:
        return _export_into(repository, staging, request, checkpoint, serving, lengths, on_step)


def _export_into(
    repository: ModelRepository,
    staging: Path,
    request: ExportRequest,
    checkpoint: Checkpoint,
    serving: ServingOptions,
    lengths: LengthReport | None,
    on_step: Callable[[str], None],
) -> ExportReport:
    spec, precision, runner = checkpoint.spec, request.precision, request.lengths.runner
    family = checkpoint.family
    there = repository.read()
    check_tensors(there, spec, family, checkpoint.inputs, checkpoint.dimension)
    require_same_runner(there.models.get(family.network), there.versions(spec.role), runner)
    on_step(f"writing {spec.id} as ONNX in {precision}{' with fused operators' if request.fuse else ''}")
    bits = request.weight_bits
    made = build(
        checkpoint, precision, staging, fuse=request.fuse, threads=request.threads, timed=True, weight_bits=bits
    )
    size = folder_bytes(made.network)
    if runner == "tensorrt":
        stamp(made.network)
    on_step("running the parity gate")
    gate = gate_network(checkpoint, precision, made.network, request.threads)
    speeds = _speeds(checkpoint, precision, made, request.threads)
    languages = measure_languages(checkpoint, made.network, request.threads, on_step)
    trade = Trade.of(precision, (size, made.full_bytes), speeds, gate)
    candidate = Candidate.of(
        checkpoint,
        precision,
        made.network,
        warmup_tokens(checkpoint),
        weight_bits=bits if precision == "int8" else None,
        languages=languages,
    )
    plan_build = None
    if runner == "tensorrt-plan":
        on_step("writing the folder to build the plan in")
        written = write_build(candidate, repository, serving)
        plan_build = written.folder
        published = Publication(family.models, 0, written.record["digest"], False)
    else:
        on_step(f"publishing into {request.repository}")
        published = publish(candidate, repository, staging, serving, version=request.version)
    notes = (*checkpoint.notes, *filter(None, (caution(spec, precision),)), *made.notes)
    return ExportReport(
        spec=spec,
        published=published,
        gate=gate,
        dimension=checkpoint.dimension,
        network_bytes=size,
        notes=notes,
        trade=trade,
        fused=made.fused,
        lengths=lengths,
        plan_build=plan_build,
    )


def _speeds(
    checkpoint: Checkpoint, precision: Precision, made: Build, threads: int
) -> tuple[float | None, float | None]:
    """The speeds of the network and of fp32; a network that cannot run here has none."""
    if precision == "fp32":
        return made.full_speed, made.full_speed
    return None if precision == "bf16" else speed_of(checkpoint, made.network, threads), made.full_speed
