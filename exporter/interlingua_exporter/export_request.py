"""What the user wants of an export, and what came of it.

options --ExportRequest--> interlingua_exporter/export.py --ExportReport--> the printed report
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from interlingua.served.kinds import EXACT_BITS, WeightBits
from interlingua_exporter.models.export_needs import ExportPlan
from interlingua_exporter.tensorrt.sized_serving import LengthReport, LengthWishes
from interlingua_exporter.weights.checkpoint_folder import Overrides

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.models.exportable import Runtime
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.precision.trade import Trade
    from interlingua_exporter.publication.candidate import ServingOptions
    from interlingua_exporter.publication.publish import Publication

Weights = Literal["real", "dummy"]


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What the user asked for.

    Attributes:
        version: the number to publish as; None for the next one.
        threads: of this machine, for the gate.
        fuse: whether ONNX Runtime's transformer fusions are applied; for GPUs.
        weights: the model's own, or random ones in an entry's shape (weights/dummy/dummy_folder.py).
        lengths: what the calls will look like, and whether TensorRT runs them.
        runtime: what serves it; None for the entry's own, ONNX where there is no entry.
        ignore_limits: whether it is tried although memory or disk seem too small.
        weight_bits: of the matrices of int8 products; 8 is for CPUs with VNNI and for Arm alone.
    """

    model: ResolvedModel
    precision: Precision
    repository: Path
    serving: ServingOptions
    version: int | None = None
    overrides: Overrides = Overrides()  # noqa: RUF009
    threads: int = 1
    fuse: bool = False
    weights: Weights = "real"
    lengths: LengthWishes = LengthWishes()  # noqa: RUF009
    runtime: Runtime | None = None
    ignore_limits: bool = False
    weight_bits: WeightBits = EXACT_BITS

    def plan(self, *, torch: bool = False) -> ExportPlan | None:
        """What room is needed for; None where the user wants nobody to look."""
        if self.ignore_limits:
            return None
        return ExportPlan((self.precision,), self.repository, self.fuse, self.weights == "dummy", torch)


@dataclass(frozen=True, kw_only=True)
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
    published: Publication
    gate: GateReport
    dimension: int
    network_bytes: int
    notes: tuple[str, ...]
    trade: Trade
    fused: dict[str, int]
    lengths: LengthReport | None = None
    plan_build: Path | None = None
