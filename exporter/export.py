"""One export from beginning to end.

MODEL --load--> Checkpoint --ONNX, precision--> network in the staging folder --gate--> publish --> ExportReport
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.build import Build, build, speed_of
from exporter.exportable import require_exportable
from exporter.gate.parity import GateReport, run_gate
from exporter.gate.parity_texts import sentences
from exporter.models import catalog
from exporter.precision.precision_choice import caution, require_allowed, require_runnable
from exporter.precision.trade import Trade, folder_bytes
from exporter.publication.publish import Candidate, Published, ServingOptions, check_tensors, publish
from exporter.publication.repository import ModelRepository
from exporter.weights import sources
from exporter.weights.checkpoint_folder import Overrides

if TYPE_CHECKING:
    from exporter.gate.parity import Values
    from exporter.models.spec import ModelSpec, Precision
    from exporter.weights.checkpoint import Checkpoint
    from exporter.weights.text_encoder import Tokens

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


@dataclass(frozen=True)
class ExportReport:
    """What came of it.

    Attributes:
        network_bytes: size of the network's files.
        notes: what the user should know about how the model was read, and about the precision.
        trade: against fp32; its speeds were measured where nothing says that they were not.
        fused: fused operators by kind.
    """

    spec: ModelSpec
    published: Published
    gate: GateReport
    dimension: int
    network_bytes: int
    notes: tuple[str, ...]
    trade: Trade
    fused: dict[str, int]


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
    require_runnable(precision, request.serving.placement, fuse=request.fuse)
    checkpoint = load_for(request.model, (precision,), request.overrides, request.catalogue, on_step)
    spec = checkpoint.spec
    repository = ModelRepository(request.repository)
    with repository.staging() as staging:
        check_tensors(repository, spec, checkpoint.inputs, checkpoint.dimension)
        on_step(f"writing {spec.id} as ONNX in {precision}{' with fused operators' if request.fuse else ''}")
        made = build(checkpoint, precision, staging, fuse=request.fuse, threads=request.threads, timed=True)
        size = folder_bytes(made.network)
        on_step("running the parity gate")
        gate = gate_network(checkpoint, precision, made.network, request.threads)
        trade = Trade.of(
            precision, (size, made.full_bytes), _speeds(checkpoint, precision, made, request.threads), gate
        )
        on_step(f"publishing into {request.repository}")
        candidate = Candidate.of(checkpoint, precision, made.network, _warmup_tokens(checkpoint))
        published = publish(candidate, repository, staging, request.serving, version=request.version)
    notes = (*checkpoint.notes, *filter(None, (caution(spec, precision),)), *made.notes)
    return ExportReport(spec, published, gate, checkpoint.dimension, size, notes, trade, made.fused)


def load_for(
    model: str,
    precisions: tuple[Precision, ...],
    overrides: Overrides,
    catalogue: Path | None,
    on_step: Callable[[str], None],
) -> Checkpoint:
    """The model, if it may be exported in all of these precisions: an entry is asked before its weights are fetched.

    Raises as `export`.
    """
    if entry := catalog.find(model, catalog.entries(catalogue)):
        for precision in precisions:
            require_allowed(entry, precision)
    on_step(f"loading {model}")
    checkpoint = sources.load(model, overrides, catalogue)
    require_exportable(checkpoint.spec)
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
    from exporter.graphs.graph_names import MODEL_FILE
    from exporter.graphs.onnx_session import OnnxSession

    return run_gate(checkpoint, OnnxSession(folder / MODEL_FILE, threads=threads), precision, reference)


def _speeds(
    checkpoint: Checkpoint, precision: Precision, made: Build, threads: int
) -> tuple[float | None, float | None]:
    """Of the network and of fp32; a network that cannot run here has none."""
    if precision == "fp32":
        return made.full_speed, made.full_speed
    return None if precision == "bf16" else speed_of(checkpoint, made.network, threads), made.full_speed


def _warmup_tokens(checkpoint: Checkpoint) -> Tokens:
    """A real text's tokens, or a real pair's."""
    text = " ".join(row["en"] for row in sentences()[:_WARMUP_SENTENCES])
    single = checkpoint.spec.document_prompt + text
    return checkpoint.text_encoder().encode([single if checkpoint.spec.role == "embedder" else (text, text)])[0]
