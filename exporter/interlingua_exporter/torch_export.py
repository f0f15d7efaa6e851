"""One export of a model that torch itself serves, from beginning to end.

MODEL --load--> Checkpoint --files, network.json--> network in the staging folder --gate--> publish --> ExportReport
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.repository.model_repository import ModelRepository
from interlingua_exporter.export_request import ExportReport
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.graphs.torch_folder import write_torch
from interlingua_exporter.loading import load_for
from interlingua_exporter.precision.precision_choice import caution
from interlingua_exporter.precision.trade import Trade, folder_bytes
from interlingua_exporter.publication.candidate import Backend, Candidate
from interlingua_exporter.publication.language_measurement import measure_languages
from interlingua_exporter.publication.publish import check_tensors, publish
from interlingua_exporter.publication.warmup_text import warmup_tokens
from interlingua_exporter.tensorrt.sized_serving import sized

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua.served.kinds import Precision
    from interlingua_exporter.export_request import ExportRequest

_BACKEND: Backend = "torch"


def export_torch(request: ExportRequest, on_step: Callable[[str], None]) -> ExportReport:
    """Check and publish a model with the `torch` backend; arguments and errors as of `export`."""
    _require_servable(request)
    precision = request.precision
    asked = (request.model, (precision,), request.overrides)
    checkpoint = load_for(*asked, on_step, runtime="torch", plan=request.plan(torch=True))
    spec = checkpoint.spec
    serving, lengths = sized(request.lengths, checkpoint, request.serving)
    repository = ModelRepository(request.repository)
    with repository.staging() as staging:
        check_tensors(repository.read(), spec, checkpoint.family, checkpoint.inputs, checkpoint.dimension, _BACKEND)
        on_step(f"copying {spec.id} for torch in {precision}")
        network = write_torch(checkpoint, precision, staging)
        size = folder_bytes(network)
        on_step("running the parity gate")
        gate = gate_network(checkpoint, precision, network, request.threads)
        gate = replace(gate, arithmetic=_arithmetic(precision))
        on_step(f"publishing into {request.repository}")
        languages = measure_languages(checkpoint, network, request.threads, on_step)
        candidate = Candidate.of(
            checkpoint, precision, network, warmup_tokens(checkpoint), _BACKEND, languages=languages
        )
        published = publish(candidate, repository, staging, serving, version=request.version)
    trade = replace(Trade.of(precision, (size, size), (None, None), gate), caveat="not measured for the torch backend")
    notes = (*checkpoint.notes, *filter(None, (caution(spec, precision),)))
    return ExportReport(
        spec=spec,
        published=published,
        gate=gate,
        dimension=checkpoint.dimension,
        network_bytes=size,
        notes=notes,
        trade=trade,
        fused={},
        lengths=lengths,
    )


def _require_servable(request: ExportRequest) -> None:
    """Raises InputError: wishes that are of ONNX networks alone."""
    if request.precision == "int8":
        raise InputError("--runtime torch serves fp32, fp16 and bf16; int8 is of ONNX networks")
    if request.fuse:
        raise InputError("--runtime torch goes without --fuse, which changes ONNX networks")
    if request.lengths.runner:
        raise InputError("--runtime torch goes without TensorRT, which runs ONNX networks")
    if request.weights == "dummy":
        raise InputError("--weights dummy are exported to ONNX alone: leave --runtime torch out")


def _arithmetic(precision: Precision) -> str:
    return "" if precision == "fp32" else f"{precision} in torch on this CPU; a GPU sums in another order"
