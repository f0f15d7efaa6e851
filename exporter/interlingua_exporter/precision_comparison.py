"""Every precision that a model's entry allows, built, gated and measured side by side; nothing is published.

MODEL --load--> Checkpoint --fp32 once, torch's answers once--> a PrecisionRow for each precision, forbidden ones
with why
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError
from interlingua.served.kinds import PRECISIONS
from interlingua_exporter.gate.library_gate import ask_libraries
from interlingua_exporter.gate.network_gate import gate_network
from interlingua_exporter.gate.parity import gate_answers
from interlingua_exporter.loading import load_for
from interlingua_exporter.models.export_needs import ExportPlan
from interlingua_exporter.precision.build import convert, speed_of, write_full
from interlingua_exporter.precision.precision_choice import reason
from interlingua_exporter.precision.trade import Trade, folder_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua.served.kinds import Precision
    from interlingua_exporter.gate.parity import GateReport
    from interlingua_exporter.gate.ranking_agreement import Values
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.weights.checkpoint_folder import Overrides


@dataclass(frozen=True)
class PrecisionRow:
    """One precision.

    Attributes:
        trade: None where there is no network, or none that passes.
        gate: None as above.
        verdict: `passes`, `refused` by the entry, or `fails`.
        why: the entry's reason, or everything that is wrong.
    """

    precision: Precision
    trade: Trade | None
    gate: GateReport | None
    verdict: str
    why: str = ""


@dataclass(frozen=True)
class PrecisionComparison:
    """Rows in the order of `PRECISIONS`, fp32 first."""

    spec: ModelSpec
    rows: tuple[PrecisionRow, ...]


def compare(
    model: ResolvedModel,
    overrides: Overrides,
    threads: int,
    on_step: Callable[[str], None],
    *,
    ignore_limits: bool = False,
) -> PrecisionComparison:
    """Build and gate a model in every precision, in a temporary folder that holds two networks at a time.

    Args:
        ignore_limits: whether it is tried although memory or disk seem too small.

    Raises:
        InputError: the model cannot be read.
        ArchiveError: its archive cannot be had.
        ExportError: it cannot be turned into a graph at all.
    """
    plan = None if ignore_limits else ExportPlan(PRECISIONS, None)
    checkpoint = load_for(model, (), overrides, on_step, plan=plan)
    with tempfile.TemporaryDirectory(prefix="interlingua-compare-") as folder:
        return _Comparing(checkpoint, Path(folder), threads, on_step).run()


class _Comparing:
    def __init__(self, checkpoint: Checkpoint, folder: Path, threads: int, on_step: Callable[[str], None]) -> None:
        self._checkpoint = checkpoint
        self._folder = folder
        self._threads = threads
        self._on_step = on_step

    def run(self) -> PrecisionComparison:
        spec = self._checkpoint.spec
        self._on_step(f"writing {spec.id} as ONNX in fp32")
        full = self._folder / "fp32"
        write_full(self._checkpoint, full)
        full_speed = speed_of(self._checkpoint, full, self._threads)
        self._on_step("asking torch, and the libraries that read the same folder")
        reference = gate_answers(self._checkpoint)
        self._libraries = ask_libraries(self._checkpoint)
        return PrecisionComparison(
            spec, tuple(self._row(precision, full, full_speed, reference) for precision in PRECISIONS)
        )

    def _row(self, precision: Precision, full: Path, full_speed: float, reference: Values) -> PrecisionRow:
        spec = self._checkpoint.spec
        if precision not in spec.precisions or spec.verdict(precision) == "forbidden":
            return PrecisionRow(
                precision, None, None, "refused", reason(spec, precision) or "the entry does not name it"
            )
        self._on_step(f"building and gating {precision}")
        network = full if precision == "fp32" else self._folder / precision
        try:
            if network != full:
                convert(self._checkpoint, full, precision, network, self._threads)
            gate = gate_network(self._checkpoint, precision, network, self._threads, reference, self._libraries)
        except ExportError as error:
            return PrecisionRow(precision, None, None, "fails", str(error))
        runs_here = precision not in ("fp32", "bf16")
        speed = speed_of(self._checkpoint, network, self._threads) if runs_here else None
        speeds = (full_speed if precision == "fp32" else speed, full_speed)
        trade = Trade.of(precision, (folder_bytes(network), folder_bytes(full)), speeds, gate)
        if network != full:
            shutil.rmtree(network)
        return PrecisionRow(precision, trade, gate, "passes")
