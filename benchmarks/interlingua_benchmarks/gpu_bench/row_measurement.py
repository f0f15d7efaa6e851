"""One row: a network loaded in one runtime and arithmetic, measured, and its memory given back.

BenchRow, BenchModel --load--> LoadedNetwork --NetworkRuns--> latencies, budgets, sweep into the BenchRow
nvidia-smi meanwhile --> memory, clocks under load
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from interlingua_benchmarks.gpu_bench.card import read_card, under_load
from interlingua_benchmarks.gpu_bench.networks.network_runs import NetworkRuns
from interlingua_benchmarks.gpu_bench.networks.rectangles import Rectangles
from interlingua_loadtest.run.gpu_samples import GPU, GpuSampler

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.networks.bench_models import BenchModel
    from interlingua_benchmarks.gpu_bench.networks.loaded_network import LoadedNetwork
    from interlingua_benchmarks.gpu_bench.networks.onnx_files import OnnxFiles
    from interlingua_benchmarks.gpu_bench.records import BenchRow
    from interlingua_benchmarks.gpu_bench.settings import BenchSettings

_FAR = 0.1  # a deviation from fp32 that deserves a line: fused wrongly, or overflown


class RowMeasurement:
    """Fills a row as it goes, so that what was measured before a failure stays.

    Args:
        end: instant of `time.monotonic()` after which nothing new is begun.
    """

    def __init__(self, row: BenchRow, model: BenchModel, settings: BenchSettings, end: float) -> None:
        self._row, self._model, self._settings, self._end = row, model, settings, end

    def run(self, files: OnnxFiles | None) -> None:
        """Measures one row.

        Args:
            files: the model's ONNX files; None for torch.

        Raises the runtime's own errors, InputError and ExportError.
        """
        with GpuSampler() as sampler:
            network = self._load(files)
            try:
                self._measure(network)
            finally:
                network.close()
                self._row.memory_mb = self._most_memory(sampler)

    def _load(self, files: OnnxFiles | None) -> LoadedNetwork:
        row, device = self._row, self._settings.device
        if files is None:
            from interlingua_benchmarks.gpu_bench.networks.torch_network import TorchNetwork

            return TorchNetwork(self._model.checkpoint, row.arithmetic, device)
        from interlingua_benchmarks.gpu_bench.networks.onnx_network import OnnxNetwork

        path = files.path(row.arithmetic)
        row.notes += files.notes
        return OnnxNetwork(path, device, tf32=row.arithmetic == "tf32")

    def _measure(self, network: LoadedNetwork) -> None:
        row, model, checkpoint = self._row, self._model, self._model.checkpoint
        row.deviation = model.deviation(network.answer(model.sample))
        if not row.deviation <= _FAR:
            row.notes.append(f"answers are {row.deviation:.2g} away from fp32's: the figures may be of another network")
        runs = NetworkRuns(
            network,
            Rectangles(checkpoint, model.encoder, model.flops),
            self._settings.scale,
            vocabulary=checkpoint.vocabulary,
            max_tokens=checkpoint.spec.max_tokens,
            seed=self._settings.seed,
            notes=row.notes,
        )
        for latency in runs.latencies():
            row.latencies.append(latency)
        for point in runs.budgets(model.rows):
            row.points.append(point)
        if best := row.best:
            row.card = under_load(lambda: runs.load(best, model.rows), self._settings.device)
        if time.monotonic() > self._end:
            row.notes.append("calls of equal texts left out: time was over")
            return
        for point in runs.sweep():
            row.sweep.append(point)

    def _most_memory(self, sampler: GpuSampler) -> float | None:
        card = read_card(self._settings.device)
        if card is None:
            return None
        used = [sample.rss_mb for sample in sampler.samples if sample.name == f"{GPU}:{card.index}"]
        most = max(used, default=math.nan)
        return None if math.isnan(most) else most
