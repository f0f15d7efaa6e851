"""A checkpoint's ONNX files, each made once: fp32 with ONNX Runtime's fusions where it has any, halves made of it.

Checkpoint --write_full--> full/model.onnx --halve_network--> fp16/model.onnx, bf16/model.onnx

As `interlingua export --kind gpu --fuse --precision P` makes them, without the gate: most weights here are random.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError
from interlingua.served.graph_names import MODEL_FILE
from interlingua_benchmarks.gpu_bench.networks.bench_models import require_room
from interlingua_exporter.precision.build import write_full
from interlingua_exporter.precision.half_precision import halve_network

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.settings import Arithmetic
    from interlingua_exporter.graphs.checkpoint import Checkpoint

# Bytes a parameter: the fp32 file, before and after the fusions; the exporter's and the optimizer's copies.
_DISK_BYTES, _MEMORY_BYTES = 10, 12


class OnnxFiles:
    """The files of one model, in a folder of their own.

    Attributes:
        notes: what was fused, or why nothing was.
    """

    def __init__(self, checkpoint: Checkpoint, folder: Path, *, fuse: bool) -> None:
        self._checkpoint, self._folder, self._fuse = checkpoint, folder, fuse
        self._made: dict[str, Path] = {}
        self.notes: list[str] = []

    def path(self, arithmetic: Arithmetic) -> Path:
        """The `model.onnx` of an arithmetic; tf32 is the card's way with fp32's.

        Raises:
            InputError: memory or disk are too small.
            ExportError: torch cannot export the network, or a weight is out of range.
        """
        name = "fp32" if arithmetic == "tf32" else arithmetic
        if name not in self._made:
            self._made[name] = self._full() if arithmetic in ("fp32", "tf32") else self._half(arithmetic)
        return self._made[name]

    def _full(self) -> Path:
        require_room(self._checkpoint.spec, self._folder, disk_bytes=_DISK_BYTES, memory_bytes=_MEMORY_BYTES)
        if self._fuse:
            try:
                fused = write_full(self._checkpoint, self._folder / "fused", fuse=True)
            except ExportError as error:
                self.notes.append(f"not fused: {error}")
            else:
                self.notes.append(f"fused: {', '.join(f'{count} {kind}' for kind, count in sorted(fused.items()))}")
                return self._folder / "fused" / MODEL_FILE
        write_full(self._checkpoint, self._folder / "full")
        return self._folder / "full" / MODEL_FILE

    def _half(self, arithmetic: Arithmetic) -> Path:
        folder = self._folder / arithmetic
        full = self.path("fp32")
        folder.mkdir()
        return halve_network(full, folder, "fp16" if arithmetic == "fp16" else "bf16").path
