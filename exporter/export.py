"""One export from beginning to end.

MODEL --load--> Checkpoint --ONNX (, int8)--> network in the staging folder --gate--> publish --> ExportReport
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter import sources
from exporter.checkpoint_folder import Overrides
from exporter.exportable import require_exportable
from exporter.parity import GateReport, run_gate
from exporter.parity_texts import sentences
from exporter.publish import Candidate, Published, ServingOptions, check_tensors, publish
from exporter.repository import ModelRepository
from interlingua.errors import InputError

if TYPE_CHECKING:
    from exporter.checkpoint import Checkpoint
    from exporter.spec import ModelSpec, Precision
    from exporter.text_encoder import Tokens

_WARMUP_SENTENCES = 2  # of English, to fill the warm-up buckets with


@dataclass(frozen=True)
class ExportRequest:
    """What the user asked for.

    Attributes:
        model: a catalogue name, a folder or a Hub id.
        version: the number to publish as; None for the next one.
        threads: of this machine, for the gate.
        catalogue: a file of the user's own entries, in place of the usual one.
    """

    model: str
    precision: Precision
    repository: Path
    serving: ServingOptions
    version: int | None = None
    overrides: Overrides = Overrides()  # noqa: RUF009
    threads: int = 1
    catalogue: Path | None = None


@dataclass(frozen=True)
class ExportReport:
    """What came of it.

    Attributes:
        network_bytes: size of the network's files.
        notes: what the user should know about how the model was read.
    """

    spec: ModelSpec
    published: Published
    gate: GateReport
    dimension: int
    network_bytes: int
    notes: tuple[str, ...]


def export(request: ExportRequest, on_step: Callable[[str], None]) -> ExportReport:
    """Export, check and publish a model.

    Args:
        on_step: called with a line before each step.

    Raises:
        InputError: the model, or a wish about it, cannot be.
        ArchiveError: its archive cannot be had.
        ExportError: it cannot be turned into a graph, or fails the gate; nothing was published.
    """
    on_step(f"loading {request.model}")
    checkpoint = sources.load(request.model, request.overrides, request.catalogue)
    spec = checkpoint.spec
    require_exportable(spec)
    if request.precision not in spec.precisions:
        raise InputError(f"{spec.id} cannot be exported in {request.precision}, only in {', '.join(spec.precisions)}")
    repository = ModelRepository(request.repository)
    with repository.staging() as staging:
        check_tensors(repository, spec, checkpoint.inputs, checkpoint.dimension)
        on_step(f"writing {spec.id} as ONNX in {request.precision}")
        network = build_network(checkpoint, request.precision, staging)
        size = sum(path.stat().st_size for path in network.iterdir())
        on_step("running the parity gate")
        gate = gate_network(checkpoint, request.precision, network, request.threads)
        on_step(f"publishing into {request.repository}")
        candidate = Candidate.of(checkpoint, request.precision, network, _warmup_tokens(checkpoint))
        published = publish(candidate, repository, staging, request.serving, version=request.version)
    return ExportReport(spec, published, gate, checkpoint.dimension, size, checkpoint.notes)


def build_network(checkpoint: Checkpoint, precision: Precision, folder: Path) -> Path:
    """A folder inside `folder` with model.onnx and its data, in that precision. Raises ExportError."""
    from exporter.onnx_graph import export_onnx
    from exporter.quantization import quantize_network

    network = folder / ".network"
    network.mkdir()
    if precision == "fp32":
        export_onnx(checkpoint, network)
        return network
    full = folder / ".fp32"
    full.mkdir()
    quantize_network(export_onnx(checkpoint, full), network)
    shutil.rmtree(full)
    return network


def gate_network(checkpoint: Checkpoint, precision: Precision, folder: Path, threads: int) -> GateReport:
    """The gate on the network in a folder. Raises as `run_gate`."""
    from exporter.onnx_graph import MODEL_FILE
    from exporter.onnx_session import OnnxSession

    return run_gate(checkpoint, OnnxSession(folder / MODEL_FILE, threads=threads), precision)


def _warmup_tokens(checkpoint: Checkpoint) -> Tokens:
    """A real text's tokens, or a real pair's."""
    text = " ".join(row["en"] for row in sentences()[:_WARMUP_SENTENCES])
    single = checkpoint.spec.document_prompt + text
    return checkpoint.text_encoder().encode([single if checkpoint.spec.role == "embedder" else (text, text)])[0]
