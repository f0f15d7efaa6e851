"""The whole run: matrix rates, then every model by every runtime in every arithmetic, a row each.

BenchSettings --> BenchReport, whole or as far as it came: a row that fails says why, Ctrl-C and the end of time leave
the rest
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InterlinguaError
from interlingua_benchmarks.gpu_bench.device import first_line, missing, out_of_memory, release, usable
from interlingua_benchmarks.gpu_bench.networks import bench_models
from interlingua_benchmarks.gpu_bench.products.matrix_rate import matrix_rates
from interlingua_benchmarks.gpu_bench.records import BenchReport, BenchRow
from interlingua_benchmarks.gpu_bench.row_measurement import RowMeasurement
from interlingua_benchmarks.gpu_bench.run_header import run_header
from interlingua_benchmarks.gpu_bench.settings import LARGEST_ONNX
from interlingua_exporter.models.memory_need import parameters
from interlingua_exporter.models.spec import HubSource

if TYPE_CHECKING:
    from interlingua_benchmarks.gpu_bench.networks.bench_models import BenchModel
    from interlingua_benchmarks.gpu_bench.networks.onnx_files import OnnxFiles
    from interlingua_benchmarks.gpu_bench.settings import Arithmetic, BenchSettings, Runtime
    from interlingua_exporter.models.spec import ModelSpec

Step = Callable[[str], None]


def measure(settings: BenchSettings, on_step: Step) -> BenchReport:
    """Runs the benchmark.

    Args:
        on_step: called with a line before each step.

    Raises:
        NoDeviceError: nothing here computes on the device.
        InputError: a model is not in the catalogue, or the dataset cannot be read.
    """
    runtimes = usable(settings.device, settings.runtimes)
    specs = bench_models.specs(settings.models, settings.catalogue)
    return _Run(settings, runtimes, specs, on_step).report()


class _Run:
    def __init__(
        self, settings: BenchSettings, runtimes: tuple[Runtime, ...], specs: list[ModelSpec], on_step: Step
    ) -> None:
        self._settings, self._runtimes, self._specs, self._on_step = settings, runtimes, specs, on_step
        self._report = BenchReport(run_header(settings))
        self._end = time.monotonic() + 60 * settings.scale.minutes

    def report(self) -> BenchReport:
        try:
            self._measure_rates()
            # All models by one runtime first: the other one's files take minutes to write.
            for runtime in self._runtimes:
                for spec in self._specs:
                    self._measure_model(runtime, spec)
        except KeyboardInterrupt:
            self._report.interrupted = True
            for row in self._report.rows[-1:]:
                row.failed = row.failed or ("" if row.whole else "interrupted")
        return self._report

    def _measure_rates(self) -> None:
        settings = self._settings
        wanted: tuple[Arithmetic, ...] = settings.arithmetics
        if settings.device.kind == "cuda" and "fp32" in wanted:
            wanted = tuple(dict.fromkeys((*wanted, "tf32")))
        runtime: Runtime = "onnxruntime" if missing("torch", settings.device) else "torch"
        self._on_step(f"matrix rate of {settings.device} ({', '.join(wanted)}; {runtime})")
        for rate in matrix_rates(settings.device, wanted, settings.scale, runtime):
            self._report.rates.append(rate)
        release(settings.device)

    def _measure_model(self, runtime: Runtime, spec: ModelSpec) -> None:
        if reason := self._left_out(runtime, spec):
            self._fail(runtime, spec, self._settings.arithmetics, reason)
            return
        self._on_step(f"{spec.id}: loading, for {runtime}")
        with _scratch(self._settings.work) as folder:
            try:
                (folder / "dummy").mkdir()
                model = bench_models.load(spec, folder / "dummy")
            except Exception as error:  # memory, most of all; the others are worth measuring
                self._fail(runtime, spec, self._settings.arithmetics, _reason(error))
                return
            self._measure_rows(runtime, model, folder)
            del model
            gc.collect()

    def _measure_rows(self, runtime: Runtime, model: BenchModel, folder: Path) -> None:
        files: OnnxFiles | None = None
        if runtime == "onnxruntime":
            from interlingua_benchmarks.gpu_bench.networks.onnx_files import OnnxFiles

            (folder / "onnx").mkdir()
            files = OnnxFiles(model.checkpoint, folder / "onnx", fuse=self._settings.device.kind == "cuda")
        spec = model.checkpoint.spec
        for arithmetic in self._settings.arithmetics:
            if reason := self._too_late() or _forbidden(spec, arithmetic):
                self._fail(runtime, spec, (arithmetic,), reason)
                continue
            self._on_step(f"{spec.id}: {runtime}, {arithmetic}")
            row = self._begin(runtime, spec, arithmetic)
            row.weights, row.flops = model.weights, model.flops
            try:
                RowMeasurement(row, model, self._settings, self._end).run(files)
                row.whole = True
            except Exception as error:  # one row must not take the others with it
                row.failed = _reason(error)
            release(self._settings.device)

    def _begin(self, runtime: Runtime, spec: ModelSpec, arithmetic: Arithmetic) -> BenchRow:
        weights = "random" if isinstance(spec.source, HubSource) else "published"
        row = BenchRow(
            model=spec.id, runtime=runtime, arithmetic=arithmetic, weights=weights, parameters=parameters(spec)
        )
        self._report.rows.append(row)
        return row

    def _fail(self, runtime: Runtime, spec: ModelSpec, arithmetics: tuple[Arithmetic, ...], reason: str) -> None:
        for arithmetic in arithmetics:
            self._begin(runtime, spec, arithmetic).failed = reason

    def _left_out(self, runtime: Runtime, spec: ModelSpec) -> str:
        large = parameters(spec) > LARGEST_ONNX and not self._settings.chosen
        if runtime == "onnxruntime" and large:
            return f"not tried: its ONNX file takes minutes; ask with --models {spec.id} --runtimes onnxruntime"
        return self._too_late()

    def _too_late(self) -> str:
        over = time.monotonic() > self._end
        return f"not begun: {self._settings.scale.minutes:g} minutes were over" if over else ""


def _forbidden(spec: ModelSpec, arithmetic: Arithmetic) -> str:
    precision = "fp32" if arithmetic == "tf32" else arithmetic
    if spec.verdict(precision) != "forbidden":
        return ""
    from interlingua_exporter.precision.precision_choice import reason

    return f"its catalogue entry forbids it: {reason(spec, precision)}"


def _reason(error: Exception) -> str:
    said = str(error) if isinstance(error, InterlinguaError) else f"{type(error).__name__}: {first_line(error)}"
    return f"out of memory ({said})" if out_of_memory(error) else said


@contextmanager
def _scratch(work: Path) -> Iterator[Path]:
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
