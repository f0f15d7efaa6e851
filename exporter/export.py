"""One export from beginning to end.

MODEL --load--> Checkpoint --ONNX, precision--> network in the staging folder --gate--> publish --> ExportReport
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from exporter.build import Build, build, speed_of
from exporter.exportable import Runtime, require_exportable, runtime_of
from exporter.gate.parity import GateReport, run_gate
from exporter.gate.parity_texts import sentences
from exporter.models import catalog
from exporter.models.export_needs import ExportPlan
from exporter.precision.precision_choice import caution, require_allowed, require_runnable
from exporter.precision.trade import Trade, folder_bytes
from exporter.publication.publish import Candidate, Published, ServingOptions, check_tensors, publish
from exporter.publication.repository import FAMILIES, ModelRepository
from exporter.tensorrt.graph_stamp import stamp
from exporter.tensorrt.plan_build import write_build
from exporter.tensorrt.serving import require_same_runner, require_tensorrt
from exporter.tensorrt.sized_serving import LengthReport, LengthWishes, sized
from exporter.weights import dummy_folder, sources
from exporter.weights.checkpoint_folder import Overrides
from exporter.weights.room import require_room_for
from exporter.weights.text_encoder import Framed
from exporter.weights.text_frame import frame_of
from interlingua.service import EMBED_DOCUMENT, RERANK

if TYPE_CHECKING:
    from exporter.gate.parity import Values
    from exporter.models.spec import ModelSpec, Precision
    from exporter.weights.checkpoint import Checkpoint
    from exporter.weights.text_encoder import Tokens

Weights = Literal["real", "dummy"]

_WARMUP_SENTENCES = 2  # of English, to fill the warm-up buckets with


@dataclass(frozen=True)
class ExportRequest:
    """What the user asked for.

    Attributes:
        model: a catalogue name, a folder or a Hub id.
        version: the number to publish as; None for the next one.
        threads: of this machine, for the gate.
        catalogue: a file of the user's own entries, in place of the usual one.
        fuse: whether ONNX Runtime's transformer fusions are applied; for GPUs.
        weights: the model's own, or random ones in an entry's shape (exporter/weights/dummy_folder.py).
        lengths: what the calls will look like, and whether TensorRT runs them.
        runtime: what serves it; None for the entry's own, ONNX where there is no entry.
        ignore_limits: whether it is tried although memory or disk seem too small.
    """

    model: str
    precision: Precision
    repository: Path
    serving: ServingOptions
    version: int | None = None
    overrides: Overrides = Overrides()  # noqa: RUF009
    threads: int = 1
    catalogue: Path | None = None
    fuse: bool = False
    weights: Weights = "real"
    lengths: LengthWishes = LengthWishes()  # noqa: RUF009
    runtime: Runtime | None = None
    ignore_limits: bool = False

    def plan(self, *, torch: bool = False) -> ExportPlan | None:
        """What room is needed for; None where the user wants nobody to look."""
        if self.ignore_limits:
            return None
        return ExportPlan((self.precision,), self.repository, self.fuse, self.weights == "dummy", torch)


@dataclass(frozen=True)
class ExportReport:
    """What came of it.

    Attributes:
        network_bytes: size of the network's files.
        notes: what the user should know about how the model was read, and about the precision.
        trade: against fp32; its speeds were measured where nothing says that they were not.
        fused: fused operators by kind.
        lengths: what was found of them; None where nobody asked.
        plan_build: the folder to build a TensorRT plan in; then nothing is published yet, and the version is 0.
    """

    spec: ModelSpec
    published: Published
    gate: GateReport
    dimension: int
    network_bytes: int
    notes: tuple[str, ...]
    trade: Trade
    fused: dict[str, int]
    lengths: LengthReport | None = None
    plan_build: Path | None = None


def export(request: ExportRequest, on_step: Callable[[str], None]) -> ExportReport:
    """Export, check and publish a model.

    Args:
        on_step: called with a line before each step.

    Raises:
        InputError: the model, or a wish about it, cannot be.
        ArchiveError: its archive cannot be had.
        ExportError: it cannot be turned into a graph, or fails the gate; nothing was published.
    """
    precision = request.precision
    if (request.runtime or runtime_for(request.model, request.catalogue, request.weights)) == "torch":
        from exporter.torch_export import export_torch

        return export_torch(request, on_step)
    require_runnable(precision, request.serving.placement, fuse=request.fuse)
    if request.lengths.runner:
        require_tensorrt(precision, request.serving.placement, fuse=request.fuse)
    asked = (request.model, (precision,), request.overrides, request.catalogue)
    checkpoint = load_for(*asked, on_step, request.weights, plan=request.plan())
    spec = checkpoint.spec
    if request.lengths.corpus:
        on_step(f"measuring the lengths of {request.lengths.corpus}")
    serving, lengths = sized(request.lengths, checkpoint, request.serving)
    runner = request.lengths.runner
    repository = ModelRepository(request.repository)
    with repository.staging() as staging:
        check_tensors(repository, spec, checkpoint.inputs, checkpoint.dimension)
        family = FAMILIES[spec.role]
        require_same_runner(repository.config(family.network), repository.versions(family), runner)
        on_step(f"writing {spec.id} as ONNX in {precision}{' with fused operators' if request.fuse else ''}")
        made = build(checkpoint, precision, staging, fuse=request.fuse, threads=request.threads, timed=True)
        size = folder_bytes(made.network)
        if runner == "tensorrt":
            stamp(made.network)
        on_step("running the parity gate")
        gate = gate_network(checkpoint, precision, made.network, request.threads)
        trade = Trade.of(
            precision, (size, made.full_bytes), _speeds(checkpoint, precision, made, request.threads), gate
        )
        candidate = Candidate.of(checkpoint, precision, made.network, warmup_tokens(checkpoint))
        plan_build = None
        if runner == "tensorrt-plan":
            on_step("writing the folder to build the plan in")
            build_folder = write_build(candidate, repository, serving)
            plan_build = build_folder.folder
            published = Published(family.models, 0, build_folder.record["digest"], False)
        else:
            on_step(f"publishing into {request.repository}")
            published = publish(candidate, repository, staging, serving, version=request.version)
    notes = (*checkpoint.notes, *filter(None, (caution(spec, precision),)), *made.notes)
    return ExportReport(
        spec, published, gate, checkpoint.dimension, size, notes, trade, made.fused, lengths, plan_build
    )


def runtime_for(model: str, catalogue: Path | None, weights: Weights = "real") -> Runtime:
    """What serves a model unless the user says otherwise: its entry's, else ONNX. Raises InputError."""
    entry = catalog.find(model, catalog.entries(catalogue)) if weights == "real" else None
    return runtime_of(entry) if entry else "onnx"


def load_for(
    model: str,
    precisions: tuple[Precision, ...],
    overrides: Overrides,
    catalogue: Path | None,
    on_step: Callable[[str], None],
    weights: Weights = "real",
    runtime: Runtime = "onnx",
    plan: ExportPlan | None = None,
) -> Checkpoint:
    """The model, if it may be exported in all of these precisions: an entry is asked before its weights are fetched.

    Raises as `export`.

    Args:
        plan: what there has to be room for before anything is fetched or read; None where nobody looks.
    """
    if entry := catalog.find(model, catalog.entries(catalogue)):
        if weights == "real":
            require_exportable(entry, runtime)
        for precision in precisions:
            require_allowed(entry, precision)
    if plan is not None:
        require_room_for(model, plan, revision=overrides.revision, catalogue=catalogue)
    on_step(f"loading {model}" if weights == "real" else f"making {model} with random weights")
    load = sources.load if weights == "real" else dummy_folder.load
    checkpoint = load(model, overrides, catalogue)
    require_exportable(checkpoint.spec, runtime)
    for precision in precisions:
        require_allowed(checkpoint.spec, precision)
    return checkpoint


def build_network(checkpoint: Checkpoint, precision: Precision, folder: Path) -> Path:
    """A folder inside `folder` with model.onnx and its data, in that precision. Raises ExportError."""
    return build(checkpoint, precision, folder).network


def gate_network(
    checkpoint: Checkpoint, precision: Precision, folder: Path, threads: int, reference: Values | None = None
) -> GateReport:
    """The gate on the network in a folder. Raises as `run_gate`."""
    from exporter.graphs.network_session import open_network

    session = open_network(folder, threads=threads, trust_remote_code=checkpoint.spec.remote_code)
    return run_gate(checkpoint, session, precision, reference)


def _speeds(
    checkpoint: Checkpoint, precision: Precision, made: Build, threads: int
) -> tuple[float | None, float | None]:
    """Of the network and of fp32; a network that cannot run here has none."""
    if precision == "fp32":
        return made.full_speed, made.full_speed
    return None if precision == "bf16" else speed_of(checkpoint, made.network, threads), made.full_speed


def warmup_tokens(checkpoint: Checkpoint) -> Tokens:
    """A real document's tokens, or a real pair's, in the prompt or template that its service puts around it."""
    spec = checkpoint.spec
    text = " ".join(row["en"] for row in sentences()[:_WARMUP_SENTENCES])
    service, sample = (EMBED_DOCUMENT, text) if spec.role == "embedder" else (RERANK, (text, text))
    return checkpoint.text_encoder().encode([Framed(sample, frame_of(spec, service))])[0]
